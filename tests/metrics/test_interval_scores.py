# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Coverage and width of intervals."""

from __future__ import annotations

import pytest
import torch

from monai_srgan.metrics import interval_scores


def test_coverage_and_width_are_counted_by_region():
    mean = torch.zeros(2, 1, 2, 3)
    target = torch.tensor([[0.0, 1.0, 2.0], [-1.0, 3.0, 0.5]]).expand(2, 1, 2, 3)
    half = torch.stack([torch.full((1, 2, 3), 1.0), torch.full((1, 2, 3), 0.25)])
    left = torch.tensor([[True, True, False], [True, False, False]]).expand(2, 1, 2, 3)
    found = interval_scores(mean, half, target, {"left": left, "none": torch.zeros_like(left)})
    assert found["left", "coverage"].tolist() == pytest.approx([1.0, 1 / 3])  # an error as large as half is covered
    assert found["left", "interval_width"].tolist() == [2.0, 0.5]
    assert found["none", "coverage"].isnan().all()
    assert found["left", "coverage"].dtype == torch.float64


def test_an_image_without_intervals_is_not_measured_and_the_others_are():
    mean, target = torch.zeros(3, 1, 2, 2), torch.ones(3, 1, 2, 2)
    half = torch.ones(3, 1, 2, 2)
    half[1] = torch.nan
    found = interval_scores(mean, half, target, {"whole": torch.ones(3, 1, 2, 2, dtype=torch.bool)})
    assert found["whole", "coverage"][[0, 2]].tolist() == [1.0, 1.0]
    assert found["whole", "interval_width"][[0, 2]].tolist() == [2.0, 2.0]
    assert found["whole", "coverage"][1].isnan()
    assert found["whole", "interval_width"][1].isnan()


@pytest.mark.parametrize(
    ("half", "message"),
    [
        (torch.full((1, 1, 2, 2), -1.0), "half_width must be 0 or more, got -1"),
        (torch.tensor([[[[1.0, float("nan")], [1.0, 1.0]]]]), "half_width has NaN"),
        (torch.ones(1, 1, 2, 3), "half_width must have the shape of mean"),
    ],
)
def test_widths_that_cannot_be_are_refused(half: torch.Tensor, message: str):
    image = torch.zeros(1, 1, 2, 2)
    with pytest.raises(ValueError, match=message):
        interval_scores(image, half, image, {})
