# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The place of DICOM images comes from positions and cosines that make sense, and from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import itk
import numpy as np
import pytest
from dicom_files import COLUMN, NORMAL, ORIGIN, ROW, SPACING, replace_bytes, world, write_series, write_slice
from monai.data import ITKReader
from pydicom.dataset import Dataset

from monai_srgan.data import DicomReader

ROWS = np.arange(40, dtype=np.uint16).reshape(5, 8)
VOLUME = np.stack([ROWS + 100 * number for number in range(4)])


def affine_of(path: Path) -> np.ndarray:
    return DicomReader().read(path).affine


def test_affines_equal_those_of_itk_for_files_without_faults(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "t1c", VOLUME)
    files = sorted(folder.iterdir(), reverse=True)  # names tell the opposite order
    for path, source in ((folder, itk.imread([str(file) for file in files])), (files[2], itk.imread(str(files[2])))):
        np.testing.assert_allclose(affine_of(path), ITKReader().get_data(source)[1]["affine"], atol=1e-4)


@pytest.mark.parametrize("value", ["-4", "0", "17", None])
def test_the_slice_distance_is_that_of_positions(tmp_path: Path, value: str | None) -> None:
    affine = affine_of(write_series(tmp_path / "t1c", VOLUME, SpacingBetweenSlices=value, SliceThickness=value))
    for voxel in ((0, 0, 0), (7, 4, 3)):
        np.testing.assert_allclose(affine @ [*voxel, 1], [*world(*voxel), 1], atol=1e-4)


@pytest.mark.parametrize(
    ("between", "thickness", "depth"), [("4", "3", 4.0), ("-4", "3", 3.0), ("0", "3", 3.0), (None, "0", 1.0)]
)
def test_the_depth_of_a_single_slice_is_positive(
    tmp_path: Path, between: str | None, thickness: str, depth: float
) -> None:
    path = write_slice(tmp_path / "a.dcm", ROWS, SpacingBetweenSlices=between, SliceThickness=thickness)
    np.testing.assert_allclose(affine_of(path)[:3, 2], depth * NORMAL * (-1, -1, 1), atol=1e-4)


def test_cosines_rounded_to_two_decimals_become_perpendicular_unit_vectors(tmp_path: Path) -> None:
    rounded = [f"{v:.2f}" for v in (*ROW, *COLUMN)]
    assert abs(np.dot([float(v) for v in rounded[:3]], [float(v) for v in rounded[3:]])) > 1e-3
    for path in (
        write_slice(tmp_path / "a.dcm", ROWS, ImageOrientationPatient=rounded),
        write_series(tmp_path / "t1c", VOLUME, ImageOrientationPatient=rounded),
    ):
        x, y = affine_of(path)[:3, :2].T / [[SPACING[1]], [SPACING[0]]]
        np.testing.assert_allclose([x @ x, y @ y, x @ y], [1, 1, 0], atol=1e-12)
        np.testing.assert_allclose([x, y], np.array([ROW, COLUMN]) * (-1, -1, 1), atol=0.005)
    np.testing.assert_allclose(affine_of(tmp_path / "t1c") @ [0, 0, 3, 1], [*world(0, 0, 3), 1], atol=1e-4)


@pytest.mark.parametrize(
    ("tag", "value", "shown"),
    [
        ("PixelSpacing", None, r"PixelSpacing \(0028,0030\) must be two numbers .* but is empty: repair the tag"),
        ("PixelSpacing", ["0", "0"], r"\(0028,0030\) .* got '0\\0'"),
        ("PixelSpacing", ["0.5"], r"\(0028,0030\) .* got '0\.5'"),
        ("PixelSpacing", ["-0.5", "0.5"], r"\(0028,0030\) .* got '-0\.5\\0\.5'"),
        ("PixelSpacing", ["0.5", "0.5", "0.5"], r"\(0028,0030\)"),
        ("PixelSpacing", ["5000", "5000"], r"\(0028,0030\)"),
        ("ImageOrientationPatient", [0] * 6, r"ImageOrientationPatient \(0020,0037\) must be the direction cosines"),
        ("ImageOrientationPatient", None, r"\(0020,0037\) .* but is empty"),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], r"\(0020,0037\) .* perpendicular"),
        ("ImageOrientationPatient", [1, 0, 0, 0, 0.9, 0], r"\(0020,0037\) .* unit vectors"),
        ("ImageOrientationPatient", [1, 0, 0], r"\(0020,0037\)"),
        ("ImagePositionPatient", None, r"ImagePositionPatient \(0020,0032\) must be three numbers .* but is empty"),
        ("ImagePositionPatient", ["1", "2"], r"\(0020,0032\) .* got '1\\2'"),
        ("ImagePositionPatient", ["1e30", 0, 0], r"\(0020,0032\) .* at most 100000 mm"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused(tmp_path: Path, tag: str, value: Any, shown: str) -> None:
    path = write_slice(tmp_path / "a.dcm", ROWS, **{tag: value})
    with pytest.raises(ValueError, match=rf"a\.dcm: .*{shown}"):
        DicomReader().read(path)


@pytest.mark.parametrize("tag", ["PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"])
def test_a_missing_place_is_refused(tmp_path: Path, tag: str) -> None:
    path = write_slice(tmp_path / "a.dcm", ROWS, drop=[tag])
    with pytest.raises(ValueError, match=rf"{tag} \(.*\) must be .*, but is missing: .* convert"):
        DicomReader().read(path)


@pytest.mark.parametrize("text", [b"nan ", b"inf ", b"1_.0", b"0,50", b"abcd"])
def test_text_that_is_no_number_is_refused(tmp_path: Path, text: bytes) -> None:
    path = write_slice(tmp_path / "a.dcm", ROWS, PixelSpacing=["0.7777", "0.55"])
    with pytest.raises(ValueError, match=r"PixelSpacing \(0028,0030\) must be two numbers"):
        DicomReader().read(replace_bytes(path, b"0.7777\\0.55", b"0.7777\\" + text))


def test_slices_that_leave_an_even_stack_little_by_little_are_refused(tmp_path: Path) -> None:
    place = 0.0
    for number in range(60):
        write_slice(tmp_path / f"{number}.dcm", ROWS, ORIGIN + place * NORMAL)
        place += 4.03 if number < 30 else 3.97
    with pytest.raises(ValueError, match="evenly spaced"):
        DicomReader().read(tmp_path)


def enhanced(path: Path, frames: int = 1, **top: Any) -> Path:
    """An enhanced MR image, with the geometry in functional groups."""

    def group(**tags: Any) -> list[Dataset]:
        item = Dataset()
        for name, value in tags.items():
            setattr(item, name, value)
        return [item]

    frame = group(PlanePositionSequence=group(ImagePositionPatient=ORIGIN.tolist()))
    shared = group(
        PlaneOrientationSequence=group(ImageOrientationPatient=[round(v, 6) for v in (*ROW, *COLUMN)]),
        PixelMeasuresSequence=group(PixelSpacing=list(SPACING), SliceThickness=3),
        PixelValueTransformationSequence=group(RescaleSlope="2", RescaleIntercept="-5"),
    )
    geometry = ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
    return write_slice(
        path,
        ROWS,
        drop=["SpacingBetweenSlices", "SliceThickness", *(tag for tag in geometry if tag not in top)],
        NumberOfFrames=frames,
        PerFrameFunctionalGroupsSequence=frame * frames,
        SharedFunctionalGroupsSequence=shared,
        **top,
    )


@pytest.mark.parametrize("top", [{}, {"PixelSpacing": [9, 9], "ImagePositionPatient": [7, 7, 7]}])
def test_functional_groups_of_a_single_frame_come_first(tmp_path: Path, top: dict[str, Any]) -> None:
    image = DicomReader().read(enhanced(tmp_path / "e.dcm", **top))
    np.testing.assert_allclose(image.affine @ [7, 4, 1, 1], [*world(7, 4, 1, distance=3.0), 1], atol=1e-4)
    np.testing.assert_array_equal(image.values[..., 0], ROWS.T * 2.0 - 5)


def test_an_enhanced_file_of_several_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"e\.dcm: has 3 frames, .* convert it to NIfTI"):
        DicomReader().read(enhanced(tmp_path / "e.dcm", 3))
