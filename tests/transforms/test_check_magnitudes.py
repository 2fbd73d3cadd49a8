# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Results with negative magnitudes are replaced by interpolation, and their records say so."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.physics import BicubicUpsample, GaussianDownsample, Measurement
from monai_srgan.transforms import CheckMagnitudesD, CheckMagnitudesd, CheckMagnitudesDict

RECORD = Measurement(GaussianDownsample(4))


def item(shape: tuple[int, ...], offset: float, basis: str = "estimated") -> dict[str, MetaTensor]:
    """An image, its interpolation plus an offset as the result, and maps of a self-ensemble."""
    record = {**AssumedMeasurement.told(RECORD, basis).to_dict(), "intervals": {"level": 0.9}}
    meta = {"filename_or_obj": "scan.nii.gz", "assumed_measurement": json.dumps(record)}
    image = torch.zeros(1, *shape)
    image[:, 2:6, 2:6] = torch.rand(1, 4, 4, *shape[2:], generator=torch.Generator().manual_seed(0))
    result = enlarged(image) + offset
    pixels = {"image": image, "pred": result, "spread": torch.ones_like(result), "half_width": torch.ones_like(result)}
    return {key: MetaTensor(value, meta=dict(meta)) for key, value in pixels.items()}


def enlarged(image: torch.Tensor) -> torch.Tensor:
    """Each slice by bicubic interpolation."""
    slices = image[..., None] if image.ndim == 3 else image
    found = torch.stack([BicubicUpsample(4)(slices[None, ..., i])[0] for i in range(slices.shape[-1])], dim=-1)
    return found[..., 0] if image.ndim == 3 else found


@pytest.mark.parametrize("shape", [(8, 10), (8, 10, 3)], ids=["slice", "volume"])
def test_a_result_with_negative_magnitudes_is_replaced(
    shape: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    data = item(shape, -0.1)
    kept = {key: value.clone() for key, value in data.items()}
    found = CheckMagnitudesd()(data)
    torch.testing.assert_close(found["pred"].as_tensor(), enlarged(data["image"].as_tensor()))
    assert not found["spread"].any()
    assert "half_width" not in found
    for key in ("image", "pred", "spread"):
        record = json.loads(found[key].meta["assumed_measurement"])
        assert "negative magnitudes" in record["declined"]
        assert record["intervals"]["none"] == f"the network is not used: {record['declined']}"
        assert record["measurement"] == RECORD.to_dict()
    assert "scan.nii.gz: the result of the network is not used" in caplog.text
    for key, value in kept.items():
        assert torch.equal(data[key], value)
        assert json.loads(data[key].meta["assumed_measurement"])["declined"] is None


@pytest.mark.parametrize("offset", [0.1, 0.0])
def test_a_result_that_is_believed_stays(offset: float) -> None:
    data = item((8, 10), offset)
    data["pred"] = MetaTensor(data["pred"].as_tensor().clamp_min(0), meta=data["pred"].meta)
    found = CheckMagnitudesd()(data)
    assert found.keys() == data.keys()
    assert all(found[key] is data[key] for key in data)


def test_a_measurement_that_was_told_is_doubted_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    data = item((8, 10), -0.1, basis="told")
    with caplog.at_level(logging.WARNING, logger="monai_srgan"):
        found = CheckMagnitudesd()(data)
    assert found["pred"] is data["pred"]
    assert "scan.nii.gz: check the measurement that was told: the result has negative magnitudes" in caplog.text


def test_without_a_record_nothing_is_checked() -> None:
    data = {"image": torch.rand(1, 8, 8), "pred": -torch.rand(1, 32, 32)}
    assert CheckMagnitudesd()(data)["pred"] is data["pred"]
    assert CheckMagnitudesd(allow_missing_keys=True)({"other": 1}) == {"other": 1}
    assert CheckMagnitudesD is CheckMagnitudesDict is CheckMagnitudesd
