# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The second look: what a result says about the measurement that was assumed."""

from __future__ import annotations

import pytest
import torch

from monai_srgan.estimation import AssumedMeasurement, negative_excess, negative_limit, overdone, review_result
from monai_srgan.physics import GaussianDownsample, Measurement

RECORD = Measurement(GaussianDownsample(4), 0.01)


def image_with(negative: float) -> torch.Tensor:
    """An image, a quarter of which is `negative` below 0."""
    image = torch.full((1, 8, 8), 0.5)
    image[:, :4, :4] = -negative
    return image


def test_the_excess_is_the_mean_negative_part_beyond_that_of_the_image():
    assert negative_excess(image_with(0.01), image_with(0.04)) == pytest.approx((0.04 - 0.01) / 4)
    assert negative_excess(image_with(0.04), image_with(-0.3)) == pytest.approx(-0.01)


def test_noise_raises_the_limit():
    assert negative_limit(0.0) == pytest.approx(7e-4)
    assert negative_limit(0.02) == pytest.approx(2.7e-3)
    clean = image_with(-0.2)
    assert overdone(clean, image_with(4 * 0.0026), 0.02) is None
    assert "0.28 % of white in the mean and not at most 0.27 %" in str(overdone(clean, image_with(4 * 0.0028), 0.02))


def test_a_result_declines_an_estimate_alone():
    clean, bad = image_with(-0.2), image_with(0.1)
    estimated = AssumedMeasurement.told(RECORD, "estimated")
    assert review_result(estimated, clean, image_with(0.001)).declined is None
    assert "negative magnitudes" in str(review_result(estimated, clean, bad).declined)
    told, unknown = AssumedMeasurement.told(RECORD), AssumedMeasurement.unknown("too small")
    assert review_result(told, clean, bad) is told
    assert review_result(unknown, clean, bad) is unknown
