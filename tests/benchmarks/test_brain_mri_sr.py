# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The published comparison: slices, their sections, published figures and the table."""

from __future__ import annotations

from pathlib import Path

import brain_mri_sr as bench
import numpy as np
import pytest
import tables
from PIL import Image
from published_protocol import Scores, enlarged, high_resolution, reduced, scores

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.phantoms import write_phantom_dataset

HEAD = "id,mat,patient,psnr_full_Bicubic,psnr_Bicubic,psnr_Other,ssim_Bicubic,ssim_Other\n"


def rows(tmp_path: Path, *lines: str) -> dict[str, dict[str, str]]:
    file = tmp_path / "published.csv"
    file.write_text(HEAD + "\n".join(lines))
    return bench.read_rows(file)


def test_slices_are_found_by_file_or_by_the_published_name(phantom_dir: Path, tmp_path: Path) -> None:
    published = rows(tmp_path, "mri_7,2.mat,PH000002,40,30,31,.9,.91", "mri_8,none.mat,PH000003B,40,30,32,.9,.92")
    (of_mat,) = bench.load(phantom_dir, published)
    assert (of_mat.name, of_mat.patient) == ("mri_7", "PH000002")
    assert np.array_equal(of_mat.hr, high_resolution(read_cjdata(phantom_dir / "2.mat").image))
    assert of_mat.published == {"Bicubic": Scores(30, 0.9), "Other": Scores(31, 0.91)}

    Image.fromarray(np.full((70, 40), 9, np.uint8)).save(tmp_path / "mri_8.png")
    (of_picture,) = bench.load(tmp_path, published)
    assert (of_picture.name, of_picture.patient, of_picture.hr.shape) == ("mri_8", "PH000003", (64, 32))
    (unknown,) = bench.load(tmp_path, {})
    assert (unknown.patient, unknown.published) == (None, {})


def test_sections_are_those_of_the_data_lists(tmp_path: Path) -> None:
    root = write_phantom_dataset(tmp_path / "phantom", num_patients=8, image_size=64)
    lists = {name: figshare_datalist(root, name) for name in ("training", "validation", "test")}
    expected = {item["patient"]: name for name, items in lists.items() for item in items}
    assert bench.sections([*expected, None]) == expected
    assert bench.sections([None]) == {}
    with pytest.raises(SystemExit, match="1 patients are too few to know their folds"):
        bench.sections(["PH000001"])


def test_bicubic_enlargement_is_compared_with_its_published_figures() -> None:
    ours = {"a": bench.Result(Scores(30.000004, 0.9)), "b": bench.Result(Scores(31.0, 0.95))}
    image = np.zeros((32, 32), np.uint8)

    def slices(ssim: float) -> list[bench.Slice]:
        published = {"a": Scores(30.0, 0.9), "b": Scores(31.0, ssim)}
        return [bench.Slice(name, None, image, {"Bicubic": of}) for name, of in published.items()]

    assert bench.compare(slices(0.95), ours).endswith("at most 4.0e-06 in PSNR and SSIM.")
    assert "1.0e-02" in bench.compare(slices(0.94), ours)
    assert "NOT THE SAME PICTURES" in bench.compare(slices(0.94), ours)
    assert bench.compare([bench.Slice("a", None, image, {})], ours).startswith("Without published figures")


def test_the_command_receives_8_bit_pictures_and_its_results_are_scored(
    phantom_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = [
        bench.Slice(str(k), None, high_resolution(read_cjdata(phantom_dir / f"{k}.mat").image), {}) for k in (1, 2)
    ]
    asked = []

    def upscale(folder: Path, output: Path, options: list[str]) -> dict[str, Path]:
        asked.append(options)
        output.mkdir()
        for file in folder.iterdir():
            picture = Image.open(file)
            assert picture.mode == "L"
            Image.fromarray(enlarged(np.asarray(picture)) + np.uint8(1)).save(output / file.name)
        return {file.stem: output / file.name for file in folder.iterdir()}

    monkeypatch.setattr(bench, "upscale", upscale)
    monkeypatch.setattr(bench, "st_lpips_is_installed", lambda: False)
    found = bench.measure(slices, {"ours": ["--variant", "srgan"]})
    assert asked == [["--ext", ".png", "--variant", "srgan"]]
    bicubic = enlarged(reduced(slices[1].hr))
    assert found["bicubic"]["2"].scores == scores(bicubic, slices[1].hr)
    assert found["ours"]["2"].scores == scores(bicubic + np.uint8(1), slices[1].hr)


def test_the_table_has_published_rows_between_bicubic_and_ours(capsys: pytest.CaptureFixture[str]) -> None:
    image = np.zeros((32, 32), np.uint8)
    published = ({"Bicubic": Scores(30, 0.9), "Other": Scores(psnr, 0.91)} for psnr in (31.0, 33.0))
    slices = [bench.Slice(name, None, image, of) for name, of in zip("ab", published, strict=True)]
    results = {
        "bicubic": {name: bench.Result(Scores(30, 0.9), 0.2) for name in "ab"},
        "ours": {"a": bench.Result(Scores(34, 0.95), 0.1), "b": bench.Result(Scores(29.5, 0.93), 0.05)},
    }
    bench.table("Title", slices, results)
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "Title"
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[4:]] == [
        ["bicubic", "30.00", "+0.00", "+0.00", "0.9000", "0.2000"],
        ["Other (published)", "32.00", "+2.00", "+1.00", "0.9100", "-"],
        ["ours", "31.75", "+1.75", "-0.50", "0.9400", "0.0750"],
    ]


def test_tables_are_aligned_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_table("T", ("name", "n"), [("a", "10.5"), ("longer", "2")])
    assert capsys.readouterr().out == (
        "\nT\n\n| name   |    n |\n| ------ | ---: |\n| a      | 10.5 |\n| longer |    2 |\n"
    )
