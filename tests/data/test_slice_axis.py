# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The axis of the slices is found from sizes and spacings."""

from __future__ import annotations

import pytest

from monai_srgan.data.slice_axis import find_slice_axis


@pytest.mark.parametrize(
    ("shape", "spacing", "named", "axis"),
    [
        ((24, 20, 6), (0.8, 0.8, 6.0), None, 2),
        ((6, 24, 20), (6.0, 0.8, 0.8), None, 0),
        ((24, 6, 20), (0.5, 5.0, 0.8), None, 1),
        ((160, 256, 256), (1.2, 1.0, 1.0), None, 0),  # a sagittal volume of thin slices
        ((160, 256, 256), (1.2, 1.0, 1.0), 2, 0),  # spacings tell more than a note that tools forget to update
        ((256, 256, 160), (1.0, 1.0, 1.0), None, 2),
        ((160, 256, 256), (1.0, 1.0, 1.0), 0, 0),
        ((256, 256, 200), (1.0, 1.0, 0.8), None, 2),  # overlapping slices
        ((256, 200, 200), (1.0, 0.9, 0.8), None, 2),  # no axis stands out
        ((1, 256, 256), (1.0, 1.0, 1.0), None, 0),
        ((256, 1, 256), (0.8, 0.8, 4.0), None, 1),
        ((256, 1, 1), (1.0, 1.0, 1.0), None, 2),
    ],
)
def test_the_axis_is_found(shape, spacing, named, axis) -> None:
    assert find_slice_axis(shape, spacing, named) == axis


def test_a_slice_has_no_such_axis() -> None:
    with pytest.raises(ValueError, match="three entries"):
        find_slice_axis((24, 20), (1.0, 1.0))
