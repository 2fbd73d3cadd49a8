# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Compressed pixels of a DICOM file: their size is checked before ITK decodes them."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from monai.utils import optional_import
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, generate_uid

__all__ = ["decompress"]

_DECOMPRESS = "decompress the file first, as with gdcmconv --raw or dcmdjpeg"
_EXPORT = "export the file again"
_LARGEST = 4096  # pixels along x and y: a few bytes can claim any size
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # an image without geometry, rescaling and patient
_ITEM = (0xFFFE, 0xE000)


def decompress(file: Path, data: bytes, syntax: UID, size: tuple[int, int], bits: Mapping[str, int]) -> np.ndarray:
    """Decode compressed pixels with ITK, from a temporary file that holds the pixels and their description alone.

    So nothing else in the original, such as a spacing of 0 or a slope, has an influence on the pixels.

    Args:
        file: the original, for messages.
        data: value of PixelData, encapsulated (PS3.5, A.4).
        syntax: transfer syntax.
        size: rows and columns.
        bits: BitsAllocated, BitsStored, HighBit and PixelRepresentation.

    Returns:
        integers, ``rows * columns`` of them in any shape.

    Raises:
        OptionalImportError: ITK is not installed.
        ValueError: the data is damaged, of another size than ``size``, or above 4096 pixels, or ITK cannot decode it.
    """
    rows, columns = size
    if max(size) > _LARGEST:
        raise ValueError(
            f"{file}: a compressed image must have at most {_LARGEST} x {_LARGEST} pixels, got {columns} x {rows}: "
            f"{_DECOMPRESS}"
        )
    fragments = _fragments(file, data)
    shape = _shape_of(fragments)
    if shape not in (None, (1, rows, columns)):
        raise _mismatch(file, size, shape)
    itk, _ = optional_import("itk")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.dcm"
        _write_pixels(path, data, syntax, size, bits)
        try:
            image = np.asarray(itk.array_from_image(itk.imread(str(path), imageio=itk.GDCMImageIO.New())))
        except RuntimeError as error:
            raise ValueError(
                f"{file}: the pixels are compressed ({syntax.name}, {syntax}) and cannot be decoded, either because "
                f"they are damaged or because ITK lacks the method: {_DECOMPRESS}, or export it again"
            ) from error
    if image.dtype.kind not in "iu" or image.size != rows * columns:
        raise _mismatch(file, size, image.shape)
    return image


def _mismatch(file: Path, size: tuple[int, int], shape: tuple[int, ...] | None) -> ValueError:
    return ValueError(
        f"{file}: the compressed data must contain one image of {size[1]} x {size[0]} pixels, as Columns (0028,0011) "
        f"and Rows (0028,0010) say, got shape {shape}: {_EXPORT}"
    )


def _fragments(file: Path, data: bytes) -> bytes:
    """The compressed data without the items around it, each of which must end within the file."""
    items, start = [], 0
    while start + 8 <= len(data):
        group, element, length = struct.unpack_from("<HHL", data, start)
        start += 8 + length
        if (group, element) != _ITEM or start > len(data):
            break
        items.append(data[start - length : start])
    else:
        if start == len(data) and len(items) > 1:  # the first one holds offsets
            return b"".join(items[1:])
    raise ValueError(f"{file}: the compressed data in PixelData (7FE0,0010) is damaged or truncated: {_EXPORT}")


def _shape_of(stream: bytes) -> tuple[int, int, int] | None:
    """Components, rows and columns that a JPEG 2000, JPEG or JPEG-LS stream claims; None for other streams.

    A decoder reserves memory for them, whatever the length of the stream.
    """
    start = stream.find(b"\xff\x4f\xff\x51")
    if start == 0 or (start > 0 and stream[4:6] == b"jP"):  # JPEG 2000, ISO/IEC 15444-1, A.5.1 and I.5.1
        if len(stream) < start + 42:
            return 0, 0, 0
        right, lower, left, upper = struct.unpack_from(">4L", stream, start + 8)
        return struct.unpack_from(">H", stream, start + 40)[0], lower - upper, right - left
    position = 2
    while stream.startswith(b"\xff\xd8") and position + 10 <= len(stream):  # JPEG, ISO/IEC 10918-1, B.1 and B.2.2
        marker, length = stream[position + 1], struct.unpack_from(">H", stream, position + 2)[0]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            rows, columns, components = struct.unpack_from(">HHB", stream, position + 5)
            return components, rows, columns
        position += 1 if marker == 0xFF else 2 + length  # bytes FF may fill up before a marker
    return None


def _write_pixels(path: Path, data: bytes, syntax: UID, size: tuple[int, int], bits: Mapping[str, int]) -> None:
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # pydicom enters the length
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = UID(_SECONDARY_CAPTURE)
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.ImplementationClassUID = generate_uid()
    meta.TransferSyntaxUID = syntax
    image = FileDataset(str(path), {}, preamble=bytes(128), file_meta=meta, is_implicit_VR=False)
    image.SOPClassUID, image.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    image.Rows, image.Columns = size
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    for keyword, value in bits.items():
        setattr(image, keyword, value)
    image.PixelData = data
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True
    image.save_as(path)
