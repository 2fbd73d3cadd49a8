# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The input images of inference and how they are read."""

from __future__ import annotations

import logging
import os
import pickle
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.transforms import Compose, LoadImaged
from PIL import Image

from monai_srgan.data import check_inputs, image_stem, inference_datalist
from monai_srgan.errors import about, argument_of
from monai_srgan.transforms import LoadInput, LoadInputd

AFFINE = np.array([[0.0, -2.0, 0.3, 10.0], [1.5, 0.0, 0.0, -20.0], [0.0, 0.1, 6.0, 30.0], [0.0, 0.0, 0.0, 1.0]])


def save_nifti(path: Path, array: np.ndarray) -> Path:
    nib.save(nib.Nifti1Image(array, AFFINE), path)
    return path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


def test_files_of_a_folder_are_listed_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    touch(tmp_path, "10.mat", "2.mat", "b.PNG", "a.nii.gz", "1.nii")
    names = [Path(item["image"]).name for item in inference_datalist(tmp_path)]
    assert names == ["1.nii", "2.mat", "10.mat", "a.nii.gz", "b.PNG"]


def test_one_file_is_a_list_of_one_and_names_its_source(tmp_path: Path) -> None:
    touch(tmp_path, "7.mat", "8.mat")
    file = str(tmp_path / "7.mat")
    assert inference_datalist(file) == [{"image": file, "source": file}]


def test_other_files_subfolders_hidden_files_and_the_table_of_folds_are_skipped(tmp_path: Path) -> None:
    touch(tmp_path, "7.mat", "notes.txt", "cvind.mat", ".8.mat")
    (tmp_path / "more.mat").mkdir()
    assert [Path(item["image"]).name for item in inference_datalist(tmp_path)] == ["7.mat"]


def test_pipes_are_refused_or_named_among_what_is_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "7.mat")
    for name in ("a.nii", "b.png", "c.mat", "d.dcm"):
        os.mkfifo(tmp_path / name)
        for reach in (inference_datalist, LoadInput()):
            with pytest.raises(ValueError, match=f"{name}: must be a regular file, but it is a named pipe"):
                reach(tmp_path / name)
    with caplog.at_level(logging.INFO):
        assert [Path(item["image"]).name for item in inference_datalist(tmp_path)] == ["7.mat"]
    assert "skipped 4 files that are not images: a.nii, b.png, c.mat, d.dcm" in caplog.text


def test_control_characters_of_file_names_reach_no_terminal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.nii").touch()
    (tmp_path / "\x1b[31mred.txt").touch()
    with caplog.at_level("INFO", logger="monai_srgan"):
        assert len(inference_datalist(tmp_path)) == 1
    assert "\\x1b[31mred.txt" in caplog.text
    assert "\x1b" not in caplog.text
    (tmp_path / "\x1b]0;b.nii").touch()
    with pytest.raises(ValueError, match=r"must not have control characters, got '.*\\x1b\]0;b\.nii'"):
        inference_datalist(tmp_path)


def test_no_input_yet_is_an_empty_list() -> None:
    assert inference_datalist(None) == []


def test_an_empty_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"path={tmp_path} contains no image .*found no files"):
        inference_datalist(tmp_path)


def test_a_folder_without_images_is_refused_and_its_files_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.tif", "b.txt")
    with pytest.raises(FileNotFoundError, match=r"2 other files, such as a\.tif, b\.txt"):
        inference_datalist(tmp_path)


def test_all_bad_inputs_are_listed_at_once() -> None:
    def load(item: dict[str, str]) -> None:
        if item["image"] != "good.png":
            raise RuntimeError("wrapped") from ValueError(f"broken {item['image'][:1]}\nsecond line")

    items = [{"image": name, "source": name} for name in ("good.png", "a.nii", "b.nii")]
    with pytest.raises(ValueError, match=r"2 of 3 inputs cannot be used.*\n  a\.nii: broken a\n  b\.nii: broken b$"):
        check_inputs(items, load)
    check_inputs(items[:1], load)


def test_a_missing_variable_is_about_its_argument_even_in_a_list(phantom_dir: Path) -> None:
    items = inference_datalist(phantom_dir / "1.mat")
    load = Compose([LoadInputd(keys="image", mat_variable="volume")])
    with pytest.raises(ValueError, match="variable 'volume' does not exist") as raised:
        check_inputs(items, load)
    assert argument_of(raised.value) == "mat_variable"


def test_a_list_of_different_reasons_is_about_no_argument() -> None:
    def load(item: dict[str, Any]) -> None:
        raise about(ValueError("bad"), item["image"])

    items = [{"image": name, "source": name} for name in ("output_ext", "mat_variable")]
    with pytest.raises(ValueError, match="2 of 2") as raised:
        check_inputs(items, load)
    assert argument_of(raised.value) is None


def test_a_missing_path_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist"):
        inference_datalist(tmp_path / "nowhere")


def test_a_file_of_another_type_is_refused_and_its_suffix_named(tmp_path: Path) -> None:
    touch(tmp_path, "scan.tif")
    with pytest.raises(ValueError, match=r"scan\.tif: the suffix must be one of .* or DICOM .*, got '\.tif'"):
        inference_datalist(tmp_path / "scan.tif")


@pytest.mark.parametrize(
    ("name", "stem"), [("7.mat", "7"), ("a.b.nii.gz", "a.b"), ("a.nii", "a"), ("X.PNG", "X"), ("v1.5.png", "v1.5")]
)
def test_the_stem_is_the_name_without_its_image_suffix(name: str, stem: str) -> None:
    assert image_stem(Path("folder.png") / name) == stem


def test_a_nifti_slice_becomes_a_volume_of_one_slice_with_its_affine(tmp_path: Path) -> None:
    array = np.arange(6 * 5, dtype=np.int16).reshape(6, 5) * 700  # beyond what int8 or a wrapped int16 product can hold
    image = LoadInputd(keys="image")({"image": str(save_nifti(tmp_path / "a.nii.gz", array))})["image"]
    assert image.shape == (1, 6, 5, 1)
    assert image.dtype == torch.float32
    assert image.meta["source_ndim"] == 2
    np.testing.assert_array_equal(image[0, ..., 0].numpy(), array.astype(np.float32))
    np.testing.assert_allclose(image.affine.numpy(), AFFINE, atol=1e-6)


def test_a_volume_keeps_its_slices_and_trailing_singletons_are_dropped(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(6, 5, 3)).astype(np.float32)
    for name, stored in (("a.nii", array), ("b.nii", array[..., None])):
        image = LoadInputd(keys="image")({"image": str(save_nifti(tmp_path / name, stored))})["image"]
        np.testing.assert_array_equal(image[0].numpy(), array)
        assert image.meta["source_ndim"] == 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_keeps_its_values_and_is_read_x_first(tmp_path: Path, dtype: type) -> None:
    rows: np.ndarray = (np.arange(4 * 7).reshape(4, 7) * (9 if dtype is np.uint8 else 2400)).astype(dtype)
    Image.fromarray(rows).save(tmp_path / "a.png")
    image = LoadInputd(keys="image")({"image": str(tmp_path / "a.png")})["image"]
    np.testing.assert_array_equal(image[0, ..., 0].numpy(), rows.T.astype(np.float32))
    # the picture's top left is the patient's right and front: it then stands upright in a viewer
    np.testing.assert_array_equal(image.affine.numpy(), np.diag([-1.0, -1.0, 1.0, 1.0]))


def test_a_mat_slice_is_read_from_the_requested_variable(phantom_dir: Path) -> None:
    path = inference_datalist(phantom_dir)[0]["image"]
    image = LoadInputd(keys="image")({"image": path})["image"]
    mask = LoadInputd(keys="image", mat_variable="cjdata/tumorMask")({"image": path})["image"]
    assert image.shape == mask.shape == (1, 128, 128, 1)
    assert image.max() > 100
    assert set(mask.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "float64", ">i2"])
def test_data_type_and_byte_order_of_a_nifti_file_are_read(tmp_path: Path, dtype: str) -> None:
    array = np.arange(6 * 5).reshape(6, 5).astype(dtype)
    header = nib.Nifti1Header(endianness=">" if dtype[0] == ">" else "<")
    header.set_data_dtype(dtype)
    nib.Nifti1Image(array, AFFINE, header).to_filename(tmp_path / "a.nii")
    image = LoadInputd(keys="image")({"image": str(tmp_path / "a.nii")})["image"]
    assert image.meta["source_dtype"] == np.dtype(dtype).name
    np.testing.assert_array_equal(image[0, ..., 0].numpy(), array.astype(np.float32))


def test_the_data_type_of_a_16_bit_png_is_read(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 7), 40_000, np.uint16)).save(tmp_path / "a.png")
    image = LoadInputd(keys="image")({"image": str(tmp_path / "a.png")})["image"]
    assert image.meta["source_dtype"] == "uint16"


def test_the_loader_is_a_load_imaged_and_can_be_pickled() -> None:
    loader = pickle.loads(pickle.dumps(LoadInputd(keys="image")))
    assert isinstance(loader, LoadImaged)  # how MONAI Label finds the transform that loads


def test_the_loader_works_as_monai_label_sets_it_up(tmp_path: Path) -> None:
    loader = LoadInputd(keys="image")
    loader._loader.image_only = False
    data = loader({"image": str(save_nifti(tmp_path / "a.nii", np.ones((6, 5), np.float32)))})
    assert data["image"].shape == (1, 6, 5, 1)
    assert "image_meta_dict" in data


def test_the_array_version_loads_the_same_image(tmp_path: Path) -> None:
    path = str(save_nifti(tmp_path / "a.nii", np.arange(30, dtype=np.int16).reshape(6, 5)))
    image, expected = LoadInput()(path), LoadInputd(keys="image")({"image": path})["image"]
    assert torch.equal(image, expected)
    assert image.dtype == torch.float32
    assert image.meta["source_dtype"] == "int16"
    torch.testing.assert_close(image.affine, expected.affine, rtol=0, atol=0)


def write_bad(folder: Path, kind: str) -> Path:
    if kind == "color":
        Image.fromarray(np.zeros((5, 6, 3), np.uint8)).save(folder / "bad.png")
    elif kind == "palette":
        Image.fromarray(np.zeros((5, 6, 3), np.uint8)).convert("P").save(folder / "bad.png")
    elif kind == "four dimensions":
        save_nifti(folder / "bad.nii.gz", np.zeros((5, 6, 2, 3), np.float32))
    elif kind == "complex":
        save_nifti(folder / "bad.nii.gz", np.full((5, 6), 1 + 1j, np.complex64))
    elif kind == "empty":
        save_nifti(folder / "bad.nii.gz", np.zeros((0, 5), np.float32))
    return next(folder.iterdir())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("color", "must be grayscale, got mode RGB"),
        ("palette", "must be grayscale, got mode P"),
        ("four dimensions", "a slice .* or a volume .*, got shape"),
        ("complex", "must be real"),
        ("empty", "is empty"),
    ],
)
def test_images_that_cannot_be_enlarged_are_refused_by_name(tmp_path: Path, kind: str, message: str) -> None:
    path = write_bad(tmp_path, kind)
    with pytest.raises(ValueError, match=rf"{path.name}.*{message}"):
        LoadInputd(keys="image")({"image": str(path)})


def test_a_damaged_mat_file_gives_only_the_message_of_its_reader(tmp_path: Path) -> None:
    (tmp_path / "7.mat").write_bytes(b"no matlab file" * 100)
    with pytest.raises(ValueError, match=r"7\.mat"):
        LoadInputd(keys="image")({"image": str(tmp_path / "7.mat")})


@pytest.mark.parametrize(
    ("sform", "qform"),
    [((2, AFFINE), (0, None)), ((4, AFFINE @ np.diag([1.1, 0.9, 1.2, 1.0])), (1, np.diag([2.0, 2, 3, 1])))],
)
def test_the_sform_of_a_nifti_wins_over_its_spacing(
    tmp_path: Path, sform: tuple[int, np.ndarray], qform: tuple[int, np.ndarray | None]
) -> None:
    image = nib.Nifti1Image(np.ones((6, 5, 3), np.float32), None)
    image.set_qform(qform[1], qform[0])
    image.set_sform(sform[1], sform[0])
    nib.save(image, tmp_path / "a.nii")
    loaded = LoadInputd(keys="image")({"image": str(tmp_path / "a.nii")})["image"]
    np.testing.assert_allclose(loaded.affine.numpy(), sform[1], atol=1e-5)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_affine_that_puts_all_pixels_in_one_place_is_refused(tmp_path: Path, value: float) -> None:
    path = save_nifti(tmp_path / "a.nii", np.ones((6, 5), np.float32))
    with path.open("r+b") as file:  # nibabel would not write it: srow_x, srow_y, srow_z of the header
        file.seek(280)
        file.write(np.full(12, value, "<f4").tobytes())
    with pytest.raises(ValueError, match=r"a\.nii: the affine must be finite and invertible"):
        LoadInputd(keys="image")({"image": str(path)})
