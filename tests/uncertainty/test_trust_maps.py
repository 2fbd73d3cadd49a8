# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The channel layout of trust maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_srgan.uncertainty import TrustMaps


@pytest.mark.parametrize("channels", [1, 2])
def test_split_is_the_inverse_of_joined(channels: int) -> None:
    maps = torch.rand(2, 3 * channels, 4, 5)
    found = TrustMaps.split(maps, channels)
    assert [tuple(image.shape) for image in found.images] == [(2, channels, 4, 5)] * 3
    torch.testing.assert_close(found.mean, maps[:, :channels], rtol=0, atol=0)
    torch.testing.assert_close(found.joined(), maps, rtol=0, atol=0)


def test_without_intervals_there_is_no_half_width() -> None:
    found = TrustMaps.split(torch.rand(1, 2, 4, 5), 1)
    assert found.half_width is None
    assert len(found.images) == 2
    assert found.joined().shape == (1, 2, 4, 5)


def test_the_channels_of_a_single_item_come_first() -> None:
    maps = np.arange(24.0).reshape(3, 4, 2)
    found = TrustMaps.split(maps, 1, dim=0)
    assert found.half_width is not None
    np.testing.assert_array_equal(found.half_width, maps[2:])


@pytest.mark.parametrize(("count", "channels"), [(1, 1), (4, 1), (5, 2)])
def test_another_number_of_channels_is_refused(count: int, channels: int) -> None:
    with pytest.raises(ValueError, match=rf"must have {2 * channels} channels .* on axis 1, got {count} of shape"):
        TrustMaps.split(torch.rand(1, count, 4, 4), channels)
