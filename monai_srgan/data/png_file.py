# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Check a PNG file before its pixels are decoded: size, every checksum, the number of rows, and the end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from monai.config import PathLike

from monai_srgan.data.regular_file import require_regular_file

__all__ = ["read_png_bytes"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_SIZE = 13
_LARGEST = 1 << 26  # pixels
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by color type
_INTERLACED = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_CHUNK = 1 << 20


def read_png_bytes(path: PathLike) -> bytes:
    """Read a PNG file and check it (PNG specification, sections 5, 8.2 and 11.2).

    Pillow compares the checksum of each chunk but those of the pixels, and takes missing rows for black.

    Args:
        path: the file.

    Returns:
        its bytes.

    Raises:
        FileNotFoundError: it does not exist.
        ValueError: it is no regular file, no PNG, damaged, animated, or larger than 2^26 pixels.
    """
    path = Path(path)
    require_regular_file(path)
    data = path.read_bytes()
    if not data.startswith(_SIGNATURE):
        raise ValueError(f"{path}: is not a PNG file, it starts with {data[:8]!r}: convert it to PNG")
    chunks = list(_chunks(data, path))
    name, header = chunks[0]
    if name != b"IHDR" or len(header) != _HEADER_SIZE:
        raise _damaged(path, "it does not start with its header")
    if any(name == b"acTL" for name, _ in chunks):
        raise ValueError(f"{path}: must be one picture, but it is animated: save one frame")
    size = _size(bytes(header), path)
    pixels = zlib.decompressobj()
    found = 0
    try:
        for name, content in chunks:
            rest = bytes(content) if name == b"IDAT" else b""
            while rest and found <= size:
                found += len(pixels.decompress(rest, _CHUNK))
                rest = pixels.unconsumed_tail
    except zlib.error as error:
        raise _damaged(path, str(error)) from error
    if found != size or not pixels.eof:
        raise _damaged(path, f"its pixels need {size} bytes, got {'more' if found > size else found}")
    return data


def _chunks(data: bytes, path: Path) -> Iterator[tuple[bytes, memoryview]]:
    """Names and contents of the chunks, whose checksums are compared."""
    at, view, name = len(_SIGNATURE), memoryview(data), b""
    while name != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        name, end = data[at + 4 : at + 8], at + 8 + length
        if len(data) < end + 4:
            raise _damaged(path, "it is truncated")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise _damaged(path, f"checksum of {name!r} at byte {at}")
        yield name, view[at + 8 : end]
        at = end + 4
    if at != len(data):
        raise _damaged(path, "it goes on after its end")


def _size(header: bytes, path: Path) -> int:
    """Bytes of the rows, each with its filter's number."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    depth, color, interlaced = header[8], header[9], header[12]
    if not width or not height or color not in _CHANNELS or depth not in (1, 2, 4, 8, 16) or interlaced > 1:
        raise _damaged(path, "its header makes no sense")
    if width * height > _LARGEST:
        raise ValueError(f"{path}: must have at most {_LARGEST} pixels, got {width} x {height}: crop or shrink it")
    bits = depth * _CHANNELS[color]
    size = 0
    for x, y, dx, dy in _INTERLACED if interlaced else ((0, 0, 1, 1),):
        columns, rows = -((x - width) // dx), -((y - height) // dy)
        if columns > 0 and rows > 0:
            size += rows * (1 - -columns * bits // 8)
    return size


def _damaged(path: Path, how: str) -> ValueError:
    return ValueError(f"{path}: the PNG file is damaged ({how}): copy it again")
