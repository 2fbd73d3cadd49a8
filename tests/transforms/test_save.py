# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How super-resolved images are written."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import SaveImaged
from PIL import Image

from monai_srgan.transforms import SaveSR, SaveSRd

AFFINE = np.array([[0.0, -2.0, 0.3, 10.0], [1.5, 0.0, 0.0, -20.0], [0.0, 0.1, 6.0, 30.0], [0.0, 0.0, 0.0, 1.0]])


def image(shape: tuple[int, ...] = (8, 6, 1), source: str = "in/7.mat", **meta: Any) -> MetaTensor:
    values = torch.arange(float(np.prod(shape))).reshape(1, *shape) * 3.5
    return MetaTensor(values, affine=torch.as_tensor(AFFINE), meta={"filename_or_obj": source, **meta})


def datalist(*names: str) -> list[dict[str, str]]:
    return [{"image": name} for name in names]


def test_nifti_holds_the_values_as_float32_on_the_true_grid(tmp_path: Path) -> None:
    pred = image(source_ndim=2)
    SaveSR(tmp_path)(pred)
    saved = nib.load(tmp_path / "7_sr.nii.gz")
    assert saved.shape == (8, 6)
    assert saved.get_data_dtype() == np.float32
    np.testing.assert_array_equal(saved.get_fdata(), pred[0, ..., 0].numpy())
    np.testing.assert_allclose(saved.affine, AFFINE, atol=1e-6)
    assert saved.header.get_xyzt_units()[0] == "mm"


@pytest.mark.parametrize(("shape", "ndim"), [((8, 6, 1), 3), ((8, 6, 4), 3)])
def test_a_volume_is_saved_as_a_volume_even_of_one_slice(tmp_path: Path, shape: tuple[int, ...], ndim: int) -> None:
    SaveSR(tmp_path)(image(shape, source_ndim=ndim))
    assert nib.load(tmp_path / "7_sr.nii.gz").shape == shape


def test_the_source_s_coordinate_system_keeps_its_code(tmp_path: Path) -> None:
    SaveSR(tmp_path, output_ext=".nii")(image(source="a.b.nii.gz", sform_code=4, qform_code=1))
    header = nib.load(tmp_path / "a.b_sr.nii").header
    assert int(header["sform_code"]) == 4


@pytest.mark.parametrize(("mode", "dtype", "top"), [("L", np.uint8, 255), ("I;16", np.uint16, 65535)])
def test_a_png_of_a_png_keeps_units_depth_and_orientation(tmp_path: Path, mode: str, dtype: type, top: int) -> None:
    pred = torch.zeros(1, 4, 3, 1)  # x, y
    pred[0, 3, 0, 0] = 41.6  # the last column of the first row
    pred[0, 0, 2, 0] = 1e6
    pred[0, 1, 1, 0] = -7.0
    SaveSR(tmp_path, output_ext=".png")(pred, {"filename_or_obj": "p.png", "mode": mode})
    rows = np.asarray(Image.open(tmp_path / "p_sr.png"))
    assert rows.dtype == dtype
    np.testing.assert_array_equal(rows, [[0, 0, 0, 42], [0, 0, 0, 0], [top, 0, 0, 0]])


@pytest.mark.parametrize(
    ("codes", "corner"),
    [
        ("LPS", (0, 0)),  # x to the left, y to the back: as it lies in memory, transposed
        ("RAS", (-1, -1)),  # the first voxel is at the patient's left and back: bottom right in radiological view
        ("PSL", (-1, 0)),  # sagittal, first voxel in front and below: bottom left
        ("SLA", (-1, 0)),  # coronal, first axis upwards, second to the left: bottom left
        ("IRA", (0, -1)),
    ],
)
def test_a_picture_of_a_nifti_slice_stands_upright(tmp_path: Path, codes: str, corner: tuple[int, int]) -> None:
    affine = nib.orientations.inv_ornt_aff(
        nib.orientations.ornt_transform(
            nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(tuple(codes))
        ),
        (1, 1, 1),
    )
    assert "".join(nib.aff2axcodes(affine)) == codes
    pred = torch.zeros(1, 5, 4, 1)
    pred[0, 0, 0, 0] = 100.0
    SaveSR(tmp_path, output_ext=".png")(pred, {"filename_or_obj": "a.nii", "affine": affine})
    rows = np.asarray(Image.open(tmp_path / "a_sr.png"))
    assert rows.dtype == np.uint8
    assert rows[corner] == 255
    assert np.count_nonzero(rows) == 1
    assert rows.shape == ((5, 4) if codes[0] in "SI" else (4, 5))


def test_a_picture_is_white_at_the_percentile_not_at_a_bright_vessel(tmp_path: Path) -> None:
    pred = torch.full((1, 100, 100, 1), 2000.0)
    pred[0, 0, 0, 0] = 12728.0
    SaveSR(tmp_path, output_ext=".png")(pred, {"filename_or_obj": "7.mat"})
    assert np.asarray(Image.open(tmp_path / "7_sr.png")).min() == 255


def test_an_existing_file_is_refused_by_name_and_kept_unless_overwrite_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "7_sr.nii.gz").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match=r"7_sr\.nii\.gz exists.*overwrite"):
        SaveSR(tmp_path)(image())
    assert (tmp_path / "7_sr.nii.gz").read_bytes() == b"precious"
    SaveSR(tmp_path, overwrite=True)(image())
    assert nib.load(tmp_path / "7_sr.nii.gz").shape == (8, 6, 1)


def test_an_interrupted_write_leaves_nothing_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "7_sr.nii.gz").write_bytes(b"precious")

    def half(_: Any, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(nib.Nifti1Image, "to_filename", half)
    with pytest.raises(OSError, match="disk full"):
        SaveSR(tmp_path, overwrite=True)(image())
    assert [path.name for path in tmp_path.iterdir()] == ["7_sr.nii.gz"]
    assert (tmp_path / "7_sr.nii.gz").read_bytes() == b"precious"


def test_the_check_makes_the_folder_and_names_the_outputs_in_order(tmp_path: Path) -> None:
    save = SaveSR(tmp_path / "new" / "folder", output_postfix="x4", output_ext=".png")
    assert [path.name for path in save.check(datalist("in/b.mat", "in/a.nii.gz"))] == ["b_x4.png", "a_x4.png"]
    assert (tmp_path / "new" / "folder").is_dir()


def test_the_check_refuses_existing_outputs_before_any_is_computed(tmp_path: Path) -> None:
    (tmp_path / "8_sr.nii.gz").touch()
    with pytest.raises(FileExistsError, match=r"8_sr\.nii\.gz exists"):
        SaveSR(tmp_path).check(datalist("7.mat", "8.mat"))
    assert len(SaveSR(tmp_path, overwrite=True).check(datalist("7.mat", "8.mat"))) == 2


def test_the_check_refuses_two_sources_of_one_output(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"in/7\.mat and in/7\.png would both be written to .*7_sr\.nii\.gz"):
        SaveSR(tmp_path).check(datalist("in/7.mat", "in/7.png"))


def test_the_check_refuses_to_overwrite_an_input(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("7.mat", "7_sr.nii.gz")]
    with pytest.raises(ValueError, match=r"7_sr\.nii\.gz is both an input and an output of this run"):
        SaveSR(tmp_path, overwrite=True).check(datalist(*files))


def test_the_check_refuses_an_empty_list_and_says_what_to_pass(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="datalist is empty"):
        SaveSR(tmp_path).check([])


def test_an_output_folder_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"output_dir .*file cannot be created"):
        SaveSR(tmp_path / "file").check(datalist("7.mat"))


@pytest.mark.parametrize(
    ("pred", "ext", "message"),
    [
        (image((8, 6, 2)), ".png", r"7\.mat: a volume of 2 slices cannot be written as a picture"),
        (image() * float("nan"), ".nii", r"7\.mat: .* NaN"),
        (image() * 0, ".png", r"7\.mat: a PNG needs intensities above 0"),
        (torch.zeros(1, 8, 6), ".nii", "filename_or_obj"),
        (MetaTensor(torch.zeros(2, 8, 6), meta={"filename_or_obj": "7.mat"}), ".nii", r"got \(2, 8, 6\)"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, pred: torch.Tensor, ext: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SaveSR(tmp_path, output_ext=ext)(pred)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match=r"output_ext must be one of .*, got '\.jpg'"):
        SaveSR("out", output_ext=".jpg")


def test_the_dictionary_version_writes_its_keys_and_is_a_saver_to_monai_label(tmp_path: Path) -> None:
    save = pickle.loads(pickle.dumps(SaveSRd(keys="pred", output_dir=tmp_path)))
    assert isinstance(save, SaveImaged)
    data = save({"pred": image(), "image": 1})
    assert data["image"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["7_sr.nii.gz"]


def test_integers_are_rounded_and_what_lies_outside_is_clipped_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pred = image((3, 2, 1), source_ndim=2)
    pred[0, :, :, 0] = torch.tensor([[-3.7, 0.4], [1.5, 2.5], [254.6, 300.0]])
    with caplog.at_level("WARNING"):
        SaveSR(tmp_path, output_dtype="uint8")(pred)
    saved = nib.load(tmp_path / "7_sr.nii.gz")
    assert saved.get_data_dtype() == np.uint8
    assert saved.header.get_slope_inter() == (None, None)
    np.testing.assert_array_equal(np.asarray(saved.dataobj), [[0, 0], [2, 2], [255, 255]])  # halves to even
    assert "7.mat: 2 of 6 values are outside the range of uint8 and were clipped" in caplog.text


@pytest.mark.parametrize(("source", "dtype"), [("int16", np.int16), ("float64", np.float64), ("int64", np.float32)])
def test_the_type_may_be_the_source_s(tmp_path: Path, source: str, dtype: type) -> None:
    SaveSR(tmp_path, output_dtype="source")(image(source_dtype=source))
    assert nib.load(tmp_path / "7_sr.nii.gz").get_data_dtype() == dtype


def test_a_type_that_nifti_readers_do_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"output_dtype must be one of uint8, .* or 'source', got 'complex64'"):
        SaveSR(tmp_path, output_dtype="complex64")
    with pytest.raises(ValueError, match=r"output_dtype applies to NIfTI only.*got 'uint8'"):
        SaveSR(tmp_path, output_ext=".png", output_dtype="uint8")


def test_a_sheared_affine_leaves_no_qform_that_is_another(tmp_path: Path) -> None:
    sheared = AFFINE @ np.array([[1.0, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    pred = image(source_ndim=3)
    pred.affine = torch.as_tensor(sheared)
    SaveSR(tmp_path)(pred)
    saved = nib.load(tmp_path / "7_sr.nii.gz")
    np.testing.assert_allclose(saved.affine, sheared, atol=1e-5)
    assert int(saved.header["qform_code"]) == 0
    np.testing.assert_allclose(saved.header.get_zooms(), nib.affines.voxel_sizes(sheared), rtol=1e-5)


def test_a_postfix_with_a_folder_is_refused_and_a_number_taken(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="output_postfix must be part of a file name"):
        SaveSR(tmp_path, "a/b")
    assert SaveSR(tmp_path, 4).path_for("7.mat").name == "7_4.nii.gz"  # type: ignore[arg-type]


def test_a_picture_beside_a_nifti_result_leaves_that_one_s_maps(tmp_path: Path) -> None:
    for name in ("7_sr.nii.gz", "7_sr_spread.nii.gz"):
        (tmp_path / name).touch()
    SaveSR(tmp_path, output_ext=".png", outdated=("sr_spread",))(image(source_ndim=2))
    assert (tmp_path / "7_sr_spread.nii.gz").exists()
    SaveSR(tmp_path, overwrite=True, outdated=("sr_spread",))(image(source_ndim=2))
    assert not (tmp_path / "7_sr_spread.nii.gz").exists()


@pytest.mark.parametrize("name", [2.5, ("left", "right"), 1e3])
def test_a_folder_that_a_command_line_read_as_a_number_is_refused(name):
    with pytest.raises(ValueError, match="output_dir must be a path, got"):
        SaveSR(name)
    assert SaveSR(123).output_dir == Path("123")
