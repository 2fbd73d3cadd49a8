# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What a NIfTI file says about its place, its unit and its axes holds for the enlarged file too."""

from __future__ import annotations

import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, decollate_batch
from nibabel.affines import apply_affine, voxel_sizes

from monai_srgan.data import NiftiReader
from monai_srgan.transforms import LoadInput, LoadInputd, SaveSR, SRGeometryd, restore_nifti_geometry

QFORM = np.array([[0.0, -2.0, 0.0, 5.0], [1.0, 0.0, 0.0, 6.0], [0.0, 0.0, 3.0, 7.0], [0.0, 0.0, 0.0, 1.0]])
SFORM = np.array([[0.9, 0.1, 0.0, -5.0], [0.0, 1.1, 0.2, -6.0], [0.3, 0.0, 3.0, 9.0], [0.0, 0.0, 0.0, 1.0]])  # sheared
VALUES = np.random.default_rng(0).integers(1, 99, (6, 5, 3)).astype(np.int16)


def write(path: Path, values: np.ndarray = VALUES, *, sform=(None, 0), qform=(None, 0), **fields) -> Path:
    image = nib.Nifti1Image(values, None)
    image.set_sform(*sform)
    image.set_qform(*qform)
    nib.save(image, path)
    content = path.read_bytes()  # nibabel would correct the fields
    stored = nib.Nifti1Header(content[:348], check=False)
    for name, value in fields.items():
        stored[name] = value
    path.write_bytes(stored.binaryblock + content[348:])
    return path


def enlarge(path: Path) -> nib.Nifti1Image:
    """Load, repeat each pixel 4 x 4 times in plane, and write: the geometry of inference without a network."""
    loader = DataLoader(Dataset([{"image": str(path)}], LoadInputd(keys="image")), batch_size=1)
    item = decollate_batch(next(iter(loader)))[0]
    item["pred"] = item["image"].as_tensor().repeat_interleave(4, dim=1).repeat_interleave(4, dim=2)
    SaveSR(path.parent / "out")(SRGeometryd()(item)["pred"])
    return nib.load(path.parent / "out" / f"{path.name.split('.')[0]}_sr.nii.gz")


def assert_overlays(fine: np.ndarray, coarse: np.ndarray, ratio=(4, 4, 1)) -> None:
    """The pixels of the coarse grid are the means of blocks of the fine one, in place too."""
    ratio = np.asarray(ratio)
    for index in ([0, 0, 0], [5, 4, 2], [2, 0, 1]):
        block = ratio * index + (ratio - 1) / 2
        np.testing.assert_allclose(apply_affine(fine, block), apply_affine(coarse, index), atol=1e-4)


@pytest.mark.parametrize(("sform_code", "qform_code"), [(4, 1), (1, 0), (0, 1), (2, 2), (3, 5)])
def test_both_forms_are_scaled_each_with_its_code(tmp_path: Path, sform_code: int, qform_code: int) -> None:
    given = {"sform": (SFORM, sform_code), "qform": (QFORM, qform_code)}
    path = write(tmp_path / "a.nii", **{name: form if form[1] else (None, 0) for name, form in given.items()})
    header = enlarge(path).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (sform_code, qform_code)
    if sform_code:
        assert_overlays(header.get_sform(), SFORM)
    if qform_code:
        assert_overlays(header.get_qform(), QFORM)
    spacing = voxel_sizes(QFORM if qform_code else SFORM) / (4, 4, 1)
    np.testing.assert_allclose(header.get_zooms(), spacing, rtol=1e-5)


def test_an_image_that_is_not_placed_stays_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", pixdim=[1, 0.5, 0.8, 3, 1, 1, 1, 1])
    image = LoadInput()(path)
    np.testing.assert_allclose(image.pixdim, (0.5, 0.8, 3), rtol=1e-6)
    header = enlarge(path).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    np.testing.assert_allclose(header.get_zooms(), (0.125, 0.2, 3), rtol=1e-6)


@pytest.mark.parametrize(("code", "millimeters"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (8 + 3, 0.001)])
@pytest.mark.parametrize("form", ["sform", "qform", "none"])
def test_other_units_become_millimeters(tmp_path: Path, code: int, millimeters: float, form: str) -> None:
    affine = np.diag([0.5, 0.8, 3.0, 1.0])
    affine[:3, 3] = 10, -20, 30
    stored = affine.copy()
    stored[:3] /= millimeters
    forms = {} if form == "none" else {form: (stored, 1)}
    path = write(tmp_path / "a.nii", pixdim=[1, *np.diag(stored)[:3], 1, 1, 1, 1], xyzt_units=code, **forms)
    np.testing.assert_allclose(LoadInput()(path).pixdim, (0.5, 0.8, 3), rtol=1e-6)
    out = enlarge(path)
    assert out.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(out.header.get_zooms(), (0.125, 0.2, 3), rtol=1e-6)
    if form != "none":
        assert_overlays(out.affine, affine)


@pytest.mark.parametrize("axis", [0, 1])
def test_slices_along_another_axis_are_enlarged_in_plane_and_keep_their_axis(tmp_path: Path, axis: int) -> None:
    ratio = [4, 4, 4]
    ratio[axis] = 1
    affine = np.diag([0.8 if n != axis else 6.0 for n in range(3)] + [1.0])
    affine[:3, 3] = 1, 2, 3
    out = enlarge(write(tmp_path / "a.nii", sform=(affine, 1), qform=(affine, 1)))
    expected = VALUES
    for n, times in enumerate(ratio):
        expected = expected.repeat(times, axis=n)
    np.testing.assert_array_equal(np.asarray(out.dataobj), expected)
    for form in (out.get_sform(), out.get_qform()):
        assert_overlays(form, affine, ratio)


def test_a_qform_that_cannot_be_read_is_dropped_aloud_beside_an_sform(tmp_path: Path, caplog) -> None:
    path = write(tmp_path / "a.nii", sform=(SFORM, 2), qform=(QFORM, 1), quatern_b=3.0)
    with caplog.at_level(logging.WARNING):
        header = enlarge(path).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (2, 0)
    assert "a.nii: the qform cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"qform": (QFORM, 1), "quatern_b": 3.0}, "the qform cannot be read"),
        ({"qform": (QFORM, 1), "quatern_b": np.nan}, "the qform (cannot be read|must be finite)"),
        ({"qform": (QFORM, 1), "qoffset_x": np.inf}, "the qform must be finite"),
        ({"qform": (QFORM, 1), "pixdim": [3, 1, 1, 1, 1, 1, 1, 1]}, "qfac"),
        ({"qform": (QFORM, 1), "pixdim": [1, 1, -1, 1, 1, 1, 1, 1]}, r"spacing \(pixdim\) must be positive"),
        ({"pixdim": [1, 1, 0, 1, 1, 1, 1, 1]}, r"spacing \(pixdim\) must be positive"),
        ({"pixdim": [1, np.nan, 1, 1, 1, 1, 1, 1]}, r"spacing \(pixdim\) must be positive"),
        ({"sform": (SFORM, 1), "sform_code": 77}, "sform_code must be 0 to 5, got 77"),
        ({"sform": (SFORM, 1), "srow_x": [0, 0, 0, 0]}, "the affine must be finite and invertible"),
    ],
)
def test_forms_that_make_no_sense_are_refused(tmp_path: Path, given, message: str) -> None:
    with pytest.raises(ValueError, match=rf"a\.nii: .*{message}"):
        LoadInput()(write(tmp_path / "a.nii", **given))


def test_defaults_of_the_standard_are_filled_in(tmp_path: Path) -> None:
    flat = write(tmp_path / "a.nii", VALUES[..., 0], pixdim=[0, 0.5, 0.8, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(voxel_sizes(LoadInput()(flat).affine.numpy()), (0.5, 0.8, 1), rtol=1e-6)
    mirrored = QFORM @ np.diag([1, 1, -1, 1])
    np.testing.assert_allclose(LoadInput()(write(tmp_path / "b.nii", qform=(mirrored, 1))).affine, mirrored, atol=1e-6)


def test_a_file_of_a_writer_that_knows_one_affine_gets_its_source_s_forms(tmp_path: Path) -> None:
    image = LoadInput()(write(tmp_path / "a.nii", sform=(SFORM, 4), qform=(QFORM, 1)))
    written = tmp_path / "answer.nii.gz"
    nib.save(nib.Nifti1Image(VALUES.astype(np.float32), np.eye(4)), written)
    restore_nifti_geometry(written, image.meta)
    answer = nib.load(written)
    assert (int(answer.header["sform_code"]), int(answer.header["qform_code"])) == (4, 1)
    np.testing.assert_allclose(answer.get_sform(), SFORM, atol=1e-6)
    np.testing.assert_allclose(answer.get_qform(), QFORM, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(answer.dataobj), VALUES)
    before = written.read_bytes()
    restore_nifti_geometry(written, {"affine": np.eye(4)})
    assert written.read_bytes() == before


def test_the_reader_stacks_files(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}.nii", VALUES + n, sform=(SFORM, 1)) for n in range(2)]
    array, meta = NiftiReader().get_data(NiftiReader().read(paths))
    np.testing.assert_array_equal(array, np.stack([VALUES, VALUES + 1]))
    np.testing.assert_allclose(meta["affine"], SFORM, atol=1e-6)


@pytest.mark.parametrize("name", ["a.jpg", "a.nrrd", "a.mgz", "a.img"])
def test_types_that_only_monai_s_readers_know_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"%!PS-Adobe")
    with pytest.raises(ValueError, match="the suffix must be one of"):
        LoadInput()(tmp_path / name)


def test_several_files_are_no_image(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", sform=(SFORM, 1))
    with pytest.raises(ValueError, match="must be one image, got 2"):
        LoadInput()([path, path])
    assert torch.equal(LoadInput()([path]), LoadInput()(path))
