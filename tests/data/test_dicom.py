# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM files and series: values, positions, and errors for images without a single affine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicom_files import NORMAL, ORIGIN, ROW, world, write_series, write_slice

from monai_srgan.data import DicomReader, image_stem, inference_datalist
from monai_srgan.transforms import LoadInputd


def numbers(*shape: int, dtype: type = np.uint16) -> np.ndarray:
    """Values that differ everywhere, so that no rotated or flipped image equals another."""
    return (np.arange(np.prod(shape)).reshape(shape) * 7 % 4093).astype(dtype)


def load(path: Path):
    return LoadInputd(keys="image")({"image": str(path)})["image"]


def test_a_file_is_read_x_first_with_rescaled_values_and_its_affine(tmp_path: Path) -> None:
    rows = numbers(5, 8, dtype=np.int16)
    image = load(write_slice(tmp_path / "a.dcm", rows, RescaleSlope="2.5", RescaleIntercept="-100"))
    assert image.shape == (1, 8, 5, 1)
    np.testing.assert_allclose(image[0, ..., 0].numpy(), rows.T * 2.5 - 100)
    for column, row in ((0, 0), (7, 0), (0, 4), (7, 4)):
        np.testing.assert_allclose(image.affine.numpy() @ [column, row, 0, 1], [*world(column, row, 0), 1], atol=1e-4)


def test_a_series_is_a_volume_in_the_order_of_its_positions(tmp_path: Path) -> None:
    volume = numbers(6, 5, 8)
    image = load(write_series(tmp_path / "t1c", volume))
    assert image.shape == (1, 8, 5, 6)
    assert image.meta["source_ndim"] == 3
    np.testing.assert_array_equal(image[0].numpy(), volume.transpose(2, 1, 0))
    for voxel in ((0, 0, 0), (7, 0, 5), (0, 4, 5), (7, 4, 0)):
        np.testing.assert_allclose(image.affine.numpy() @ [*voxel, 1], [*world(*voxel), 1], atol=1e-4)


def test_dicom_is_recognized_by_its_first_bytes(tmp_path: Path) -> None:
    write_slice(tmp_path / "IM0001", numbers(5, 8))
    assert image_stem(tmp_path / "IM0001") == "IM0001"
    assert load(tmp_path / "IM0001").shape == (1, 8, 5, 1)


def test_a_series_is_one_input_named_by_its_folder(tmp_path: Path) -> None:
    write_series(tmp_path / "study" / "t1c", numbers(3, 5, 8))
    write_series(tmp_path / "study" / "t10", numbers(3, 5, 8))
    (tmp_path / "study" / "notes").mkdir()
    found = [item["image"] for item in inference_datalist(tmp_path / "study")]
    assert found == [str(tmp_path / "study" / name) for name in ("t1c", "t10")]
    assert inference_datalist(tmp_path / "study" / "t1c") == [
        {"image": str(tmp_path / "study" / "t1c"), "source": str(tmp_path / "study" / "t1c")}
    ]
    assert image_stem(tmp_path / "study" / "t1c") == "t1c"


def test_a_dicomdir_is_not_an_image(tmp_path: Path) -> None:
    write_series(tmp_path / "cd", numbers(2, 5, 8))
    (tmp_path / "cd" / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    assert load(tmp_path / "cd").shape == (1, 8, 5, 2)


def test_two_series_in_a_folder_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "cd", numbers(2, 5, 8))
    write_slice(tmp_path / "cd" / "other.dcm", numbers(5, 8), SeriesInstanceUID="1.2.3.9", SeriesNumber=2)
    with pytest.raises(ValueError, match=r"cd: the 3 DICOM files must be one series, got 2 series: move each"):
        DicomReader().read(tmp_path / "cd")


def test_two_images_at_one_position_are_refused(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "echoes", numbers(3, 5, 8))
    write_slice(folder / "b.dcm", numbers(5, 8), ORIGIN + 4.0 * NORMAL, InstanceNumber=9)
    with pytest.raises(ValueError, match="several images at one position"):
        DicomReader().read(folder)


def test_a_missing_slice_is_refused(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "gap", numbers(7, 5, 8))
    (folder / "000.dcm").unlink()
    DicomReader().read(folder)  # the series only ends earlier
    (folder / "002.dcm").unlink()
    with pytest.raises(ValueError, match=r"evenly spaced, but their distance of .* mm varies by .* mm \(is one"):
        DicomReader().read(folder)


def test_a_tilted_stack_is_refused(tmp_path: Path) -> None:
    for number, rows in enumerate(numbers(3, 5, 8)):
        write_slice(tmp_path / f"{number}.dcm", rows, ORIGIN + number * (4.0 * NORMAL + 1.0 * ROW))
    with pytest.raises(ValueError, match=r"shifted by 1\.00 mm in plane"):
        DicomReader().read(tmp_path)


def test_color_and_inverted_images_are_refused(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "c.dcm", numbers(5, 8, 3, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"c\.dcm: the image must be grayscale, got 'RGB'"):
        DicomReader().read(path)
    path = write_slice(tmp_path / "i.dcm", numbers(5, 8), PhotometricInterpretation="MONOCHROME1")
    with pytest.raises(ValueError, match=r"i\.dcm: MONOCHROME1 displays high values as dark"):
        DicomReader().read(path)


def test_slices_of_different_slopes_keep_fractions_and_signs(tmp_path: Path) -> None:
    volume = numbers(3, 5, 8)
    slopes, intercepts = (1, 1.5, 1), (0, 0.25, -100)
    for number, rows in enumerate(volume):
        tags = {"RescaleSlope": str(slopes[number]), "RescaleIntercept": str(intercepts[number])}
        write_slice(tmp_path / f"{number}.dcm", rows, ORIGIN + number * 4.0 * NORMAL, **tags)
    expected = volume * np.reshape(slopes, (3, 1, 1)) + np.reshape(intercepts, (3, 1, 1))
    np.testing.assert_allclose(load(tmp_path)[0].numpy(), expected.transpose(2, 1, 0))


def test_slices_of_another_pixel_spacing_are_refused(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "t1c", numbers(3, 5, 8))
    write_slice(folder / "z.dcm", numbers(5, 8), ORIGIN + 12.0 * NORMAL, PixelSpacing=[0.75, 0.6])
    with pytest.raises(ValueError, match=r"size, pixel spacing and orientation, but z\.dcm differs from 000\.dcm"):
        DicomReader().read(folder)


def test_several_frames_in_a_file_are_refused(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "frames.dcm", numbers(5, 8))
    data = pydicom.dcmread(path)
    data.NumberOfFrames, data.PixelData = 2, 2 * data.PixelData
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
    data.save_as(path)
    with pytest.raises(ValueError, match=r"frames\.dcm: has 2 frames"):
        DicomReader().read(path)


def test_identical_copies_are_read_once_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_series(tmp_path / "t1c", numbers(3, 5, 8))
    expected = load(folder)
    shutil.copy(folder / "001.dcm", folder / "001(1).dcm")
    image = load(folder)
    np.testing.assert_array_equal(image.numpy(), expected.numpy())
    np.testing.assert_array_equal(image.affine.numpy(), expected.affine.numpy())
    assert "skipped copies: 001.dcm (of 001(1).dcm)" in caplog.text


@pytest.mark.parametrize("change", [{"RescaleSlope": "2"}, {"PixelData": bytes(80)}])
def test_different_images_of_one_uid_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = write_series(tmp_path / "t1c", numbers(3, 5, 8))
    data = pydicom.dcmread(folder / "001.dcm")
    for name, value in change.items():
        setattr(data, name, value)
    data.save_as(folder / "b.dcm")
    with pytest.raises(ValueError, match=r"001\.dcm and b\.dcm have the same SOPInstanceUID .* different images"):
        DicomReader().read(folder)


def test_slices_of_two_patients_or_two_frames_of_reference_are_refused(tmp_path: Path) -> None:
    for number, (tag, shown) in enumerate((("PatientID", "PatientID"), ("FrameOfReferenceUID", "FrameOfReferenceUID"))):
        folder = write_series(tmp_path / str(number), numbers(2, 5, 8))
        write_slice(folder / "z.dcm", numbers(5, 8), ORIGIN + 8.0 * NORMAL, **{tag: "9.9"})
        with pytest.raises(ValueError, match=rf"must have the same {shown} .*, but that of z\.dcm differs"):
            DicomReader().read(folder)


def test_files_and_folders_without_dicom_images_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "bad.dcm").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"bad\.dcm: cannot be read as a DICOM image"):
        DicomReader().read(tmp_path / "bad.dcm")
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    with pytest.raises(FileNotFoundError, match="contains no DICOM file"):
        DicomReader().read(tmp_path)
