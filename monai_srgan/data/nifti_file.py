# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Read a NIfTI file to its last byte: the checksum is compared, and header and length must agree."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import nibabel as nib
import numpy as np
from monai.config import PathLike
from nibabel.spatialimages import HeaderDataError
from nibabel.volumeutils import apply_read_scaling

from monai_srgan.data.regular_file import require_regular_file
from monai_srgan.data.spatial_forms import convert_to_millimeters

__all__ = ["NiftiFile", "read_nifti"]

_HEADERS = {348: (nib.Nifti1Header, b"n+1"), 540: (nib.Nifti2Header, b"n+2")}  # by their size in bytes
_PAIRS = (b"ni1", b"ni2")
_GZIP = b"\x1f\x8b"
_LINE_ENDS = (13, 10, 26, 10)  # in NIfTI-2; a transfer as text changes them
_FLAGS = 4  # bytes between header and extensions
_CHUNK = 1 << 20
_PADDING = 1 << 16  # zeros that may follow the image, as tapes and block devices leave them
_VALUE = 8  # bytes that a value takes while it is scaled, in float64
_LARGE, _DENSEST = 1 << 28, 200  # bytes from which a file must not promise more than so many for each of its own


@dataclass(frozen=True, eq=False)
class NiftiFile:
    """The image of a file, and its header in millimeters."""

    path: Path
    array: np.ndarray  #: ``(X, Y)``, ``(X, Y, D)`` or with further axes of size 1; float64 if scaled
    header: nib.Nifti1Header


def read_nifti(path: PathLike) -> NiftiFile:
    """Read a NIfTI-1 or NIfTI-2 file, compressed by gzip (also in several members) or not, as its bytes tell.

    An uncompressed file has no checksum: only its length is compared with its header.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: it does not exist.
        ValueError: it is no regular file, no NIfTI file with header and image in one, or damaged; the image is empty,
            complex, in color, or has more than three dimensions; the header contradicts itself; or the file is much too
            small for an image of its size. The message names the file.
    """
    path = Path(path)
    require_regular_file(path)
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            compressed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if compressed else file
            header = _header(stream, path)
            shape, dtype, offset = _shape(header, path), _dtype(header, path), _offset(header, path)
            count = int(np.prod(shape, dtype=object))
            if offset + _VALUE * count > max(_LARGE, _DENSEST * size):
                raise ValueError(f"{path}: an image of shape {shape} cannot be in {size} bytes: the header is damaged")
            _skip(stream, offset - int(header["sizeof_hdr"]), path)
            values = _read(stream, count * dtype.itemsize, path)
            _require_end(stream, shape, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: the compressed data are damaged ({error}): copy the file again") from error
    array = np.frombuffer(values, dtype).reshape(shape, order="F")
    convert_to_millimeters(header, path)
    return NiftiFile(path, _scaled(array, header, path), header)


def _header(stream: BinaryIO, path: Path) -> nib.Nifti1Header:
    start = stream.read(4)
    for size, (kind, single_file) in _HEADERS.items():
        for endianness, order in (("<", "little"), (">", "big")):
            if int.from_bytes(start, order) != size:  # type: ignore[arg-type]
                continue
            header = kind(bytes(start + _read(stream, size - len(start), path)), endianness, check=False)
            magic = header["magic"].item()
            if magic in _PAIRS:
                raise ValueError(f"{path}: is half of a pair of files (.hdr, .img): convert them to one .nii file")
            if magic != single_file:
                raise ValueError(f"{path}: is not a NIfTI file, its magic is {magic!r}: convert it to NIfTI")
            if "eol_check" in header and tuple(header["eol_check"]) != _LINE_ENDS:
                raise ValueError(f"{path}: was changed by a transfer as text (eol_check): copy it again as binary")
            return header
    raise ValueError(f"{path}: is not a NIfTI file, it starts with {start!r}: convert it to NIfTI")


def _shape(header: nib.Nifti1Header, path: Path) -> tuple[int, ...]:
    ndim = int(header["dim"][0])
    if not 1 <= ndim <= 7:
        raise ValueError(f"{path}: the number of dimensions (dim[0]) must be 1 to 7, got {ndim}: repair the header")
    shape = tuple(int(size) for size in header["dim"][1 : ndim + 1])
    if min(shape) < 0:
        raise ValueError(f"{path}: sizes (dim) must not be negative, got {shape}: repair the header")
    if 0 in shape:
        raise ValueError(f"{path}: the image is empty, its shape is {shape}")
    if ndim < 2 or any(size > 1 for size in shape[3:]):
        raise ValueError(f"{path}: the image must be a slice (X, Y) or a volume (X, Y, D), got shape {shape}: split it")
    return shape


def _dtype(header: nib.Nifti1Header, path: Path) -> np.dtype:
    code = int(header["datatype"])
    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise ValueError(f"{path}: the data type (datatype) {code} is not one of NIfTI: repair the header") from error
    if dtype.kind == "c":
        raise ValueError(f"{path}: the image must be real, got {dtype}: take its magnitude first")
    if dtype.kind not in "iuf" or dtype.itemsize > _VALUE:
        raise ValueError(
            f"{path}: the image must have one number of up to 64 bits per pixel, got {dtype} (datatype {code}): "
            "convert it to one channel of int16 or float32"
        )
    if int(header["bitpix"]) != 8 * dtype.itemsize:
        raise ValueError(
            f"{path}: bitpix must be {8 * dtype.itemsize} for the data type {dtype}, got {int(header['bitpix'])}: "
            "repair the header"
        )
    return dtype


def _offset(header: nib.Nifti1Header, path: Path) -> int:
    offset, smallest = float(header["vox_offset"]), int(header["sizeof_hdr"]) + _FLAGS
    if not offset >= smallest or not offset.is_integer():
        raise ValueError(
            f"{path}: the image must start at byte {smallest} or later (vox_offset), got {offset:g}: repair the header"
        )
    return int(offset)


def _scaled(array: np.ndarray, header: nib.Nifti1Header, path: Path) -> np.ndarray:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or (slope, intercept) == (1, 0):  # the standard: no scaling if the slope is 0
        return array
    if not np.isfinite((slope, intercept)).all():
        raise ValueError(
            f"{path}: slope and intercept (scl_slope, scl_inter) must be finite, got {slope:g} and {intercept:g}: "
            "repair the header"
        )
    with np.errstate(over="ignore", invalid="ignore"):  # images that are not finite are refused where they are used
        scaled = apply_read_scaling(array, np.float64(slope), np.float64(intercept))
        return scaled.astype(np.float64, copy=False)  # nibabel takes longer floats for huge slopes, torch has none


def _read(stream: BinaryIO, size: int, path: Path) -> bytearray:
    data, position = bytearray(size), 0
    while position < size:
        chunk = stream.read(min(_CHUNK, size - position))
        if not chunk:
            raise ValueError(
                f"{path}: is truncated, {size - position} bytes are missing at its end: copy the file again"
            )
        data[position : position + len(chunk)] = chunk
        position += len(chunk)
    return data


def _skip(stream: BinaryIO, size: int, path: Path) -> None:
    while size:
        size -= len(_read(stream, min(_CHUNK, size), path))


def _require_end(stream: BinaryIO, shape: tuple[int, ...], path: Path) -> None:
    """Read the rest, on which gzip compares its checksum: nothing but a little padding may follow the image."""
    rest = 0
    while chunk := stream.read(_CHUNK):
        rest += len(chunk)
        if rest > _PADDING or chunk.strip(b"\0"):
            raise ValueError(
                f"{path}: the file goes on after the image of shape {shape}, so its header cannot be true: repair it"
            )
