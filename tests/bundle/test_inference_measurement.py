# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What inference assumes about the measurement: native grid, estimate, decline, and the record beside the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow

from monai_srgan.networks import SRResNet
from monai_srgan.phantoms import draw_phantom_slice
from monai_srgan.physics import BicubicUpsample, KSpaceDownsample, Measurement, fourier_resize

CONFIG = Path(__file__).parents[2] / "bundle" / "configs" / "inference.json"
AFFINE = np.diag([-0.9, -0.9, 5.0, 1.0])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    torch.nn.init.normal_(network.tail.weight, std=0.02)
    torch.nn.init.normal_(network.film.out.weight, std=0.1)
    path = tmp_path_factory.mktemp("weights") / "small.pt"
    torch.save(network.state_dict(), path)
    return str(path)


@pytest.fixture(scope="module")
def slice_() -> np.ndarray:
    """A slice of 64 x 64 pixels with content up to Nyquist, in scanner units."""
    hr = torch.from_numpy(np.asarray(draw_phantom_slice(1, image_size=256).image, dtype=np.float32))
    return KSpaceDownsample(4)(hr[None, None])[0, 0].numpy()


def infer(source: Path, out: Path, weights: str, **overrides: Any) -> tuple[nib.Nifti1Image, dict[str, Any]]:
    small = {"network_def#num_blocks": 1, "network_def#channels": 8, "device": "$torch.device('cpu')"}
    options = {"dataset_dir": str(source), "output_dir": str(out), "ckpt_path": weights, **small, **overrides}
    workflow = ConfigWorkflow(config_file=str(CONFIG), workflow_type="infer", logging_file=False, **options)
    workflow.initialize()
    workflow.run()
    (result,) = out.glob("*_sr.nii.gz")
    return nib.load(result), json.loads((out / "scan_sr.json").read_text())


def save(array: np.ndarray, folder: Path) -> Path:
    nib.save(nib.Nifti1Image(array.astype(np.float32), AFFINE), folder / "scan.nii")
    return folder / "scan.nii"


def test_the_record_beside_the_result_says_what_was_estimated(tmp_path, weights, slice_, caplog):
    caplog.set_level("INFO")
    _, record = infer(save(slice_, tmp_path), tmp_path / "out", weights, native="off")
    assert record["source"] == "scan.nii"
    assert record["basis"] == "estimated"
    assert Measurement.from_dict(record["measurement"]).scale == 4
    assert len(record["condition"]) in (0, 36)
    assert "native_grid" not in record
    lines = [line for line in caplog.messages if "measurement estimated" in line or "network is not used" in line]
    assert len(lines) == 1  # the checks before the run do not estimate


def test_a_record_that_is_told_is_used_and_can_be_used_again(tmp_path, weights, slice_):
    source = save(slice_, tmp_path)
    told = {"kernel": "kspace", "noise_std": 0.01}
    first, record = infer(source, tmp_path / "a", weights, measurement=told, native="off")
    assert (record["basis"], record["declined"]) == ("told", None)
    assert Measurement.from_dict(record["measurement"]) == Measurement(KSpaceDownsample(4), 0.01)
    beside = str(tmp_path / "a" / "scan_sr.json")
    again, _ = infer(source, tmp_path / "b", weights, measurement=beside, native="off")
    np.testing.assert_array_equal(again.get_fdata(), first.get_fdata())
    other, _ = infer(source, tmp_path / "c", weights, measurement={"kernel": "gaussian"}, native="off")
    assert np.abs(other.get_fdata() - first.get_fdata()).max() > 1


def test_an_image_that_tells_too_little_is_interpolated(tmp_path, weights, slice_, caplog):
    small = slice_[20:40, 10:40]
    result, record = infer(save(small, tmp_path), tmp_path / "out", weights)
    assert "at least 64 pixels along both axes, got (20, 30)" in record["declined"]
    assert record["measurement"] is None
    assert "the network is not used" in caplog.text
    expected = BicubicUpsample(4)(torch.from_numpy(small)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(result.get_fdata(), expected, rtol=1e-5, atol=0.01)


def test_noise_alone_is_interpolated(tmp_path, weights):
    noise = np.hypot(*np.random.RandomState(0).randn(2, 96, 80))
    result, record = infer(save(noise, tmp_path), tmp_path / "out", weights)
    assert record["declined"]
    expected = BicubicUpsample(4)(torch.from_numpy(noise)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(result.get_fdata(), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("grid", ["input", "native"])
def test_what_the_scanner_interpolated_is_enlarged_from_what_it_acquired(tmp_path, weights, slice_, grid):
    interpolated = fourier_resize(torch.from_numpy(slice_)[None], (160, 160))[0].numpy()
    told = {"kernel": "kspace"}
    result, record = infer(save(interpolated, tmp_path), tmp_path / "out", weights, measurement=told, grid=grid)
    native = record["native_grid"]
    assert native["changed"]
    assert "interpolated by the scanner" in native["reason"]
    assert 64 <= native["size"][0] <= 72
    size = 4 * 160 if grid == "input" else 4 * native["size"][0]
    assert result.shape == (size, size)
    # the field of view stays: its two corners, at the edges of pixels
    for index, edge in ((-0.5, -0.5), (size - 0.5, 159.5)):
        found = result.affine @ [index, index, 0, 1]
        np.testing.assert_allclose(found, AFFINE @ [edge, edge, 0, 1], atol=1e-4)


def test_every_pixel_counts_as_measured_if_the_user_says_so(tmp_path, weights, slice_):
    interpolated = fourier_resize(torch.from_numpy(slice_)[None], (160, 160))[0].numpy()
    told = {"kernel": "kspace"}
    result, record = infer(save(interpolated, tmp_path), tmp_path / "out", weights, measurement=told, native="off")
    assert result.shape == (640, 640)
    assert "native_grid" not in record


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"measurement": {"kernel": "gaussian", "sigma": -1.0}}, "sigma must be a finite number >= 0, got -1.0"),
        ({"measurement": {"kernel": "bicubic", "scale": 2}}, "measurement has scale 2"),
        ({"measurement": "nowhere.json"}, "nowhere.json is not a file"),
        ({"native": "yes"}, "native must be one of auto, off, got 'yes'"),
        ({"grid": "fine"}, "grid must be one of input, native, got 'fine'"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(tmp_path, weights, slice_, overrides, message):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - MONAI wraps the error
        infer(save(slice_, tmp_path), tmp_path / "out", weights, **overrides)
    error, texts = caught.value, []
    while error is not None:
        texts.append(str(error))
        error = error.__cause__
    assert any(message in text for text in texts)
    assert not (tmp_path / "out").exists()
