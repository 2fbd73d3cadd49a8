# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training pairs with a condition."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.physics import BicubicDownsample, GaussianDownsample, Measurement, RandomMeasurements
from monai_srgan.transforms import RandMeasurementd, RandRegionCropd


def slice_(size=(64, 48), seed=0):
    return MetaTensor(torch.rand(1, *size, generator=torch.Generator().manual_seed(seed)))


def pairs(count=30, **arguments):
    transform = RandMeasurementd(**arguments).set_random_state(0)
    found = []
    for _ in range(count):
        item = transform({"image": slice_()})
        found.append((item, transform.measurement))
    return found


def test_the_lr_image_is_what_the_drawn_record_measures():
    for item, measurement in pairs(measurements=RandomMeasurements(noise_prob=0.0)):
        expected = measurement.operator(slice_()[None])[0]
        torch.testing.assert_close(item["image"].as_tensor(), expected.as_subclass(torch.Tensor), rtol=0, atol=1e-6)
        assert torch.equal(item["label"], slice_())
        assert torch.equal(item["condition"], measurement.condition())


def test_noise_follows_the_record_and_the_seed():
    source = RandomMeasurements(weights={"bicubic": 1}, noise_std=(0.04, 0.04), noise_prob=1.0)
    (first, _), (again, _) = (pairs(1, measurements=source)[0] for _ in range(2))
    assert torch.equal(first["image"], again["image"])
    assert float(first["condition"][32]) == pytest.approx((0.04 / 0.05) ** 0.5)
    difference = first["image"].as_tensor() - BicubicDownsample(4)(slice_()[None].as_tensor())[0]
    assert float(difference.std()) == pytest.approx(0.04, rel=0.15)


def test_prob_is_the_share_of_drawn_records_and_the_rest_is_plain():
    plain = Measurement(BicubicDownsample(4), 0.0)
    drawn = RandomMeasurements(weights={"gaussian": 1})
    found = [measurement for _, measurement in pairs(200, measurements=drawn, prob=0.3, plain=plain)]
    assert np.mean([m != plain for m in found]) == pytest.approx(0.3, abs=0.08)
    (_, default), *_ = pairs(1, prob=0.0)
    assert default == Measurement(GaussianDownsample(4))


def test_the_condition_may_be_an_estimate_of_the_lr_image():
    seen = []

    def estimate(lr):
        seen.append(lr.shape)
        return torch.full((36,), 7.0)

    found = [float(item["condition"][0]) == 7 for item, _ in pairs(100, estimate=estimate, estimate_prob=0.5)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.12)
    assert seen[0] == (1, 16, 12)
    assert len(seen) == sum(found)


def test_the_pair_is_cropped_to_one_field_of_view():
    yy, xx = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing="ij")
    ramp = MetaTensor((yy + 100 * xx)[None])
    measured = RandMeasurementd(prob=0.0)({"image": ramp})
    crop = RandRegionCropd(
        ["label"], mask_key=None, roi_size=(16, 24), coarse_keys=["image"], coarse_scale=4
    ).set_random_state(3)
    for _ in range(5):
        item = crop(measured)
        assert item["label"].shape == (1, 16, 24)
        assert item["image"].shape == (1, 4, 6)
        centers = item["label"].as_tensor().unfold(1, 4, 4).unfold(2, 4, 4).mean((-1, -2))
        inner = item["image"].as_tensor()
        if 8 <= float(centers[0, 0, 0]) % 100 <= 40:  # away from the border, where the blur reflects
            torch.testing.assert_close(inner[:, 1:-1, 1:-1], centers[:, 1:-1, 1:-1], rtol=0, atol=60)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prob": 1.5}, "prob must lie in [0, 1], got 1.5"),
        ({"estimate_prob": 0.5}, "estimate and estimate_prob=0.5 need each other"),
        ({"estimate": lambda lr: lr}, "estimate and estimate_prob=0.0 need each other"),
        ({"keys": ["image", "other"]}, "keys must be one key"),
        ({"plain": Measurement(BicubicDownsample(2))}, "plain must have the scale of measurements, 4, got 2"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RandMeasurementd(**arguments)


def test_coarse_images_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="roi_size must be divisible by coarse_scale=4"):
        RandRegionCropd(["label"], mask_key=None, roi_size=18, coarse_keys=["image"])
    crop = RandRegionCropd(["label"], mask_key=None, roi_size=16, coarse_keys=["image"])
    with pytest.raises(ValueError, match="'image' must be 4 times coarser"):
        crop({"label": slice_(), "image": slice_((3, 3))})
