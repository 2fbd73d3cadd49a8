# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Trust maps of inference.json: half-widths by each image's record, and no file where there are none."""

from __future__ import annotations

import itertools
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
AFFINE = np.array([[0.2, -2.0, 0.3, 10.0], [1.5, 0.1, 0.0, -20.0], [0.0, 0.1, 6.0, 30.0], [0.0, 0.0, 0.0, 1.0]])
NOISY = {**DEFAULT, "noise_std": 0.02}


def small_network() -> SRResNet:
    torch.manual_seed(0)
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    torch.nn.init.normal_(network.tail.weight, std=0.02)
    return network.eval()


@pytest.fixture
def setting(tmp_path: Path) -> dict[str, Any]:
    torch.save(small_network().state_dict(), tmp_path / "model.pt")
    image = np.random.default_rng(0).random((20, 16)).astype(np.float32) * 300
    nib.save(nib.Nifti1Image(image, AFFINE), tmp_path / "scan.nii")
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
    sr, spread, width = (nib.load(setting["output_dir"] / f"scan_sr{name}") for name in (names[1], names[3], names[2]))
    np.testing.assert_allclose(width.get_fdata(), 1.5 * 0.02 * white, rtol=1e-4)
    for image in (spread, width):
        np.testing.assert_allclose(image.affine, sr.affine)
    told = json.loads((setting["output_dir"] / "scan_sr.json").read_text())["intervals"]
    assert told == {"level": 0.9, "noise": [0.0, 0.01], "bandwidth": [0.5, 1.0], "patients": 2, "coverage": {}}


def test_mean_and_spread_are_those_of_eight_flips_and_rotations(setting: dict[str, Any]) -> None:
    infer(setting, measurement=DEFAULT, consistency=False, intervals="$None")
    array = nib.load(setting["dataset_dir"]).get_fdata().astype(np.float32)
    white, network, turned = np.percentile(array, 99.9), small_network(), []
    for swap, *flips in itertools.product((False, True), repeat=3):
        axes = [axis for axis in (0, 1) if flips[axis]]
        x = torch.from_numpy(np.flip(array.T if swap else array, axes).copy() / np.float32(white))
        with torch.no_grad():
            y = np.flip(network(x[None, None], torch.zeros(1, 36))[0, 0].numpy(), axes)
        turned.append(white * (y.T if swap else y))
    sr, spread = (nib.load(setting["output_dir"] / f"scan_sr{name}.nii.gz").get_fdata() for name in ("", "_spread"))
    np.testing.assert_allclose(sr, np.mean(turned, axis=0), rtol=1e-4, atol=0.02)
    np.testing.assert_allclose(spread, np.std(turned, axis=0), rtol=1e-3, atol=0.02)


def test_maps_of_a_result_that_is_replaced_do_not_stay_and_none_is_overwritten_by_itself(
    setting: dict[str, Any],
) -> None:
    assert len(infer(setting, measurement=DEFAULT)) == 4
    without = {"trust": False, "intervals": "@default_intervals", "measurement": DEFAULT}
    (setting["output_dir"] / "scan_sr.nii.gz").unlink()
    with pytest.raises(RuntimeError) as caught:
        infer(setting, **without)
    assert "scan_sr_spread.nii.gz (and 1 more) exists" in str(caught.value.__cause__)
    assert infer(setting, **without, overwrite=True) == [".json", ".nii.gz"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"trust": False}, "intervals needs trust: set trust=True"),
        ({"consistency": False}, "calibrated for results with the projection"),
    ],
)
def test_intervals_that_cannot_be_used_stop_the_run(setting: dict[str, Any], overrides: Any, message: str) -> None:
    with pytest.raises((RuntimeError, ValueError)) as caught:
        infer(setting, measurement=DEFAULT, **overrides)
    error: BaseException = caught.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert message in str(error)
    assert not setting["output_dir"].exists() or not any(setting["output_dir"].iterdir())


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
