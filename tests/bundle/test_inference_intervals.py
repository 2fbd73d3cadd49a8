# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Half-widths of inference.json: by each image's record, and no file where there are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from workflows import SMALL_NETWORK, small_workflow

from monai_srgan.networks import SRResNet
from monai_srgan.uncertainty import Calibration, CellIntervals, MeasuredIntervals, MeasurementCell, QuantileTable

DEFAULT = {"kernel": "gaussian", "sigma": 1.5}
NOISY = {**DEFAULT, "noise_std": 0.02}


@pytest.fixture
def setting(tmp_path: Path) -> dict[str, Any]:
    torch.manual_seed(0)
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    torch.save(network.state_dict(), tmp_path / "model.pt")
    image = np.random.default_rng(0).random((20, 16)).astype(np.float32) * 300
    nib.save(nib.Nifti1Image(image, np.eye(4)), tmp_path / "scan.nii")
    flat = QuantileTable((np.zeros(1), np.zeros(1)), np.full((2, 2), 0.02))
    cell = CellIntervals(MeasurementCell((0.0, 0.01), (0.5, 1.0)), flat, Calibration(1.5, 2, 2, 0.2, 0, {}, None))
    MeasuredIntervals(0.9, (cell,), consistent=True).save(tmp_path / "intervals.json")
    return {
        "dataset_dir": tmp_path / "scan.nii",
        "output_dir": tmp_path / "out",
        "ckpt_path": tmp_path / "model.pt",
        "intervals": tmp_path / "intervals.json",
        "trust": True,
        **SMALL_NETWORK,
    }


def infer(setting: dict[str, Any], **overrides: Any) -> list[str]:
    small_workflow("inference", **{**setting, **overrides}).run()
    return sorted(path.name.removeprefix("scan_sr") for path in setting["output_dir"].iterdir())


def test_the_half_width_is_that_of_the_record_s_cell(setting: dict[str, Any]) -> None:
    names = infer(setting, measurement=DEFAULT)
    assert names == [".json", ".nii.gz", "_halfwidth.nii.gz", "_spread.nii.gz"]
    white = np.percentile(nib.load(setting["dataset_dir"]).get_fdata(), 99.9)
    width = nib.load(setting["output_dir"] / "scan_sr_halfwidth.nii.gz").get_fdata()
    np.testing.assert_allclose(width, 1.5 * 0.02 * white, rtol=1e-4)
    told = json.loads((setting["output_dir"] / "scan_sr.json").read_text())["intervals"]
    assert told == {"level": 0.9, "noise": [0.0, 0.01], "bandwidth": [0.5, 1.0], "patients": 2, "coverage": {}}


def test_where_nothing_was_calibrated_no_half_width_is_written_and_an_old_one_goes(
    setting: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert "_halfwidth.nii.gz" in infer(setting, measurement=DEFAULT)
    assert infer(setting, measurement=NOISY, overwrite=True) == [".json", ".nii.gz", "_spread.nii.gz"]
    reason = "no intervals were calibrated for noise of 2.0 %"
    assert reason in json.loads((setting["output_dir"] / "scan_sr.json").read_text())["intervals"]["none"]
    assert f"scan.nii: no half-widths: {reason}" in caplog.text
    assert "_halfwidth.nii.gz" in infer(setting, measurement=DEFAULT, overwrite=True)


def test_an_image_whose_record_is_declined_has_none(setting: dict[str, Any]) -> None:
    # too small for an estimate
    assert infer(setting) == [".json", ".nii.gz", "_spread.nii.gz"]
    told = json.loads((setting["output_dir"] / "scan_sr.json").read_text())
    assert told["intervals"]["none"] == f"the network is not used: {told['declined']}"
