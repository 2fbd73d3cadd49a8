# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A .png file is read as PNG alone, whole and undamaged."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_srgan.data import PngReader

ROWS = np.random.default_rng(0).integers(0, 65536, (12, 10)).astype(np.uint16)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, rows: bytes, more: bytes = b"", depth: int = 8, interlaced: int = 0) -> bytes:
    """A grayscale PNG with correct checksums, whatever its parts mean."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def read(path: Path, content: bytes) -> np.ndarray:
    path.write_bytes(content)
    array, _ = PngReader().get_data(PngReader().read(path))
    return np.asarray(array)


def test_no_flipped_bit_becomes_a_value(tmp_path: Path) -> None:
    Image.fromarray(ROWS).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    for at in np.random.default_rng(1).choice(8 * len(content), 300, replace=False):
        flipped = bytearray(content)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(ValueError, match=r"t\.png: "):
            read(tmp_path / "t.png", bytes(flipped))


def test_the_end_must_be_there_and_be_the_end(tmp_path: Path) -> None:
    content = png(4, 3, bytes(15))
    assert read(tmp_path / "t.png", content).shape == (4, 3)
    for damaged in (content[:-1], content[:-12], content + b"x"):
        with pytest.raises(ValueError, match=r"t\.png: the PNG file is damaged \(it (is truncated|goes on)"):
            read(tmp_path / "t.png", damaged)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a PNG file"),
        (b"", "is not a PNG file"),
        (png(4, 3, bytes(15))[:20], r"damaged \(it is truncated\)"),
        (png(0, 3, b""), r"damaged \(its header makes no sense\)"),
        (png(4, 3, bytes(15), depth=7), r"damaged \(its header makes no sense\)"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), r"damaged \(it does not start with its header\)"),
        (png(60_000, 60_000, bytes(99)), "must have at most 67108864 pixels, got 60000 x 60000"),
        (png(4, 3, bytes(10)), r"damaged \(its pixels need 15 bytes, got 10\)"),
        (png(4, 3, bytes(20)), r"damaged \(its pixels need 15 bytes, got more\)"),
        (png(4, 3, bytes(100_000_000)), "got more"),
        (png(4, 3, bytes(15), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000)))), "cannot be decoded"),
    ],
    ids=["postscript", "empty", "cut", "width", "depth", "order", "large", "rows", "more rows", "bomb", "text"],
)
def test_other_files_bombs_and_damaged_pixels_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=rf"t\.png: .*{message}"):
        read(tmp_path / "t.png", content)


@pytest.mark.parametrize(("width", "height", "size"), [(1, 1, 2), (4, 3, 18), (9, 10, 110)])
def test_the_rows_of_an_interlaced_picture_are_counted(tmp_path: Path, width: int, height: int, size: int) -> None:
    assert read(tmp_path / "t.png", png(width, height, bytes(size), interlaced=1)).shape == (width, height)
    with pytest.raises(ValueError, match=f"need {size} bytes"):
        read(tmp_path / "t.png", png(width, height, bytes(size - 1), interlaced=1))


@pytest.mark.parametrize("values", [ROWS, (ROWS >> 8).astype(np.uint8), (ROWS > 30_000)])
def test_values_are_those_of_the_file(tmp_path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / "t.png")
    np.testing.assert_array_equal(read(tmp_path / "t.png", (tmp_path / "t.png").read_bytes()), values.T)


def test_an_animation_is_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((5, 6), value, np.uint8)) for value in (0, 200)]
    frames[0].save(tmp_path / "t.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"t\.png: must be one picture, but it is animated"):
        PngReader().read(tmp_path / "t.png")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.png")
    with pytest.raises(ValueError, match=r"t\.png: must be a regular file, but it is a named pipe"):
        PngReader().read(tmp_path / "t.png")
