# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Measuring an image as its record says."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.physics import BicubicDownsample, GaussianDownsample, InsideSettings, Measurement
from monai_srgan.transforms import (
    ASSUMED_MEASUREMENT,
    ApplyMeasurementD,
    ApplyMeasurementd,
    ApplyMeasurementDict,
)


def item(measurement: Measurement, seed: int = 0) -> dict[str, Any]:
    image = torch.rand(1, 24, 40, generator=torch.Generator().manual_seed(seed))
    return {"image": MetaTensor(image, meta={"filename_or_obj": "a"}), "measurement": json.dumps(measurement.to_dict())}


def test_the_lr_image_is_what_the_record_s_operator_gives() -> None:
    given = item(Measurement(BicubicDownsample(4)))
    d = ApplyMeasurementd()(given)
    torch.testing.assert_close(d["image"].as_tensor(), BicubicDownsample(4)(given["image"].as_tensor()[None])[0])
    assert torch.equal(d["label"], given["image"])
    assert "label" not in given
    assert d["image"].affine.diagonal().tolist() == [4, 4, 1, 1]
    assert ASSUMED_MEASUREMENT not in d["image"].meta
    assert ApplyMeasurementD is ApplyMeasurementDict is ApplyMeasurementd


def test_the_noise_is_that_of_the_record_and_the_same_every_time() -> None:
    clean = ApplyMeasurementd()(item(Measurement(GaussianDownsample(4))))["image"].as_tensor()
    noisy = item(Measurement(GaussianDownsample(4), 0.03))
    first, again = (ApplyMeasurementd()(noisy)["image"].as_tensor() for _ in range(2))
    assert torch.equal(first, again)
    assert float((first - clean).std()) == pytest.approx(0.03, rel=0.25)
    stronger = ApplyMeasurementd()(item(Measurement(GaussianDownsample(4), 0.06)))["image"].as_tensor()
    correlation = torch.corrcoef(torch.stack([(first - clean).flatten(), (stronger - clean).flatten()]))[0, 1]
    assert correlation.abs() < 0.5  # another record, another noise


def test_a_record_that_is_told_goes_along() -> None:
    measurement = Measurement(GaussianDownsample(4, 1.1), 0.01)
    meta = ApplyMeasurementd(told=True)(item(measurement))["image"].meta
    found = AssumedMeasurement.from_json(meta[ASSUMED_MEASUREMENT])
    assert (found.measurement, found.basis, meta["filename_or_obj"]) == (measurement, "told", "a")


def test_several_keys_and_records_of_the_tumor_are_refused() -> None:
    with pytest.raises(ValueError, match="keys must be one key"):
        ApplyMeasurementd(["image", "other"])
    with pytest.raises(ValueError, match=r"measurement must not depend on the tumor, got 4x, .*sigma 3 inside"):
        ApplyMeasurementd()(item(Measurement(GaussianDownsample(4), inside=InsideSettings(3.0))))
    assert ApplyMeasurementd(allow_missing_keys=True)({"other": 1}) == {"other": 1}
