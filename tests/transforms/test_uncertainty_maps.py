# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Trust maps taken apart, with their geometry and units."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.physics import GaussianDownsample, Measurement
from monai_srgan.transforms import (
    ASSUMED_MEASUREMENT,
    NoteIntervalsD,
    NoteIntervalsd,
    NoteIntervalsDict,
    RestoreIntensityd,
    SaveSRd,
    SplitTrustMaps,
    SplitTrustMapsD,
    SplitTrustMapsd,
    SplitTrustMapsDict,
    SRGeometryd,
)
from monai_srgan.uncertainty import IntervalTable, QuantileTable


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, MetaTensor])
@pytest.mark.parametrize("shape", [(3, 8, 6), (3, 8, 6, 2)])
def test_the_images_are_the_channels_and_of_the_input_s_kind(kind, shape):
    maps = kind(np.random.default_rng(0).random(shape))
    parts = SplitTrustMaps()(maps)
    assert len(parts) == 3
    for i, part in enumerate(parts):
        assert type(part) is type(maps)
        assert part.shape == (1, *shape[1:])
        np.testing.assert_array_equal(np.asarray(part)[0], np.asarray(maps)[i])
    parts[0][:] = 7
    assert np.asarray(maps).max() < 1


def test_an_image_of_several_channels_keeps_them():
    maps = torch.arange(4.0).reshape(4, 1, 1)
    mean, spread = SplitTrustMaps(channels=2)(maps)
    assert mean.flatten().tolist() == [0, 1]
    assert spread.flatten().tolist() == [2, 3]


def test_meta_data_are_copied_to_each():
    maps = MetaTensor(
        torch.rand(2, 4, 4), affine=torch.diag(torch.tensor([2.0, 3, 1, 1])), meta={"filename_or_obj": "a"}
    )
    mean, spread = SplitTrustMaps()(maps)
    mean.affine[0, 0] = 9
    assert spread.affine[0, 0] == maps.affine[0, 0] == 2
    assert spread.meta["filename_or_obj"] == "a"


def test_a_dictionary_gets_a_key_for_each_and_loses_an_old_half_width():
    data = {"pred": torch.rand(3, 4, 4), "other": 1}
    split = SplitTrustMapsd()
    d = split(data)
    assert list(d) == ["pred", "other", "spread", "half_width"]
    assert torch.equal(d["half_width"], data["pred"][2:])
    assert data["pred"].shape[0] == 3
    again = split({**d, "pred": torch.rand(2, 4, 4)})
    assert "half_width" not in again
    assert SplitTrustMapsd(allow_missing_keys=True)({"other": 1}) == {"other": 1}
    assert SplitTrustMapsD is SplitTrustMapsDict is SplitTrustMapsd


def test_a_half_width_that_is_unknown_is_no_image():
    maps = torch.rand(3, 4, 4)
    maps[2] = torch.nan
    assert len(SplitTrustMaps()(maps)) == 2
    assert list(SplitTrustMapsd()({"pred": MetaTensor(maps), "half_width": 1})) == ["pred", "spread"]
    maps[2, 0, 0] = 0.1
    assert len(SplitTrustMaps()(maps)) == 3


TABLE = QuantileTable((np.zeros(1), np.zeros(1)), np.ones((2, 2)))
DEFAULT = Measurement(GaussianDownsample(4))


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_record_tells_whether_there_are_intervals_and_the_log_why_not(tmp_path: Path, caplog, noise: float):
    record = AssumedMeasurement.told(replace(DEFAULT, noise_std=noise))
    image = MetaTensor(torch.rand(1, 8, 8), meta={"filename_or_obj": "a.nii", ASSUMED_MEASUREMENT: record.to_json()})
    intervals = IntervalTable(0.9, 1.0, TABLE, measurement=DEFAULT)
    d = NoteIntervalsd("image", intervals)({"image": image})
    assert torch.equal(d["image"].as_tensor(), image.as_tensor())
    assert AssumedMeasurement.from_json(d["image"].meta[ASSUMED_MEASUREMENT]).measurement == record.measurement
    assert "intervals" not in json.loads(image.meta[ASSUMED_MEASUREMENT])
    SaveSRd("image", tmp_path)(d)
    told = json.loads((tmp_path / "a_sr.json").read_text())["intervals"]
    assert told == intervals.describe(record)
    assert ("none" in told) == ("a.nii: no half-widths: the intervals were calibrated" in caplog.text) == (noise > 0)
    assert NoteIntervalsd("image", None)({"image": image})["image"] is image
    with pytest.raises(ValueError, match=r"a\.nii: must have a record of its measurement: add AssumeMeasurementd"):
        NoteIntervalsd("image", intervals)({"image": MetaTensor(image.as_tensor(), meta={"filename_or_obj": "a.nii"})})
    assert NoteIntervalsD is NoteIntervalsDict is NoteIntervalsd


def test_each_is_written_in_scanner_units_on_the_finer_grid(tmp_path: Path):
    lr = MetaTensor(
        torch.rand(1, 5, 4),
        affine=torch.diag(torch.tensor([2.0, 2, 1, 1])),
        meta={"filename_or_obj": str(tmp_path / "a.nii"), "intensity_scale": 250.0},
    )
    maps = torch.rand(3, 20, 16)
    names = ["pred", "spread", "half_width"]
    d = SplitTrustMapsd()({"image": lr, "pred": maps})
    d = RestoreIntensityd(names)(SRGeometryd(names)(d))
    for i, name in enumerate(names):
        SaveSRd(name, tmp_path, output_postfix=name)(d)
        image = nib.load(tmp_path / f"a_{name}.nii.gz")
        np.testing.assert_allclose(image.get_fdata(), 250 * maps[i].numpy(), rtol=1e-6)
        np.testing.assert_allclose(image.affine.diagonal(), [0.5, 0.5, 1, 1])
    lower = (d["pred"] - d["half_width"]).as_tensor()
    torch.testing.assert_close(lower[0], 250 * (maps[0] - maps[2]), rtol=0, atol=1e-4)


def test_what_are_no_trust_maps_is_refused():
    with pytest.raises(ValueError, match=r"must have 2 channels .* or 3 .*, got 1 of shape \(1, 4, 4\)"):
        SplitTrustMaps()(torch.zeros(1, 4, 4))
    with pytest.raises(ValueError, match="must have 4 channels"):
        SplitTrustMaps(2)(torch.zeros(5, 4, 4))
    with pytest.raises(ValueError, match="channels must be the number"):
        SplitTrustMaps(0)
    with pytest.raises(ValueError, match="three different single keys"):
        SplitTrustMapsd("pred", spread_key="pred")
    with pytest.raises(ValueError, match="three different single keys"):
        SplitTrustMapsd(["pred", "b"])
