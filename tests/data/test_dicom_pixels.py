# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM pixels are what their description says, or the file is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicom_files import ORIGIN, replace_bytes, write_series, write_slice
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from monai_srgan.data import DicomReader

A = (np.arange(5 * 8).reshape(5, 8) * 97 % 1500).astype(np.int32)


def read(path: Path) -> np.ndarray:
    """Values as (row, column)."""
    return DicomReader().read(path).values[..., 0].T


@pytest.mark.parametrize(
    ("cells", "expected", "tags"),
    [
        (((A - 500) & 0xFFF).astype(np.uint16), A - 500, {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}),
        ((A // 8).astype(np.uint16), A // 8, {"BitsStored": 8, "HighBit": 7}),
        ((A // 8).astype(np.uint8), A // 8, {}),
        ((A | 0x8000).astype(np.uint16), A, {"BitsStored": 12, "HighBit": 11}),  # an overlay in the highest bit
        ((A * 40).astype(np.uint16), A * 40, {}),  # above 32767
        ((A << 4).astype(np.uint16), A, {"BitsStored": 12, "HighBit": 15}),
        ((A * -40).astype(np.int32), A * -40, {}),
        ((A * 9999).astype(np.uint32), A * 9999, {}),
    ],
)
def test_values_are_those_of_their_bits(tmp_path: Path, cells: np.ndarray, expected: np.ndarray, tags: dict) -> None:
    values = read(write_slice(tmp_path / "a.dcm", cells, **tags))
    np.testing.assert_array_equal(values, expected)
    assert values.dtype.kind == ("i" if tags.get("PixelRepresentation") or expected.min() < 0 else "u")


@pytest.mark.parametrize("size", [0, 1, 78, 79, 82, 160])
def test_data_of_another_length_than_described_is_refused(tmp_path: Path, size: int) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16))
    data = path.read_bytes()
    if size < 80:  # truncated
        path.write_bytes(data[: len(data) - 80 + size])
    else:
        write_slice(path, A.astype(np.uint16), PixelData=bytes(size))
    with pytest.raises(ValueError, match=rf"a\.dcm: PixelData \(7FE0,0010\) must have 80 bytes, .* got {size}"):
        read(path)


def test_a_file_that_ends_before_its_pixels_is_refused(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 92])  # 80 bytes of pixels and 12 of their element
    with pytest.raises(ValueError, match=r"a\.dcm: PixelData \(7FE0,0010\) is missing"):
        read(path)
    path.write_bytes(data[:400])
    with pytest.raises(ValueError, match=r"a\.dcm: cannot be read as a DICOM image"):
        read(path)


@pytest.mark.parametrize(
    ("tags", "shown"),
    [
        ({"BitsAllocated": 8}, r"BitsStored \(0028,0101\) must be 1 to BitsAllocated, 8, got '16'"),
        ({"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, r"must have 40 bytes, 8 x 5 pixels of 8 bits, got 80"),
        ({"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, r"BitsAllocated \(0028,0100\) must be 8, 16 or 32"),
        ({"BitsStored": 12, "HighBit": 7}, r"HighBit \(0028,0102\) must be BitsStored - 1, 11, .* got '7'"),
        ({"HighBit": 16}, r"HighBit \(0028,0102\)"),
        ({"PixelRepresentation": 2}, r"PixelRepresentation \(0028,0103\) must be 0 \(unsigned\) or 1 \(signed\)"),
        ({"Rows": 0}, r"Rows \(0028,0010\) must be a whole number from 1, got '0'"),
        ({"Rows": 6}, r"must have 96 bytes, 8 x 6 pixels of 16 bits, got 80"),
        ({"NumberOfFrames": "0"}, r"NumberOfFrames \(0028,0008\) must be a whole number from 1"),
        ({"PhotometricInterpretation": None}, r"PhotometricInterpretation \(0028,0004\) must be MONOCHROME2, but is e"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, r"must be grayscale, got 'PALETTE COLOR'"),
        ({"PresentationLUTShape": "INVERSE"}, r"displays high values as dark"),
        ({"ModalityLUTSequence": [pydicom.Dataset()]}, r"ModalityLUTSequence \(0028,3000\) maps stored values by a"),
        ({"RescaleSlope": "0"}, r"RescaleSlope \(0028,1053\) must be a number other than 0, got '0'"),
        ({"RescaleSlope": None}, r"RescaleSlope \(0028,1053\) .* but is empty"),
        ({"RescaleIntercept": ["1", "2"]}, r"RescaleIntercept \(0028,1052\) must be a number, got '1\\2'"),
        ({"RescaleSlope": "1e300"}, r"must fit into 32-bit floats"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]}, r"Siemens mosaic, .* convert it to NIfTI"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(tmp_path: Path, tags: dict[str, Any], shown: str) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16), **tags)
    with pytest.raises(ValueError, match=rf"a\.dcm: .*{shown}"):
        read(path)


@pytest.mark.parametrize(
    "tag", ["SamplesPerPixel", "PhotometricInterpretation", "BitsStored", "HighBit", "PixelRepresentation", "Columns"]
)
def test_a_missing_description_is_refused(tmp_path: Path, tag: str) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16), drop=[tag])
    with pytest.raises(ValueError, match=rf"{tag} \(.*\) must be .*, but is missing"):
        read(path)


def test_a_slope_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16), RescaleSlope="7.654321")
    with pytest.raises(ValueError, match=r"RescaleSlope \(0028,1053\) .* got 'nan'"):
        read(replace_bytes(path, b"7.654321", b"nan     "))


def test_a_mosaic_is_known_by_its_private_tag(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16))
    data = pydicom.dcmread(path)
    data.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 9)
    data.save_as(path)
    with pytest.raises(ValueError, match="Siemens mosaic"):
        read(path)


OUTSIDE = np.add.outer(np.arange(5), np.arange(8)) > 8


@pytest.mark.parametrize(
    ("dtype", "padding", "tags"),
    [
        (np.uint16, 65535, {"PixelPaddingValue": 65535}),
        (np.int16, -2000, {"PixelPaddingValue": -2000}),
        (np.uint16, 65535, {"PixelPaddingValue": 65535, "BitsStored": 12, "HighBit": 11}),
        (np.uint16, 60001, {"PixelPaddingValue": 65535, "PixelPaddingRangeLimit": 60000}),
        (np.uint16, 65535, {"PixelPaddingValue": 65535, "RescaleSlope": "1", "RescaleIntercept": "0"}),
    ],
)
def test_padding_becomes_0(tmp_path: Path, dtype: type, padding: int, tags: dict[str, Any]) -> None:
    path = write_slice(tmp_path / "a.dcm", np.where(OUTSIDE, padding, A).astype(dtype), **tags)
    np.testing.assert_array_equal(read(path), np.where(OUTSIDE, 0, A))


def test_padding_is_found_before_rescaling_and_is_air_in_ct(tmp_path: Path) -> None:
    cells = np.where(OUTSIDE, 63536, A).astype(np.uint16)
    tags = {"PixelPaddingValue": 63536, "RescaleSlope": "2", "RescaleIntercept": "-1024"}
    for modality, background in (("MR", 0), ("CT", 2 * A[~OUTSIDE].min() - 1024)):
        path = write_slice(tmp_path / "a.dcm", cells, Modality=modality, **tags)
        np.testing.assert_array_equal(read(path), np.where(OUTSIDE, background, A * 2.0 - 1024))


def test_padding_differs_between_the_slices_of_a_series(tmp_path: Path) -> None:
    for number, padding in enumerate((65535, 50000)):
        cells = np.where(OUTSIDE, padding, A).astype(np.uint16)
        write_slice(tmp_path / f"{number}.dcm", cells, ORIGIN + [0, 0, 4 * number], PixelPaddingValue=padding,
                    ImageOrientationPatient=[1, 0, 0, 0, 1, 0])  # fmt: skip
    assert DicomReader().read(tmp_path).values.max() == A[~OUTSIDE].max()


def compressed(path: Path, cells: np.ndarray, **tags: Any) -> Path:
    """An RLE file by pydicom's encoder."""
    data = pydicom.dcmread(write_slice(path, cells, **tags))
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(path)
    return path


@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_compressed_pixels_do_not_depend_on_other_tags(tmp_path: Path, dtype: type) -> None:
    cells = (np.arange(65 * 47).reshape(65, 47) * 7 % 4093 - 500 * (dtype is np.int16)).astype(dtype)
    tags = {"SpacingBetweenSlices": "0", "RescaleSlope": "0.5", "RescaleIntercept": "3"}
    np.testing.assert_array_equal(read(compressed(tmp_path / "a.dcm", cells, **tags)), cells * 0.5 + 3)


def jpeg_2000(path: Path, cells: np.ndarray, stream: bytes | None = None) -> Path:
    data = pydicom.dcmread(write_slice(path, cells))
    if stream is None:
        buffer = io.BytesIO()
        Image.fromarray(cells).save(buffer, "JPEG2000", irreversible=False, no_jp2=True)
        stream = buffer.getvalue()
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data.PixelData = encapsulate([stream])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    return path


def test_jpeg_2000_is_read_and_of_the_size_that_the_tags_say(tmp_path: Path) -> None:
    cells = (np.arange(64 * 48).reshape(64, 48) * 7 % 4093).astype(np.uint16)
    path = jpeg_2000(tmp_path / "a.dcm", cells)
    np.testing.assert_array_equal(read(path), cells)
    huge = b"\xff\x4f\xff\x51\0\x29" + bytes(2) + 2 * b"\0\0\xea\x60" + bytes(24) + b"\0\1" + bytes(3)
    with pytest.raises(ValueError, match=r"must contain one image of 48 x 64 pixels, .* got shape \(1, 60000, 60000\)"):
        read(jpeg_2000(path, cells, huge))


def test_damaged_compression_has_its_own_sentence(tmp_path: Path) -> None:
    path = jpeg_2000(tmp_path / "a.dcm", A.astype(np.uint16), b"\0" * 64)
    with pytest.raises(ValueError, match=r"a\.dcm: the pixels are compressed \(JPEG 2000 .*\) and cannot be decoded"):
        read(path)
    data = pydicom.dcmread(path)
    data.PixelData = data.PixelData[:20]  # in the middle of an item
    data.save_as(path)
    with pytest.raises(ValueError, match=r"compressed data in PixelData \(7FE0,0010\) is damaged or truncated"):
        read(path)


def test_data_that_is_not_compressed_as_its_transfer_syntax_says_is_refused(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16))
    replace_bytes(path, b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    with pytest.raises(ValueError, match=r"PixelData \(7FE0,0010\) must be compressed .* RLE Lossless, but is not"):
        read(path)


def test_a_deflated_file_is_not_inflated(tmp_path: Path) -> None:
    data = pydicom.dcmread(write_slice(tmp_path / "a.dcm", A.astype(np.uint16)))
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=r"a\.dcm: the whole file is deflated: inflate it first"):
        read(tmp_path / "a.dcm")


def test_files_without_preamble_and_meta_information_are_read(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16))
    content = path.read_bytes()
    length = int.from_bytes(content[140:144], "little")
    path.write_bytes(content[144 + length :])
    np.testing.assert_array_equal(read(path), A)


def test_a_dicomdir_by_another_name_and_a_file_without_image_are_refused(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "a.dcm", A.astype(np.uint16), drop=["Rows", "PixelData"], Modality="PR")
    with pytest.raises(ValueError, match=r"a\.dcm: cannot be read as a DICOM image .* its Modality is 'PR'"):
        read(path)
    data = pydicom.dcmread(path)
    data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    data.save_as(path)
    with pytest.raises(ValueError, match=r"a\.dcm: is a DICOMDIR"):
        read(path)


def test_a_series_keeps_the_type_of_its_slices(tmp_path: Path) -> None:
    volume = np.stack([A, A + 1]).astype(np.int16)
    assert DicomReader().read(write_series(tmp_path / "t1c", volume)).values.dtype == np.int16
