# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan inspect`` tells how much of k-space an image fills, draws it, and asks the DICOM tags."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_files import write_slice
from k_space import head, scan
from PIL import Image

from monai_srgan.cli import main
from monai_srgan.cli.spectrum_picture import draw_panels, profile_panel, spectrum_panel
from monai_srgan.physics import estimate_support, native_size


@pytest.fixture(scope="module")
def interpolated() -> np.ndarray:
    """``(160, 160)``, acquired with 84 samples along x and 110 along y."""
    return np.rint(scan(head((160, 160), 1), (84, 110), noise=0.01)).astype(np.uint16)


def save(path: Path, values: np.ndarray) -> Path:
    nib.save(nib.Nifti1Image(values, np.diag([0.5, 0.5, 2.0, 1.0])), path)
    return path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {line[:13].strip(): line[13:].strip() for line in capsys.readouterr().out.splitlines()}


def test_an_interpolated_image_is_told_with_its_native_grid(tmp_path: Path, interpolated, capsys) -> None:
    path = save(tmp_path / "a.nii.gz", interpolated)
    assert main(["inspect", str(path)]) == 0
    lines = told(capsys)
    estimate = estimate_support(interpolated)
    assert lines["k-space"] == estimate.summary
    assert "160 x 160 pixels, but k-space is filled only to" in lines["k-space"]
    size = native_size(estimate)
    assert size[0] == size[1]
    assert 110 <= size[0] <= 116
    assert lines["native grid"].startswith(f"{size[0]} x {size[0]} pixels of {80 / size[0]:g} x")
    assert "DICOM" not in lines
    assert main(["inspect", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["native_size"] == list(size)
    assert facts["native_spacing"] == pytest.approx([80 / size[0]] * 2, abs=1e-6)
    assert facts["support"]["axes"][0]["kind"] == "zero-filled"
    assert facts["support"]["axes"][1]["width"] == pytest.approx(110, rel=0.03)
    assert (facts["acquisition"], facts["acquisition_check"]) == (None, None)


@pytest.mark.parametrize(("matrix", "verdict"), [([0, 110, 84, 0], "agree"), ([0, 160, 160, 0], "contradict")])
def test_dicom_tags_are_compared(tmp_path: Path, interpolated, capsys, matrix, verdict) -> None:
    path = write_slice(tmp_path / "a.dcm", interpolated.T.copy(), AcquisitionMatrix=matrix)
    assert main(["inspect", str(path)]) == 0
    assert {"agree": "DICOM agrees", "contradict": "DICOM contradicts the image"}[verdict] in told(capsys)["DICOM"]
    assert main(["inspect", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["acquisition_check"]["verdict"] == verdict
    assert facts["acquisition"]["matrix"] == [matrix[2], matrix[1]]


def test_images_that_do_not_tell_are_described_all_the_same(tmp_path: Path, capsys) -> None:
    assert main(["inspect", str(save(tmp_path / "small.nii", np.ones((16, 18, 2), np.float32)))]) == 0
    lines = told(capsys)
    assert lines["k-space"] == "16 x 18 pixels; what was acquired is unknown: every slice is constant"
    assert "native grid" not in lines
    bad = save(tmp_path / "bad.nii", np.full((64, 64), np.nan, np.float32))
    assert main(["inspect", str(bad)]) == 0
    assert "k-space" not in told(capsys)
    assert main(["inspect", str(bad), "--picture", str(tmp_path / "bad.png")]) == 1
    assert "NaN or infinite values" in capsys.readouterr().err
    assert not (tmp_path / "bad.png").exists()


def test_the_axes_of_the_file_are_shown_whichever_the_slices_lie_along(tmp_path: Path, capsys) -> None:
    values = np.random.default_rng(0).random((3, 16, 18), np.float32)
    nib.save(nib.Nifti1Image(values, np.diag([6.0, 0.8, 0.8, 1.0])), tmp_path / "a.nii")
    assert main(["inspect", str(tmp_path / "a.nii")]) == 0
    lines = told(capsys)
    assert (lines["size"], lines["spacing"]) == ("3 x 16 x 18 pixels", "6 x 0.8 x 0.8 mm")
    assert (lines["orientation"], lines["enlarged to"]) == ("RAS", "3 x 64 x 72 pixels of 6 x 0.2 x 0.2 mm")


def test_an_image_that_its_file_does_not_place_has_no_known_orientation(tmp_path: Path, capsys) -> None:
    image = nib.Nifti1Image(np.ones((16, 18, 2), np.float32), None)
    image.set_sform(None, 0)
    nib.save(image, tmp_path / "a.nii")
    assert main(["inspect", str(tmp_path / "a.nii")]) == 0
    assert told(capsys)["orientation"] == "unknown"


def test_the_spectrum_is_drawn(tmp_path: Path, interpolated, capsys) -> None:
    path = save(tmp_path / "a.nii", interpolated[..., None].repeat(2, axis=2))
    assert main(["inspect", str(path), "--picture", str(tmp_path / "s.png")]) == 0
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.width > 800
    assert main(["inspect", str(path), "--picture", str(tmp_path / "s.png")]) == 1
    assert "hint: --picture takes the name of a new .png file" in capsys.readouterr().err
    for name, message in {"s.jpg": "picture must be a .png file", "no/s.png": "the folder of picture"}.items():
        assert main(["inspect", str(path), "--picture", str(tmp_path / name)]) == 1
        assert message in capsys.readouterr().err


def test_the_box_shows_the_support_and_y_points_down(interpolated) -> None:
    estimate = estimate_support(interpolated)
    figure = draw_panels([spectrum_panel(interpolated, estimate), profile_panel(interpolated, estimate)], title="t")
    spectrum, profiles = figure.axes[:2]
    (box,) = spectrum.patches
    assert box.get_width() == pytest.approx(estimate.axes[0].width / 160)
    assert box.get_height() == pytest.approx(estimate.axes[1].width / 160)
    assert spectrum.get_ylim()[0] > spectrum.get_ylim()[1]
    left, right, bottom, top = spectrum.images[0].get_extent()
    assert (left, right) == pytest.approx((-0.5 - 0.5 / 160, 0.5 - 0.5 / 160))
    assert bottom > top
    drawn = np.asarray(spectrum.images[0].get_array())  # rows are y
    inside, outside = drawn[80 + 48, 80], drawn[80, 80 + 48]  # 48 of 55 along y, 48 of 42 along x
    assert inside > outside + 10
    assert profiles.get_legend().get_texts()[0].get_text().startswith("x: zero-filled")
    noise = np.random.default_rng(0).random((64, 64))
    assert not draw_panels([spectrum_panel(noise, estimate_support(noise))], title="t").axes[0].patches
