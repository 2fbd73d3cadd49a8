# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The bars for unknown measurements: files, scores and verdicts."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
import unknown_measurement as bench
from degradations import BARRED, gaussian
from skimage.metrics import peak_signal_noise_ratio
from torch.nn import functional as F

from monai_srgan.metrics import head_mask


def results(*gains: float, declined: bool = False) -> list[bench.Result]:
    return [bench.Result(str(k), 30 + gain, 30.0, declined, None, None) for k, gain in enumerate(gains)]


def cells(printed: str, name: str) -> list[str]:
    """Cells of a row of a printed table."""
    line = next(line for line in printed.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_each_variant_has_a_bar_for_each_barred_degradation() -> None:
    assert {len(bars) for bars in bench.BARS.values()} == {len(BARRED)}


@pytest.mark.parametrize(
    ("name", "found", "verdict"),
    [
        ("default", results(3.5, 3.61), "passes"),  # 3.555, to one decimal
        ("default", results(3.5, 3.58), "FAILS: mean"),
        ("default", results(8.0, -0.11), "FAILS: slices"),
        ("sigma 2.0", results(4.0, -0.2), "FAILS: mean, slices"),
        ("nearest", results(0.0, -0.09), "passes"),
        ("nearest", results(0.5, -0.11), "FAILS: slices"),
        ("nearest", results(-0.11, -3.0, declined=True), "passes"),
    ],
)
def test_verdicts(name: str, found: list[bench.Result], verdict: str, capsys: pytest.CaptureFixture[str]) -> None:
    bench.report("srresnet", {name: found}, "2 slices")
    assert cells(capsys.readouterr().out, name)[-1] == verdict


def test_the_table_tells_means_and_the_worst_slice(capsys: pytest.CaptureFixture[str]) -> None:
    bench.report("srgan", {"sigma 1.0": results(2.0, 1.0, -0.6), "box average": results(0.2)}, "3 slices")
    printed = capsys.readouterr().out
    assert cells(printed, "sigma 1.0")[1:-1] == ["30.00", "30.80", "+0.80", "+1.4", "-0.60", "33%", "0"]
    assert cells(printed, "box average")[1:-1] == ["30.00", "30.20", "+0.20", "", "+0.20", "0%", "0"]


def test_perceptual_distances_are_a_ratio_of_means(capsys: pytest.CaptureFixture[str]) -> None:
    found = [bench.Result("1", 31, 30, False, 0.1, 0.2), bench.Result("2", 31, 30, False, 0.1, 0.6)]
    bench.report("srgan", {"default": found}, "2 slices")
    assert "ST-LPIPS at the default: 0.1000, 0.250 of bicubic interpolation's, at most 0.30" in capsys.readouterr().out


def test_files_are_in_the_units_of_the_slice_and_scored_against_it(phantom_dir: Path, tmp_path: Path) -> None:
    item = bench.load(phantom_dir / "2.mat")
    assert float(item.hr.max()) == 1
    folder = bench.write([item], lambda hr, _: gaussian(hr), tmp_path / "lr")
    lr = nib.load(folder / "2.nii.gz")
    assert lr.get_data_dtype() == np.float32
    expected = gaussian(item.hr)[0, 0].numpy()
    assert np.allclose(lr.get_fdata() / item.white, expected, atol=1e-6)
    assert lr.header.get_zooms() == pytest.approx((4 * 0.49, 4 * 0.49))

    sr = item.hr[0, 0].numpy() + 0.05
    nib.save(nib.Nifti1Image((sr * item.white).astype(np.float32), np.eye(4)), tmp_path / "2_sr.nii.gz")
    found = bench.score(item, folder, tmp_path / "2_sr.nii.gz", None)
    assert found.psnr == pytest.approx(20 * np.log10(1 / 0.05), abs=1e-3)
    bicubic = F.interpolate(torch.from_numpy(expected)[None, None], scale_factor=4, mode="bicubic")
    head = head_mask(item.hr)
    reference = peak_signal_noise_ratio(item.hr[head].numpy(), bicubic[head].numpy(), data_range=1)
    assert found.bicubic == pytest.approx(reference, abs=1e-3)
    assert not found.declined
    (tmp_path / "2_sr.json").write_text('{"declined": true}')
    assert bench.score(item, folder, tmp_path / "2_sr.nii.gz", None).declined


def test_noise_depends_on_the_slice_and_not_on_the_run(phantom_dir: Path, tmp_path: Path) -> None:
    slices = [bench.load(phantom_dir / f"{k}.mat") for k in (1, 2)]
    runs = [
        bench.write(chosen, BARRED["default + 2 % noise"], tmp_path / name)
        for name, chosen in (("both", slices), ("second", slices[1:]))
    ]
    both, second = (nib.load(run / "2.nii.gz").get_fdata() for run in runs)
    assert np.array_equal(both, second)
