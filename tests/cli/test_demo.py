# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""monai-srgan demo: a synthetic slice, its result with the bundle's weights, and a page that loads nothing."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from monai_srgan.cli import main
from monai_srgan.cli.demo_slice import draw_demo_slice, read_demo_result
from monai_srgan.physics import GaussianDownsample


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("demo") / "out"
    assert main(["demo", str(output), "--device", "cpu"]) == 0
    return output


def load(path: Path) -> nib.Nifti1Image:
    return nib.load(path)


def test_the_input_is_the_degraded_ground_truth_at_the_same_position(folder: Path) -> None:
    low, truth, result = (load(folder / f"phantom{kind}.nii.gz") for kind in ("", "_truth", "_sr"))
    assert low.shape == (128, 128)
    assert truth.shape == result.shape == (512, 512)
    degraded = GaussianDownsample(4)(torch.from_numpy(truth.get_fdata())[None, None])[0, 0].numpy()
    np.testing.assert_allclose(low.get_fdata(), degraded, atol=1e-3 * truth.get_fdata().max())
    np.testing.assert_allclose(result.affine, truth.affine, atol=1e-5)
    np.testing.assert_allclose(low.affine @ [-0.5, 127.5, 0, 1], truth.affine @ [-0.5, 511.5, 0, 1], atol=1e-4)


def test_the_result_is_closer_to_the_ground_truth_than_bicubic(folder: Path) -> None:
    demo = draw_demo_slice()
    result = read_demo_result(demo, folder)
    assert result.enlarged_psnr.head > result.bicubic_psnr.head + 3
    assert result.enlarged_psnr.tumor > result.bicubic_psnr.tumor + 3
    truth, sr, width = (
        load(folder / f"phantom{kind}.nii.gz").get_fdata() for kind in ("_truth", "_sr", "_sr_halfwidth")
    )
    head = demo.head[0, 0].numpy()
    assert result.coverage == pytest.approx(np.mean(abs(sr - truth)[head] <= width[head]), abs=1e-3)
    assert 0.8 < result.coverage < 0.99


def test_the_page_holds_its_pictures_and_loads_nothing(folder: Path) -> None:
    page = (folder / "demo.html").read_text(encoding="utf-8")
    sources = re.findall(r"(?:src|href)=\"([^\"]*)\"", page)
    assert len([s for s in sources if s.startswith("data:image/webp;base64,")]) == 14  # 7 tiles, each with a close-up
    assert all(s.startswith("data:image/webp;base64,") or s == "#tumor" for s in sources)
    assert "url(" not in page
    assert "<script" not in page
    for name in ("Input", "Bicubic", "SRGAN", "Trust map", "Ground truth"):
        assert f"<b>{name}</b>" in page
    for words in ("This is a phantom", "For research only", "detail that was not measured"):
        assert words in page
    assert len(page) < 2e6


def test_a_folder_with_other_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "phantom.nii.gz").write_bytes(b"mine")
    assert main(["demo", str(tmp_path)]) == 1
    assert "holds other files\nhint: choose another folder as OUT" in capsys.readouterr().err
    assert [f.name for f in tmp_path.iterdir()] == ["phantom.nii.gz"]
    assert main(["demo", str(tmp_path / "phantom.nii.gz")]) == 1
    assert main(["demo", str(tmp_path / "new"), "--seed", "-1"]) == 1
    assert not (tmp_path / "new").exists()


def test_another_seed_is_another_head() -> None:
    first, second = draw_demo_slice(0), draw_demo_slice(3)
    assert first.tumor_type == second.tumor_type == "glioma"
    assert (first.truth - second.truth).abs().max() > 0.5
    assert float(first.truth.min()) >= 0
    assert float(first.truth.max()) == 1


@pytest.mark.parametrize("found", [True, False])
def test_open_shows_the_page_in_a_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or found)
    monkeypatch.setattr("monai_srgan.cli.demo.run_config", lambda *_args, **_items: None)
    monkeypatch.setattr("monai_srgan.cli.demo_slice.read_demo_result", lambda *_args: None)
    monkeypatch.setattr("monai_srgan.cli.demo_page.render_demo_page", lambda *_args: "page")
    assert main(["demo", str(tmp_path / "out"), "--open"]) == 0
    page = tmp_path / "out" / "demo.html"
    assert page.read_text() == "page"
    assert opened == [page.as_uri()]
    captured = capsys.readouterr()
    assert captured.out == f"{page}\n"
    assert ("no browser found" in captured.err) is not found
