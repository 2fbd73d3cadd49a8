# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from mat_files import COLUMNS, ROWS, fields, save_slice, save_v5, save_v73
from monai.data import ITKReader, MetaTensor
from monai.transforms import LoadImage, LoadImaged, SaveImage
from PIL import Image
from skimage.draw import polygon2mask

from monai_srgan.data import MatFileError, MatReader, read_cjdata, read_mat, slice_affine
from monai_srgan.data.mat_file import open_mat
from monai_srgan.transforms import LoadMatd


@pytest.fixture(params=[save_v73, save_v5], ids=["v7.3", "v5"])
def saver(request):
    return request.param


def test_both_versions_of_the_same_slice_are_equal_and_x_first(tmp_path):
    made = fields()
    new = read_cjdata(save_v73(tmp_path / "new.mat", {"cjdata": made}))
    old = read_cjdata(save_v5(tmp_path / "old.mat", {"cjdata": made}))
    for data in (new, old):
        assert data.image.shape == (COLUMNS, ROWS)
        assert data.image.dtype == np.int16
        assert data.image[5, 3] == made["image"][3, 5]
        assert data.mask.dtype == np.uint8
        np.testing.assert_array_equal(data.mask, made["tumorMask"].T)
        assert (data.label, data.pid, data.patient) == (2, "MR024780B", "MR024780")
        np.testing.assert_array_equal(data.border, [[15, 4], [24, 4], [24, 9], [15, 9]])
    np.testing.assert_array_equal(new.image, old.image)


def test_the_filled_border_is_the_mask_in_the_same_axes(tmp_path):
    data = read_cjdata(save_slice(tmp_path / "1.mat"))
    inside = np.argwhere(data.mask)
    np.testing.assert_array_equal(inside.min(0), data.border.min(0))
    np.testing.assert_array_equal(inside.max(0), data.border.max(0))


@pytest.mark.parametrize("by_name", [False, True])
def test_load_image_takes_the_reader_by_instance_and_by_name(tmp_path, saver, by_name):
    made = fields()
    path = saver(tmp_path / "7.mat", {"cjdata": made})
    reader = "monai_srgan.data.MatReader" if by_name else MatReader()
    image = LoadImage(reader=reader, ensure_channel_first=True)(path)
    assert isinstance(image, MetaTensor)
    np.testing.assert_array_equal(image.numpy()[0], made["image"].T.astype(np.float32))
    np.testing.assert_allclose(image.affine.numpy(), np.diag([-0.49, -0.49, 7.0, 1.0]))
    np.testing.assert_allclose(image.meta["original_affine"], np.diag([-0.49, -0.49, 7.0, 1.0]))
    assert tuple(image.meta["spatial_shape"]) == (COLUMNS, ROWS)
    assert np.isnan(image.meta["original_channel_dim"])
    assert image.meta["space"] == "RAS"
    assert image.meta["filename_or_obj"] == str(path)


def test_a_variable_is_found_by_its_path_through_structs(tmp_path, saver):
    array = np.arange(6.0).reshape(2, 3)
    path = saver(tmp_path / "a.mat", {"top": array, "outer": {"inner": {"deep": array + 10}}})
    np.testing.assert_array_equal(read_mat(path, "top"), array.T)
    np.testing.assert_array_equal(MatReader("outer/inner/deep").read(path), array.T + 10)
    np.testing.assert_array_equal(MatReader().read(path, variable="top"), array.T)


def test_a_volume_has_axes_x_y_z_in_both_versions(tmp_path, saver):
    volume = np.arange(24.0).reshape(2, 3, 4)  # MATLAB: row, column, slice
    path = saver(tmp_path / "v.mat", {"volume": volume})
    read = MatReader("volume").read(path)
    assert read.shape == (3, 2, 4)
    assert read[2, 1, 3] == volume[1, 2, 3]


def test_several_files_are_stacked(tmp_path):
    paths = [save_slice(tmp_path / f"{i}.mat", image=np.full((3, 4), i) + np.eye(3, 4), tumorMask=None) for i in (1, 2)]
    stacked = LoadImage(reader=MatReader())(paths)
    assert stacked.shape == (2, 4, 3)
    assert stacked[1, 0, 1] == 2
    assert stacked.meta["original_channel_dim"] == 0


def test_only_mat_files_are_claimed():
    reader = MatReader()
    assert reader.verify_suffix("a/7.mat")
    assert reader.verify_suffix(["7.mat", "8.MAT"])
    assert not reader.verify_suffix(["7.mat", "8.png"])


def test_the_reader_can_be_pickled(tmp_path):
    path = save_slice(tmp_path / "1.mat")
    reader = pickle.loads(pickle.dumps(MatReader(version="7.3", spacing=(1, 2, 3))))
    array, meta = reader.get_data(reader.read(path))
    assert array.shape == (COLUMNS, ROWS)
    np.testing.assert_allclose(meta["affine"], np.diag([-1, -2, 3, 1]))


def test_a_slice_saved_as_png_looks_as_in_matlab(tmp_path):
    made = fields(image=(np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) % 251).astype(np.int16))
    image = LoadImage(reader=MatReader(), ensure_channel_first=True)(save_v73(tmp_path / "1.mat", {"cjdata": made}))
    SaveImage(tmp_path, output_ext=".png", output_postfix="", separate_folder=False, print_log=False)(image)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "1.png")), made["image"])


def test_a_slice_saved_as_nifti_overlays_and_is_upright_in_a_radiological_viewer(tmp_path):
    nib = pytest.importorskip("nibabel")
    made = fields()
    image = LoadImage(reader=MatReader(), ensure_channel_first=True)(save_v73(tmp_path / "1.mat", {"cjdata": made}))
    SaveImage(tmp_path, output_ext=".nii.gz", output_postfix="", separate_folder=False, print_log=False)(image)
    saved = nib.load(tmp_path / "1.nii.gz")
    np.testing.assert_allclose(saved.affine, slice_affine(), atol=1e-6)
    one_slice = nib.Nifti1Image(np.asarray(saved.dataobj)[..., None], saved.affine)
    ras = nib.as_closest_canonical(one_slice).get_fdata()[..., 0]  # axes grow to the right and to the front
    picture = ras[::-1, ::-1].T  # seen from the feet: the patient's right at the left, the front at the top
    np.testing.assert_array_equal(picture, made["image"])
    again = LoadImage(reader="NibabelReader", ensure_channel_first=True)(tmp_path / "1.nii.gz")
    np.testing.assert_allclose(again.affine.numpy(), image.affine.numpy(), atol=1e-6)


# ITK's SWIG types warn while they are made, which must not become an error inside its C code
@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
def test_the_orientation_is_that_of_itk_for_pictures_without_one(tmp_path):
    pytest.importorskip("itk")
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / "a.png")
    _, meta = (reader := ITKReader()).get_data(reader.read(tmp_path / "a.png"))
    np.testing.assert_array_equal(np.sign(meta["affine"].diagonal()[:2]), np.sign(slice_affine().diagonal()[:2]))


@pytest.mark.parametrize("spacing", [(1, 1), (0.49, 0, 7), (0.49, float("nan"), 7)])
def test_a_bad_spacing_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing must be three positive numbers"):
        MatReader(spacing=spacing)


def test_a_file_of_the_other_version_is_refused_by_name(tmp_path):
    new = save_v73(tmp_path / "new.mat", {"cjdata": fields()})
    old = save_v5(tmp_path / "old.mat", {"cjdata": fields()})
    with pytest.raises(MatFileError, match=r"old\.mat: must be a MATLAB file of version 7\.3, got version 5"):
        MatReader(version="7.3").read(old)
    with pytest.raises(MatFileError, match=r"new\.mat: must be a MATLAB file of version 5, got version 7\.3"):
        read_cjdata(new, version="5")
    with pytest.raises(ValueError, match=r"version must be '7\.3', '5' or None"):
        MatReader(version="6")


@pytest.mark.parametrize("keep", [100, 600, 0.5, 0.98])
def test_a_truncated_file_is_named(tmp_path, saver, keep):
    path = saver(tmp_path / "1.mat", {"cjdata": fields()})
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(MatFileError, match=r"1\.mat: the file is truncated or damaged"):
        read_cjdata(path)


def test_flipped_bytes_in_the_compressed_image_are_found(tmp_path):
    path = save_slice(tmp_path / "1.mat", image=np.random.default_rng(0).integers(0, 9000, (200, 200)).astype(np.int16))
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data) // 2 + 50):
        data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(MatFileError, match="truncated or damaged"):
        read_cjdata(path)


def test_a_field_whose_name_is_damaged_is_missing(tmp_path):
    path = save_slice(tmp_path / "1.mat")
    data = path.read_bytes()
    assert data.count(b"tumorMask") == 1
    path.write_bytes(data.replace(b"tumorMask", b"tumor\xffask"))
    with pytest.raises(MatFileError, match=r"1\.mat: cjdata lacks field\(s\) tumorMask"):
        read_cjdata(path)


@pytest.mark.parametrize("content", [b"", b"<html>Not found</html>", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_file_that_is_not_matlab_is_named(tmp_path, content):
    path = tmp_path / "1.mat"
    path.write_bytes(content)
    with pytest.raises(MatFileError, match=r"1\.mat: must be a MATLAB file of version 7\.3 or 5, got"):
        read_cjdata(path)


def test_a_missing_file_raises_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.mat"):
        read_cjdata(tmp_path / "none.mat")


def test_a_missing_variable_lists_what_is_there(tmp_path, saver):
    path = saver(tmp_path / "1.mat", {"cjdata": fields(tumorMask=None), "other": np.eye(3)})
    with pytest.raises(MatFileError, match="there is no 'images' in 'cjdata', only PID, image, label, tumorBorder"):
        read_mat(path, "cjdata/images")
    with pytest.raises(MatFileError, match="there is no 'x' at the top level, only cjdata, other"):
        read_mat(path, "x/y")
    with pytest.raises(MatFileError, match="there is no 'part' in 'other', only a plain array"):
        read_mat(path, "other/part")
    with pytest.raises(MatFileError, match="'cjdata' is a struct, not an array"):
        read_mat(path, "cjdata")
    with pytest.raises(MatFileError, match=r"lacks field\(s\) tumorMask: it has PID, image, label, tumorBorder"):
        read_cjdata(path)


@pytest.mark.parametrize(
    "variable", ["cjdata/.", "cjdata/../cjdata/image", "cjdata//image", "#refs#", "__header__", ""]
)
def test_file_system_paths_are_not_variables(tmp_path, saver, variable):
    path = saver(tmp_path / "1.mat", {"cjdata": fields()})
    if saver is save_v73:
        with h5py.File(path, "r+") as file:
            file["#refs#/a"] = file["__header__"] = 1.0
    with pytest.raises(MatFileError, match=r"does not exist: there is no '.*' .* only (cjdata|PID, image, label)"):
        read_mat(path, variable)


def test_all_missing_fields_are_named_even_where_another_is_damaged(tmp_path):
    path = save_slice(tmp_path / "1.mat", tumorMask=None, PID=None)
    with h5py.File(path, "r+") as file:
        del file["cjdata/image"]
        file["cjdata/image"] = np.array([b"no", b"numbers"])
    with pytest.raises(MatFileError, match=r"lacks field\(s\) PID, tumorMask: it has image, label, tumorBorder"):
        read_cjdata(path)


@pytest.mark.parametrize("damage", [b"MATLAB_class", b"MATLAB_empty"])
def test_a_damaged_attribute_is_reported_once(tmp_path, damage):
    path = save_slice(tmp_path / "1.mat")
    with h5py.File(path, "r+") as file:
        # text whose bytes lie elsewhere in the file, where they can be destroyed
        file["cjdata/PID"].attrs[damage.decode()] = "the class that this is of" * 3
    data = path.read_bytes()
    heap = data.rindex(b"GCOL")
    path.write_bytes(data[:heap] + b"XXXX" + data[heap + 4 :])
    with pytest.raises(MatFileError, match="truncated or damaged") as caught:
        read_cjdata(path)
    assert str(caught.value).count("truncated or damaged") == 1


def test_a_file_without_cjdata_lists_what_is_there(tmp_path, saver):
    path = saver(tmp_path / "1.mat", {"cvind": np.ones((1, 9))})
    with pytest.raises(MatFileError, match="there is no 'cjdata' at the top level, only cvind"):
        read_cjdata(path)


BAD = {
    "empty mask": ({"tumorMask": np.zeros((ROWS, COLUMNS), np.uint8)}, "tumorMask must not be empty"),
    "turned mask": (
        {"tumorMask": np.eye(COLUMNS, ROWS, dtype=np.uint8)},
        r"tumorMask must have the image's size \(32, 24\)",
    ),
    "mask of 255": ({"tumorMask": np.eye(ROWS, COLUMNS) * 255}, "tumorMask must contain only 0 and 1"),
    "mask of 2": ({"tumorMask": 2 * np.eye(ROWS, COLUMNS, dtype=np.uint8)}, "tumorMask must contain only 0 and 1"),
    "mask of -1": ({"tumorMask": -np.eye(ROWS, COLUMNS, dtype=np.int8)}, "tumorMask must contain only 0 and 1"),
    "soft mask": ({"tumorMask": 0.5 * np.eye(ROWS, COLUMNS)}, "tumorMask must contain only 0 and 1"),
    "mask of NaN": ({"tumorMask": np.nan * np.eye(ROWS, COLUMNS)}, "tumorMask must contain only 0 and 1"),
    "NaN": ({"image": np.where(np.eye(ROWS, COLUMNS), np.nan, 1.5)}, "image must be finite, got 24 NaN"),
    "infinity": ({"image": np.where(np.eye(ROWS, COLUMNS), np.inf, 1.5)}, "image must be finite"),
    "constant": ({"image": np.full((ROWS, COLUMNS), 9, np.int16)}, "must not be constant, every pixel is 9"),
    "volume": ({"image": np.ones((ROWS, COLUMNS, 3))}, "image must be a 2-D array"),
    "complex": ({"image": np.eye(ROWS, COLUMNS) * 1j}, "image must be a 2-D array of real numbers|is complex"),
    "type 4": ({"label": 4.0}, "label must be 1 .meningioma., 2"),
    "no PID": ({"PID": np.zeros((1, 0))}, "PID must be the patient ID"),
    "odd border": ({"tumorBorder": np.ones((1, 7))}, "tumorBorder must be x1, y1"),
    "border table": ({"tumorBorder": np.ones((2, 8))}, "tumorBorder must be x1, y1"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_slice_that_breaks_the_layout_is_refused_with_its_file_and_rule(tmp_path, saver, name):
    changes, message = BAD[name]
    path = saver(tmp_path / "12.mat", {"cjdata": fields(**changes)})
    with pytest.raises(MatFileError, match=rf"12\.mat: .*({message})"):
        read_cjdata(path)


def test_an_array_marked_as_empty_by_matlab_is_empty(tmp_path):
    path = save_slice(tmp_path / "1.mat")
    with h5py.File(path, "r+") as file:
        del file["cjdata/PID"]
        file["cjdata/PID"] = np.array([49, 0], np.uint64)  # 49 by 0 characters; 49 is the code of "1"
        file["cjdata/PID"].attrs.update({"MATLAB_empty": np.uint8(1), "MATLAB_class": np.bytes_(b"char")})
    assert read_mat(path, "cjdata/PID").size == 0
    with pytest.raises(MatFileError, match="PID must be the patient ID as text"):
        read_cjdata(path)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.int32, np.uint64, np.float32, np.float64])
def test_a_mask_of_any_type_of_number_is_the_same_mask(tmp_path, dtype):
    mask = fields()["tumorMask"]
    data = read_cjdata(save_slice(tmp_path / "1.mat", tumorMask=mask.astype(dtype)))
    assert data.mask.dtype == np.uint8
    np.testing.assert_array_equal(data.mask, mask.T)


def test_a_patient_id_saved_as_a_number_is_the_same_text(tmp_path, saver):
    data = read_cjdata(saver(tmp_path / "1.mat", {"cjdata": fields(PID=97374.0)}))
    assert (data.pid, data.patient) == ("97374", "97374")


def stored_pid(path, codes, matlab_class, dtype=np.uint16):
    """A slice whose PID is an array of codes of the given MATLAB class, as bytes or text, or of none."""
    save_slice(path)
    with h5py.File(path, "r+") as file:
        del file["cjdata/PID"]
        file["cjdata/PID"] = np.array(codes, dtype)[:, None]
        if matlab_class is not None:
            file["cjdata/PID"].attrs["MATLAB_class"] = matlab_class
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_a_patient_id_saved_as_an_integer_gives_its_digits(tmp_path, saver, dtype):
    number = 97 if dtype is np.uint8 else 9737
    assert read_cjdata(saver(tmp_path / "1.mat", {"cjdata": fields(PID=dtype(number))})).pid == str(number)


@pytest.mark.parametrize(
    ("codes", "matlab_class", "pid"),
    [
        ([9737], np.bytes_(b"uint16"), "9737"),
        ([9737], None, "9737"),
        ([57], np.bytes_(b"char"), "9"),
        ([57], "char", "9"),
        ([49, 48, 57], np.bytes_(b"char"), "109"),
        ([49, 48, 57], "char", "109"),
        ([49, 48, 57], None, "109"),
    ],
)
def test_codes_without_a_class_are_characters_only_if_there_are_several(tmp_path, codes, matlab_class, pid):
    assert read_cjdata(stored_pid(tmp_path / "1.mat", codes, matlab_class)).pid == pid


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
@pytest.mark.parametrize(("codes", "pid"), [([57], "9"), ([49, 48, 57], "109")])
def test_characters_are_codes_of_any_width(tmp_path, dtype, codes, pid):
    assert read_cjdata(stored_pid(tmp_path / "1.mat", codes, np.bytes_(b"char"), dtype)).pid == pid


@pytest.mark.parametrize("matlab_class", [np.bytes_(b"uint16"), "uint16"])
def test_several_numbers_are_refused_as_patient_id(tmp_path, matlab_class):
    with pytest.raises(MatFileError, match=r"PID must be the patient ID as text, got \[49, 48, 57\]"):
        read_cjdata(stored_pid(tmp_path / "1.mat", [49, 48, 57], matlab_class))


@pytest.mark.parametrize("error", [TypeError("mine"), KeyError("mine"), ValueError("mine")])
def test_errors_of_the_caller_are_not_reported_as_damage(tmp_path, saver, error):
    path = saver(tmp_path / "1.mat", {"cjdata": fields()})
    with pytest.raises(type(error), match="mine") as caught, open_mat(path):
        raise error
    assert caught.value is error


def test_load_image_wraps_the_error_and_load_mat_does_not(tmp_path):
    path = save_slice(tmp_path / "1.mat")
    path.write_bytes(path.read_bytes()[:-500])
    item = {"image": str(path)}
    with pytest.raises(RuntimeError, match=r"1\.mat: the file is truncated or damaged"):
        LoadImaged("image", reader="monai_srgan.data.MatReader")(item)
    with pytest.raises(MatFileError, match=r"^[^\n]*1\.mat: the file is truncated or damaged[^\n]*$"):
        LoadMatd("image")(item)


def test_slices_of_256_pixels_are_read_like_the_rest(tmp_path):
    mask = np.zeros((256, 256), np.uint8)
    mask[100:120, 50:90] = 1
    image = np.arange(256 * 256, dtype=np.int32).reshape(256, 256)
    assert read_cjdata(save_slice(tmp_path / "955.mat", image=image, tumorMask=mask)).image.shape == (256, 256)


@pytest.mark.real_data
def test_real_masks_are_their_filled_borders_and_not_the_swapped_ones(real_data_dir):
    straight, swapped = [], []
    for path in sorted(real_data_dir.rglob("[0-9]*.mat"))[::12]:
        data = read_cjdata(path)
        mask = data.mask.astype(bool)
        for border, values in ((data.border, straight), (data.border[:, ::-1], swapped)):
            filled = polygon2mask(mask.shape, border)
            values.append((filled & mask).sum() / (filled | mask).sum())
    assert np.mean(straight) > 0.9
    assert np.mean(swapped) < 0.4


@pytest.mark.real_data
def test_real_slices_match_the_manifest(real_data_dir):
    manifest = Path(real_data_dir) / "manifest.csv"
    if not manifest.is_file():
        pytest.skip("the folder of slices has no manifest.csv")
    with manifest.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        data = read_cjdata(real_data_dir / row["file"])
        assert (data.pid, data.patient, data.label) == (row["pid"], row["patient"], int(row["label"]))
        assert (int(data.image.max()), int(data.mask.sum())) == (int(row["intensity_max"]), int(row["mask_pixels"]))
        assert len(data.border) == int(row["border_points"])
