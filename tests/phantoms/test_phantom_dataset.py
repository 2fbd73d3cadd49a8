# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Phantom slices: the layout of the figshare set, plausible tumors, and atomic writes of the folder."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from skimage.draw import polygon

from monai_srgan.phantoms import draw_phantom_slice, write_phantom_dataset


def layout(path: Path) -> dict[str, dict[str, object]]:
    """Everything about a file except the values: types, ranks, storage and MATLAB's attributes."""
    found: dict[str, dict[str, object]] = {}
    with h5py.File(path) as file:
        assert file.userblock_size == 512
        assert list(file) == ["cjdata"]
        names = [b"".join(name).decode() for name in file["cjdata"].attrs["MATLAB_fields"]]
        found["cjdata"] = {"class": file["cjdata"].attrs["MATLAB_class"], "fields": names}
        for name, data in file["cjdata"].items():
            found[name] = {
                "dtype": data.dtype.str,
                "rank": data.ndim,
                "packing": (data.compression, data.compression_opts, data.maxshape == (None, None)),
                "attributes": {key: (value.dtype.kind, value.item()) for key, value in data.attrs.items()},
            }
    return found


def contents(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: data[()] for name, data in file["cjdata"].items()}


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.mat"), key=lambda path: int(path.stem))


def test_the_set_is_numbered_and_shows_every_type_once_per_three_patients(phantom_dir):
    assert [path.name for path in files(phantom_dir)] == [f"{k}.mat" for k in range(1, 7)]
    made = [contents(path) for path in files(phantom_dir)]
    assert [float(one["label"][0, 0]) for one in made] == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]
    assert ["".join(map(chr, one["PID"].ravel())) for one in made] == [f"PH00000{k}" for k in range(1, 7)]


def test_fields_have_the_types_and_shapes_of_the_originals(phantom_dir):
    described = layout(files(phantom_dir)[0])
    assert {name: item["dtype"] for name, item in described.items() if name != "cjdata"} == {
        "image": "<i2",
        "tumorMask": "|u1",
        "label": "<f8",
        "tumorBorder": "<f8",
        "PID": "<u2",
    }
    assert described["cjdata"]["fields"] == ["label", "PID", "image", "tumorBorder", "tumorMask"]
    assert described["image"]["packing"] == described["tumorMask"]["packing"] == ("gzip", 3, True)
    for path in files(phantom_dir):
        one = contents(path)
        assert one["image"].shape == one["tumorMask"].shape == (128, 128)
        assert one["label"].shape == (1, 1)
        assert one["PID"].shape == (8, 1)
        assert one["tumorBorder"].shape[0] == 1
        assert one["tumorBorder"].shape[1] in range(12, 136, 2)
        assert set(np.unique(one["tumorMask"])) == {0, 1}


def test_the_file_starts_with_the_header_of_matlab(phantom_dir):
    head = files(phantom_dir)[0].read_bytes()[:520]
    assert head.startswith(b"MATLAB 7.3 MAT-file")
    assert head[:116].isascii()
    assert head[116:128] == bytes(8) + b"\x00\x02IM"
    assert head[128:512] == bytes(384)
    assert head[512:] == b"\x89HDF\r\n\x1a\n"


@pytest.mark.real_data
def test_the_layout_equals_that_of_an_original(phantom_dir, real_data_dir):
    original = layout(files(real_data_dir)[0])
    assert layout(files(phantom_dir)[0]) == original
    with h5py.File(files(real_data_dir)[0]) as file:
        if file["cjdata/image"].shape == (512, 512):
            assert file["cjdata/image"].chunks == (512, 64)


def test_the_filled_border_is_the_mask_and_with_x_and_y_swapped_it_is_not(phantom_dir):
    for path in files(phantom_dir):
        one = contents(path)
        x, y = one["tumorBorder"].reshape(-1, 2).T - 1
        filled, swapped = np.zeros((2, 128, 128), bool)
        filled[polygon(x, y, (128, 128))] = True
        swapped[polygon(y, x, (128, 128))] = True
        mask = one["tumorMask"].astype(bool)
        assert (filled & mask).sum() / (filled | mask).sum() > 0.9
        assert (swapped & mask).sum() / (swapped | mask).sum() < 0.8


@pytest.mark.parametrize("size", [64, 100, 128])
def test_tumors_keep_the_area_limits_of_the_originals_and_off_the_border(size):
    for patient in range(9):
        made = draw_phantom_slice(patient, image_size=size, seed=3)
        at_512 = made.mask.sum() * (512 / size) ** 2
        assert 255 <= at_512 <= 19_296
        edge = np.concatenate([made.mask[0], made.mask[-1], made.mask[:, 0], made.mask[:, -1]])
        assert not edge.any()


def test_images_are_dark_around_a_bright_head_and_peak_between_1000_and_6000():
    peaks = []
    for patient in range(9):
        image = draw_phantom_slice(patient, image_size=128).image
        peaks.append(image.max())
        assert image.min() >= 0
        assert np.median(image[:8]) < 0.05 * image.max()
        assert image[50:78, 50:78].mean() > 0.1 * image.max()
    assert 1000 <= min(peaks) < max(peaks) <= 6000
    assert len(set(peaks)) == 9


def test_tumors_enhance():
    for patient in range(9):
        made = draw_phantom_slice(patient, image_size=128)
        brain = np.median(made.image[made.image > 0.1 * made.image.max()])
        assert np.percentile(made.image[made.mask == 1], 90) > 1.2 * brain


def test_the_same_seed_gives_the_same_arrays_and_another_seed_gives_others(tmp_path):
    folders = [
        write_phantom_dataset(tmp_path / name, num_patients=2, image_size=64, seed=seed)
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    ]
    for number in (1, 2):
        first, second, third = (contents(folder / f"{number}.mat") for folder in folders)
        for name in first:
            assert np.array_equal(first[name], second[name])
        assert not np.array_equal(first["image"], third["image"])
        assert not np.array_equal(first["tumorBorder"], third["tumorBorder"])


def test_a_seed_gives_the_same_head_at_every_size():
    small, large = (draw_phantom_slice(4, image_size=size).image.astype(float) for size in (64, 128))
    shrunk = large.reshape(64, 2, 64, 2).mean((1, 3))
    assert np.corrcoef(small.ravel(), shrunk.ravel())[0, 1] > 0.97


def test_slices_of_one_patient_are_alike_but_not_equal(tmp_path):
    folder = write_phantom_dataset(tmp_path / "set", num_patients=2, slices_per_patient=2, image_size=128)
    first, second, other, _ = (contents(path) for path in files(folder))
    assert np.array_equal(first["PID"], second["PID"])
    assert not np.array_equal(first["PID"], other["PID"])
    assert not np.array_equal(first["image"], second["image"])

    def likeness(a, b):
        return np.corrcoef(a["image"].ravel(), b["image"].ravel())[0, 1]

    assert likeness(first, second) > likeness(first, other) + 0.1


def test_a_second_call_returns_the_folder_unchanged(tmp_path):
    folder = write_phantom_dataset(tmp_path / "new" / "set", num_patients=1, image_size=64)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert write_phantom_dataset(str(folder), num_patients=1, image_size=64) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["set"]
    assert json.loads((folder / "phantom.json").read_text())["image_size"] == 64


SET = ["1.mat", "2.mat", "phantom.json"]


def test_the_working_directory_takes_the_set_and_stays_the_working_directory(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert write_phantom_dataset(".", num_patients=2, image_size=64) == here
    assert sorted(path.name for path in Path().iterdir()) == SET  # of the folder that the process is in
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert write_phantom_dataset(".", num_patients=2, image_size=64) == here


@pytest.fixture
def mounted(monkeypatch):
    """Make an empty folder behave as a mount point: it cannot be removed or replaced, and is another file system."""

    def mount(root):
        def refuse(self, *_args):
            raise OSError(errno.EBUSY, "Device or resource busy", str(self))

        def rename(source, target, *_args, **_kwargs):
            if Path(target).parent == root:
                raise OSError(errno.EXDEV, "Invalid cross-device link", str(source))
            refuse(root)

        root.mkdir()
        monkeypatch.setattr(Path, "rmdir", refuse)
        monkeypatch.setattr(Path, "rename", lambda self, target: rename(self, target))
        monkeypatch.setattr(os, "rename", rename)
        return root

    return mount


def test_an_empty_folder_that_cannot_be_replaced_is_filled_with_the_record_last(tmp_path, mounted, monkeypatch):
    root, order = mounted(tmp_path / "disk"), []
    move = shutil.move
    monkeypatch.setattr(shutil, "move", lambda source, target: order.append(Path(target).name) or move(source, target))
    assert write_phantom_dataset(root, num_patients=2, image_size=64) == root
    assert sorted(path.name for path in root.iterdir()) == SET
    assert order[-1] == "phantom.json"
    assert contents(root / "2.mat")["image"].shape == (64, 64)


def test_a_failed_write_leaves_an_existing_folder_empty(tmp_path, mounted, monkeypatch):
    root = mounted(tmp_path / "disk")

    def full(_source, target):
        Path(target).write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "move", full)
    with pytest.raises(OSError, match="No space left"):
        write_phantom_dataset(root, num_patients=1, image_size=64)
    assert list(root.iterdir()) == []


def test_the_home_folder_can_be_abbreviated(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert write_phantom_dataset("~/set", num_patients=2, image_size=64) == tmp_path / "set"
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == SET
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_parent_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=rf"root_dir={tmp_path}/file/set .* parent folder {tmp_path}/file "):
        write_phantom_dataset(tmp_path / "file" / "set", num_patients=1, image_size=64)

    def refuse(self, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError, match=rf"parent folder {tmp_path} .*Permission denied.*Choose a folder"):
        write_phantom_dataset(tmp_path / "set", num_patients=1, image_size=64)


def test_all_users_can_read_the_set(tmp_path):
    folder = write_phantom_dataset(tmp_path / "set", num_patients=1, image_size=64)
    assert folder.stat().st_mode & 0o555 == 0o555
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in folder.iterdir())


def test_a_folder_with_other_contents_is_refused_and_unchanged(tmp_path):
    (tmp_path / "mine.mat").write_text("precious")
    with pytest.raises(FileExistsError, match=r"root_dir.*mine\.mat"):
        write_phantom_dataset(tmp_path, num_patients=1, image_size=64)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.mat"]
    with pytest.raises(FileExistsError, match="is a file"):
        write_phantom_dataset(tmp_path / "mine.mat", num_patients=1, image_size=64)


def test_a_set_of_other_parameters_or_with_missing_files_is_refused(tmp_path):
    folder = write_phantom_dataset(tmp_path / "set", num_patients=2, image_size=64)
    with pytest.raises(FileExistsError, match="another phantom set"):
        write_phantom_dataset(folder, num_patients=2, image_size=64, seed=1)
    (folder / "2.mat").unlink()
    with pytest.raises(FileExistsError, match=r"lacks 1 files \(2\.mat"):
        write_phantom_dataset(folder, num_patients=2, image_size=64)


def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("monai_srgan.phantoms.dataset.write_mat", fail)
    with pytest.raises(KeyboardInterrupt):
        write_phantom_dataset(tmp_path / "set", num_patients=1, image_size=64)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_patients", 0),
        ("num_patients", 1_000_000),
        ("slices_per_patient", 0),
        ("slices_per_patient", 1.5),
        ("image_size", 60),
        ("image_size", 130),
        ("seed", -1),
        ("seed", True),
    ],
)
def test_invalid_arguments_are_named(tmp_path, name, value):
    with pytest.raises(ValueError, match=name):
        write_phantom_dataset(tmp_path / "set", **{name: value})
    assert not list(tmp_path.iterdir())
