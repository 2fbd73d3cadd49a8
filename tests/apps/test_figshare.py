# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from mat_files import save_slice, save_v5, save_v73
from monai.data import DataLoader
from monai.transforms import Compose, RandFlipd

from monai_srgan.apps import FigshareBrainTumorDataset, figshare_datalist
from monai_srgan.data import MatFileError, check_patient_disjoint, read_cjdata
from monai_srgan.transforms import LoadMatd

SECTIONS = ("training", "validation", "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve slices of six patients, one of them with a later scan, in two folders."""
    root = tmp_path_factory.mktemp("slices")
    for number in range(1, 13):
        pid = f"MR00{(number - 1) // 2}" + ("B" if number == 12 else "")
        save_slice(root / ("1-9" if number < 10 else "deep/er") / f"{number}.mat", PID=pid, label=1.0 + number % 3)
    save_v73(root / "cvind.mat", {"cvind": np.array([[1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 3]], float)})
    (root / "1-9" / "._1.mat").write_bytes(b"left by an archive of another system")
    (root / "README.txt").write_text("not a slice")
    return root


def numbers(items):
    return [int(Path(item["image"]).stem) for item in items]


def test_items_name_image_patient_type_and_source_in_numerical_order(folder):
    items = [item for section in SECTIONS for item in figshare_datalist(folder, section)]
    assert sorted(numbers(items)) == list(range(1, 13))
    assert numbers(figshare_datalist(folder, "training")) == sorted(numbers(figshare_datalist(folder, "training")))
    item = next(item for item in items if item["image"].endswith("12.mat"))
    path = str(folder / "deep" / "er" / "12.mat")
    assert item == {"image": path, "patient": "MR005", "tumor_type": 1, "source": path}


@pytest.mark.parametrize("fold", range(5))
def test_sections_share_no_patient_and_lose_no_slice(folder, fold):
    sections = {section: figshare_datalist(folder, section, fold=fold) for section in SECTIONS}
    check_patient_disjoint(**sections)
    assert sorted(n for items in sections.values() for n in numbers(items)) == list(range(1, 13))


def test_validation_is_the_test_section_of_the_next_fold(folder):
    for fold in range(5):
        assert figshare_datalist(folder, "validation", fold) == figshare_datalist(folder, "test", (fold + 1) % 5)


def test_another_seed_gives_another_split(folder):
    deals = [[figshare_datalist(folder, "test", fold, seed=seed) for fold in range(5)] for seed in (0, 1)]
    assert deals[0] != deals[1]


def test_official_folds_go_by_file_number_and_warn_about_leaks(folder):
    with pytest.warns(UserWarning, match=r"these patients leak: .*MR005 \(training, test\)"):
        test = figshare_datalist(folder, "test", folds="official")
    assert numbers(test) == [1, 6, 11]
    with pytest.warns(UserWarning, match="official folds"):
        assert numbers(figshare_datalist(folder, "validation", fold=4, folds="official")) == [1, 6, 11]


def test_official_folds_need_their_table_numbers_and_five_folds(tmp_path):
    save_slice(tmp_path / "a.mat")
    with pytest.raises(FileNotFoundError, match=r"folds='official' needs cvind\.mat"):
        figshare_datalist(tmp_path, "test", folds="official")
    save_v5(tmp_path / "sub" / "cvind.mat", {"cvind": np.ones((1, 5))})
    with pytest.raises(ValueError, match=r"needs files named 1\.mat \.\. 5\.mat, got .*a\.mat"):
        figshare_datalist(tmp_path, "test", folds="official")
    with pytest.raises(ValueError, match="num_folds must be 5 with folds='official', got 4"):
        figshare_datalist(tmp_path, "test", num_folds=4, folds="official")


def test_one_error_lists_every_unreadable_file_whatever_the_section(tmp_path):
    for number in range(1, 8):
        save_slice(tmp_path / f"{number}.mat", PID=f"{number}")
    whole = (tmp_path / "3.mat").read_bytes()
    (tmp_path / "3.mat").write_bytes(whole[: len(whole) // 2])
    save_slice(tmp_path / "5.mat", tumorBorder=None)
    for section in SECTIONS:
        with pytest.raises(MatFileError, match="2 of 7 slice files cannot be used") as caught:
            figshare_datalist(tmp_path, section)
        assert "3.mat: the file is truncated" in str(caught.value)
        assert "5.mat: cjdata lacks field(s) tumorBorder" in str(caught.value)


def test_three_sections_read_the_files_once_and_again_after_a_change(tmp_path, monkeypatch):
    for number in range(1, 6):
        save_slice(tmp_path / f"{number}.mat", PID=f"{number}")
    reads = []
    monkeypatch.setattr(
        "monai_srgan.apps.figshare_slices.read_cjdata", lambda path: reads.append(path) or read_cjdata(path)
    )
    for section in SECTIONS:
        figshare_datalist(tmp_path, section)
    assert len(reads) == 5
    os.utime(tmp_path / "2.mat", ns=(1, 1))
    figshare_datalist(tmp_path, "test")
    assert len(reads) == 10


@pytest.mark.parametrize(("one", "other"), [("7.mat", "glioma/7.mat"), ("7.mat", "007.mat"), ("a/7.mat", "b/7.MAT")])
def test_two_files_of_one_number_are_refused_and_both_named(tmp_path, one, other):
    for name, pid in [(one, "1"), (other, "1"), ("8.mat", "2"), ("a/x.mat", "3"), ("b/x.mat", "4")]:
        save_slice(tmp_path / name, PID=pid)
    with pytest.raises(ValueError, match="each slice once, but these files have the same number") as caught:
        figshare_datalist(tmp_path, "test", num_folds=3)
    assert str(tmp_path / one) in str(caught.value)
    assert str(tmp_path / other) in str(caught.value)
    assert "8.mat" not in str(caught.value)
    assert "x.mat" not in str(caught.value)


def test_the_home_folder_can_be_abbreviated(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    short = f"~/{folder.name}"
    assert figshare_datalist(short, "test") == figshare_datalist(folder, "test")
    with pytest.warns(UserWarning, match="official folds"):
        assert numbers(figshare_datalist(short, "test", folds="official")) == [1, 6, 11]
    assert len(FigshareBrainTumorDataset(short, "test", cache_rate=0.0, progress=False)) > 0


def test_an_empty_or_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"contains no \.mat slices: .*download=True"):
        figshare_datalist(tmp_path, "test")
    with pytest.raises(FileNotFoundError, match="dataset_dir must be a folder"):
        figshare_datalist(tmp_path / "none", "test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"section": "train"}, "section must be one of training, validation, test, got 'train'"),
        ({"section": "test", "fold": 5}, "fold must be 0 .. 4, got 5"),
        ({"section": "test", "num_folds": 2}, "num_folds must be at least 3"),
        ({"section": "test", "num_folds": 7}, "num_folds=7 needs at least as many patients, got 6"),
        ({"section": "test", "folds": "random"}, "folds must be 'patient' or 'official'"),
    ],
)
def test_arguments_out_of_range_are_refused(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        figshare_datalist(folder, **arguments)


def test_an_empty_section_is_refused_with_a_remedy(tmp_path):
    save_slice(tmp_path / "1.mat")
    save_v73(tmp_path / "cvind.mat", {"cvind": np.ones((1, 3))})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the official folds
        with pytest.raises(ValueError, match="'training' of fold 0 is empty, with 1 slices of 1 patients in 5 folds"):
            figshare_datalist(tmp_path, "training", folds="official")


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_dataset_gives_batches_through_cache_and_workers(folder, num_workers):
    transform = Compose([LoadMatd("image"), RandFlipd(["image", "mask"], prob=1.0, spatial_axis=0)])
    data = FigshareBrainTumorDataset(folder, "training", transform=transform, progress=False)
    batch = next(iter(DataLoader(data, batch_size=3, num_workers=num_workers)))
    assert batch["image"].shape == batch["mask"].shape == (3, 1, 32, 24)
    assert batch["mask"].flip(2)[0, 0, 15:25, 4:10].all()
    assert batch["patient"] == data.get_patients()[:1] * 2 + data.get_patients()[1:2]
    assert batch["tumor_type"].shape == (3,)


def test_the_dataset_loads_image_and_mask_by_default_and_knows_its_properties(folder):
    data = FigshareBrainTumorDataset(folder, "test", fold=1, cache_rate=0.0, progress=False)
    assert len(data) == len(figshare_datalist(folder, "test", fold=1))
    assert data[0]["image"].shape == (1, 32, 24)
    assert data[0]["mask"].sum() == 60
    properties = data.get_properties()
    assert (properties["section"], properties["fold"], properties["num_slices"]) == ("test", 1, len(data))
    assert sum(properties["num_slices_by_type"].values()) == len(data)
    assert data.get_properties("folds") == {"folds": "patient"}
    assert data.get_patients() == sorted({item["patient"] for item in figshare_datalist(folder, "test", fold=1)})


def test_the_dataset_downloads_only_when_asked(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "monai_srgan.apps.figshare_dataset.download_figshare", lambda root, progress: asked.append((root, progress))
    )
    FigshareBrainTumorDataset(folder, "test", progress=False, cache_rate=0.0)
    assert asked == []
    FigshareBrainTumorDataset(folder, "test", progress=False, cache_rate=0.0, download=True)
    assert asked == [(folder, False)]
    with pytest.raises(ValueError, match="root_dir must be a folder"):
        FigshareBrainTumorDataset(folder / "none", "test", download=True)
    with pytest.raises(ValueError, match="fold must be"):
        FigshareBrainTumorDataset(folder, "test", fold=9, download=True)
    assert len(asked) == 1


def test_phantom_slices_go_through_the_same_code(phantom_dir):
    sections = {section: figshare_datalist(phantom_dir, section) for section in SECTIONS}
    check_patient_disjoint(**sections)
    assert all(sections.values())


@pytest.mark.real_data
def test_real_sections_share_no_patient_and_the_official_ones_warn(real_data_dir):
    sections = {section: figshare_datalist(real_data_dir, section, progress=False) for section in SECTIONS}
    check_patient_disjoint(**sections)
    total = sum(len(items) for items in sections.values())
    assert total == len(list(real_data_dir.rglob("[0-9]*.mat")))
    assert all(len(items) > total / 12 for items in sections.values())
    with pytest.warns(UserWarning, match=r"these patients leak: .*MR"):
        official = figshare_datalist(real_data_dir, "test", folds="official", progress=False)
    manifest = real_data_dir / "manifest.csv"
    if manifest.is_file():
        with manifest.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["official_fold"] == "1"]
        assert {Path(item["image"]).name for item in official} == {row["file"] for row in rows}
