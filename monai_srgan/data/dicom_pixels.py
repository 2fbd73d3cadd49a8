# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of a DICOM file as its tags describe them: type, bits, padding; or an error if data and tags disagree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_srgan.data.dicom_compression import decompress
from monai_srgan.data.dicom_tags import DicomTags, read_tags

__all__ = ["PixelDescription", "describe_pixels", "stored_pixels"]

_EXPORT = "export the file again"
_UNDEFINED = 0xFFFFFFFF  # length of encapsulated data


@dataclass(frozen=True)
class PixelDescription:
    """What tags say about the pixels of a grayscale image (PS3.3, C.7.6.3).

    Attributes:
        rows: Rows (0028,0010).
        columns: Columns (0028,0011).
        allocated: bits of a cell, 8, 16 or 32.
        stored: bits of a value.
        high_bit: position of the value's highest bit in its cell.
        signed: whether values are two's complement.
        padding: lowest and highest value of pixels that were not measured, PixelPaddingValue and its RangeLimit.
    """

    rows: int
    columns: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    padding: tuple[int, int] | None


def describe_pixels(tags: DicomTags) -> PixelDescription:
    """Read the description of the pixels.

    Args:
        tags: of one file.

    Raises:
        ValueError: a tag is missing or makes no sense; or the image is in color, inverted (MONOCHROME1, INVERSE), a
            Siemens mosaic, in several frames, or mapped to its values by a table.
    """
    file = tags.file
    photometric = tags.text("PhotometricInterpretation")
    samples = tags.integer("SamplesPerPixel", range(1, 5), "1", _EXPORT)
    if photometric == "MONOCHROME1" or tags.text("PresentationLUTShape") == "INVERSE":
        raise ValueError(f"{file}: MONOCHROME1 displays high values as dark: convert it to MONOCHROME2 first")
    if samples != 1 or (photometric and photometric != "MONOCHROME2"):
        raise ValueError(f"{file}: the image must be grayscale, got {photometric!r}: convert it to grayscale")
    if not photometric:
        raise tags.refusal("PhotometricInterpretation", "MONOCHROME2", _EXPORT)
    if tags.text("NumberOfFrames"):
        frames = tags.integer("NumberOfFrames", range(1, 2**31), "a whole number from 1", _EXPORT)
        if frames > 1:
            raise ValueError(
                f"{file}: has {frames} frames, whose positions are not checked: export one file per slice, "
                "or convert it to NIfTI first, as with dcm2niix"
            )
    if _is_mosaic(tags):
        raise ValueError(
            f"{file}: is a Siemens mosaic, a volume whose slices lie side by side in one image: "
            "convert it to NIfTI first, as with dcm2niix"
        )
    if "ModalityLUTSequence" in tags.dataset:
        raise ValueError(
            f"{file}: ModalityLUTSequence (0028,3000) maps stored values by a table, which is not supported: "
            "export the image with RescaleSlope and RescaleIntercept, or convert it to NIfTI first"
        )
    sides = range(1, 2**16)
    rows = tags.integer("Rows", sides, "a whole number from 1", _EXPORT)
    columns = tags.integer("Columns", sides, "a whole number from 1", _EXPORT)
    allocated = tags.integer("BitsAllocated", (8, 16, 32), "8, 16 or 32", "convert the image to 16 bits first")
    stored = tags.integer("BitsStored", range(1, allocated + 1), f"1 to BitsAllocated, {allocated}", _EXPORT)
    high_bit = tags.integer(
        "HighBit", range(stored - 1, allocated), f"BitsStored - 1, {stored - 1}, or above it in the cell", _EXPORT
    )
    signed = bool(tags.integer("PixelRepresentation", (0, 1), "0 (unsigned) or 1 (signed)", _EXPORT))
    return PixelDescription(rows, columns, allocated, stored, high_bit, signed, _padding(tags, signed))


def stored_pixels(file: Path, description: PixelDescription) -> tuple[np.ndarray, np.ndarray]:
    """Decode the pixels of a file, before slope and intercept.

    Data that is not compressed is taken from the file as it is; ITK decodes what is compressed.

    Args:
        file: the file.
        description: of its pixels.

    Returns:
        values as ``(rows, columns)`` integers, and which of them are padding.

    Raises:
        OptionalImportError: ITK is not installed, and the data is compressed.
        ValueError: the data is missing, not as long as its description says, or cannot be decoded.
    """
    tags = read_tags(file, pixels=True)
    element = tags.element("PixelData")
    if element is None:
        raise ValueError(f"{file}: PixelData (7FE0,0010) is missing, the file may be truncated: {_EXPORT}")
    syntax = DicomTags(file, tags.dataset.file_meta).text("TransferSyntaxUID")
    data = element.value or b""
    unsigned = np.dtype(f"u{description.allocated // 8}")
    if syntax in (None, ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian):
        if not element.is_little_endian and description.allocated != 16:
            raise ValueError(f"{file}: big-endian data must have 16 bits a pixel: {_EXPORT} as little-endian")
        expected = description.rows * description.columns * unsigned.itemsize
        if element.length == _UNDEFINED or len(data) not in (expected, expected + expected % 2):
            raise ValueError(
                f"{file}: PixelData (7FE0,0010) must have {expected} bytes, {description.columns} x {description.rows} "
                f"pixels of {description.allocated} bits, got {len(data)}: the file is truncated or its tags are "
                f"wrong, {_EXPORT}"
            )
        order = unsigned.newbyteorder("<" if element.is_little_endian else ">")
        cells = np.frombuffer(data[:expected], order).astype(unsigned)
    else:
        if element.length != _UNDEFINED:
            raise ValueError(
                f"{file}: PixelData (7FE0,0010) must be compressed as TransferSyntaxUID (0002,0010) says, "
                f"{UID(syntax).name}, but is not: {_EXPORT}"
            )
        bits = {
            "BitsAllocated": description.allocated,
            "BitsStored": description.stored,
            "HighBit": description.high_bit,
            "PixelRepresentation": int(description.signed),
        }
        cells = decompress(file, data, UID(syntax), (description.rows, description.columns), bits).astype(unsigned)
    cells = cells.reshape(description.rows, description.columns)
    values = _values(cells, description)
    return values, _is_padding(cells, values, description)


def _values(cells: np.ndarray, description: PixelDescription) -> np.ndarray:
    """Values in their cells: bits above the highest one (overlays, as a rule) and below the lowest are not theirs."""
    unsigned = cells.dtype
    dtype = np.dtype(f"i{unsigned.itemsize}") if description.signed else unsigned
    left = unsigned.type(description.allocated - 1 - description.high_bit)
    shifted = np.left_shift(cells, left).view(dtype)
    return np.right_shift(shifted, dtype.type(description.allocated - description.stored))


def _is_padding(cells: np.ndarray, values: np.ndarray, description: PixelDescription) -> np.ndarray:
    if description.padding is None:
        return np.zeros(cells.shape, dtype=bool)
    low, high = description.padding
    bits = description.stored - description.signed
    # A value that needs more bits than are stored fills the whole cell.
    fits = -(2**bits) * description.signed <= low and high < 2**bits
    compared = (values if fits else cells.view(values.dtype)).astype(np.int64)
    return (compared >= low) & (compared <= high)


def _padding(tags: DicomTags, signed: bool) -> tuple[int, int] | None:
    if not tags.text("PixelPaddingValue"):
        return None
    ends = []
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if tags.text(keyword):
            value = tags.integer(keyword, range(-(2**15), 2**16), "a whole number of 16 bits", _EXPORT)
            # The tag's type follows PixelRepresentation; writers get it wrong, but the bits are right.
            ends.append((value + 2**15) % 2**16 - 2**15 if signed else value % 2**16)
    return min(ends), max(ends)


def _is_mosaic(tags: DicomTags) -> bool:
    if "MOSAIC" in (tags.text("ImageType") or "").split("\\"):
        return True
    for block in range(0x10, 0x100):  # where ImageType was removed: a private tag, number of images in the mosaic
        if tags.text(0x0019 << 16 | block) == "SIEMENS MR HEADER":
            count = tags.element(0x0019 << 16 | block << 8 | 0x0A)
            value = getattr(count, "value", None)
            if isinstance(value, bytes) and int.from_bytes(value[:2], "little") > 1:
                return True
    return False
