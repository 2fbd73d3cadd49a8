# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""MATLAB files made to read other files, fill the memory or overrun a buffer, and variables that are no arrays."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse
from mat_files import save_slice, save_v5, save_v73

from monai_srgan.data import MatFileError, read_cjdata, read_mat

MEBIBYTE = 1 << 20


def hdf5(path: Path, change: Callable[[h5py.File], Any]) -> Path:
    """A file of version 7.3 after a change."""
    save_v73(path, {})
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def element(kind: int, content: bytes) -> bytes:
    """An element of a file of version 5."""
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(code: int, dimensions: tuple[int, ...], *parts: bytes, name: bytes = b"") -> bytes:
    """A matrix element of a class."""
    shape = struct.pack(f"<{len(dimensions)}i", *dimensions)
    head = element(6, struct.pack("<II", code, 0)) + element(5, shape) + element(1, name)
    return element(14, head + b"".join(parts))


def structure(item: bytes) -> bytes:
    """The struct A with the field f."""
    return matrix(2, (1, 1), element(5, struct.pack("<i", 32)), element(1, b"f".ljust(32, b"\0")), item, name=b"A")


def version5(path: Path, *variables: bytes) -> Path:
    """A file of version 5 with compressed variables."""
    parts = [zlib.compress(variable) for variable in variables]
    stored = [struct.pack("<II", 15, len(part)) + part for part in parts]
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + b"".join(stored))
    return path


def external_link(file: h5py.File, other: Path) -> None:
    file["A"] = h5py.ExternalLink(str(other), "A")


def soft_link_through_an_external_one(file: h5py.File, other: Path) -> None:
    file["outside"] = h5py.ExternalLink(str(other), "/")
    file["A"] = h5py.SoftLink("/outside/A")


def external_storage(file: h5py.File, other: Path) -> None:
    file.create_dataset("A", (4, 5), "u1", external=[(str(other), 0, 20)])


def virtual_dataset(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((4, 5), "f8")
    layout[:] = h5py.VirtualSource(str(other), "A", (4, 5))
    file.create_virtual_dataset("A", layout)


@pytest.mark.parametrize("reach", [external_link, soft_link_through_an_external_one, external_storage, virtual_dataset])
def test_a_file_cannot_make_another_file_readable(tmp_path, reach):
    other = save_v73(tmp_path / "secret.mat", {"A": np.ones((5, 4))})
    path = hdf5(tmp_path / "a.mat", lambda file: reach(file, other))
    with h5py.File(path) as file:
        assert file["A"].shape == (4, 5)  # HDF5 itself reads it
    with pytest.raises(MatFileError, match=r"a\.mat: 'A' must be stored in the file itself"):
        read_mat(path, "A")


def chunk(shape: tuple[int, ...], content: bytes) -> Callable[[h5py.File], None]:
    """A byte array of one gzip chunk with any content."""

    def change(file: h5py.File) -> None:
        data = file.create_dataset("A", shape, "u1", chunks=shape, compression="gzip")
        data.id.write_direct_chunk((0,) * len(shape), zlib.compress(content))

    return change


LARGE = {
    "an array that was never written": lambda f: f.create_dataset(
        "A", (30000, 40000), "i4", chunks=(1000, 1000), compression="gzip"
    ).__setitem__((0, 0), 1),
    "a chunk larger than its array": lambda f: f.create_dataset(
        "A", (3, 4), "u1", chunks=(30000, 30000), maxshape=(None, None), compression="gzip", data=None
    ).id.write_direct_chunk((0, 0), zlib.compress(b"1")),
    "a chunk that inflates to more than its array": chunk((100, 100), bytes(150 * MEBIBYTE)),
    "an empty array with dimensions": lambda f: f.create_dataset(
        "A", data=np.array([1 << 20, 1 << 12], np.uint64)
    ).attrs.update(MATLAB_empty=np.uint8(1)),
    "long text": lambda f: f.create_dataset("A", data=np.full(1 << 20, 65, np.uint16), compression="gzip").attrs.update(
        MATLAB_class=np.bytes_(b"char")
    ),
    "many chunks": lambda f: f.create_dataset("A", (5000, 5000), "u1", chunks=(1, 1), compression="gzip").__setitem__(
        (0, 0), 1
    ),
}
LARGE5 = {
    "a struct with a huge cell array": structure(matrix(1, (1 << 15, 1 << 15))),
    "numbers that are not there": matrix(6, (1 << 15, 1 << 15), element(2, b"1234"), name=b"A"),
    "numbers that widen": matrix(6, (1 << 12, 1 << 13), element(2, bytes(1 << 25)), name=b"A"),
    "many empty items": structure(matrix(1, (1 << 18, 1), struct.pack("<II", 14, 0) * (1 << 18))),
}


@pytest.mark.parametrize("name", [*LARGE, *LARGE5])
def test_a_small_file_takes_little_memory(tmp_path, name):
    path = hdf5(tmp_path / "a.mat", LARGE[name]) if name in LARGE else version5(tmp_path / "a.mat", LARGE5[name])
    assert path.stat().st_size < MEBIBYTE
    tracemalloc.start()
    try:
        with pytest.raises(MatFileError, match=r"a\.mat: "):
            read_mat(path, "A" if name in LARGE or "numbers" in name else "A/f")
        assert tracemalloc.get_traced_memory()[1] < 160 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_a_chunk_that_is_too_short_is_not_filled_with_memory(tmp_path):
    path = hdf5(tmp_path / "a.mat", chunk((1000, 1000), b"7" * 1000))  # HDF5 2.0 crashes
    with pytest.raises(MatFileError, match=r"damaged.*must have 1000000 bytes, got 1000"):
        read_mat(path, "A")


@pytest.mark.parametrize("version", ["7.3", "5"])
def test_the_checksum_of_compressed_data_is_checked(tmp_path, version):
    array = np.arange(2000.0).reshape(40, 50)
    path = hdf5(tmp_path / "a.mat", lambda f: f.create_dataset("A", data=array, compression="gzip", chunks=(40, 50)))
    if version == "5":
        path = version5(tmp_path / "b.mat", matrix(6, (40, 50), element(9, array.T.tobytes()), name=b"A"))
    np.testing.assert_array_equal(read_mat(path, "A").T, array.T if version == "7.3" else array)
    content = bytearray(path.read_bytes())
    checksum = struct.pack(">I", zlib.adler32(array.tobytes()))
    at = len(content) - 1 if version == "5" else content.rindex(checksum)
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(MatFileError, match="truncated or damaged"):
        read_mat(path, "A")


@pytest.mark.parametrize("shuffle", [False, True])
def test_chunks_are_put_together_as_hdf5_does(tmp_path, shuffle):
    array = np.random.default_rng(0).normal(size=(7, 50, 33)).astype(">f4")

    def change(file: h5py.File) -> None:
        data = file.create_dataset(
            "A", array.shape, array.dtype, chunks=(2, 20, 16), compression="gzip", shuffle=shuffle, fillvalue=-2.0
        )
        data[:5] = array[:5]  # the rest is never written
        data[:2, :20, :16] = 0

    path = hdf5(tmp_path / "a.mat", change)
    with h5py.File(path) as file:
        expected = file["A"][()]
    np.testing.assert_array_equal(read_mat(path, "A").swapaxes(0, 1), expected.T)


def test_deep_nesting_does_not_overflow_the_stack(tmp_path):
    inner = matrix(6, (1, 1), element(9, struct.pack("<d", 1)))
    for _ in range(3000):
        inner = matrix(1, (1, 1), inner)
    with pytest.raises(MatFileError, match="nested at most 32 deep"):
        read_mat(version5(tmp_path / "a.mat", structure(inner)), "A/f")


def test_a_large_border_is_refused_before_it_is_read(tmp_path):
    path = save_slice(tmp_path / "1.mat")
    with h5py.File(path, "r+") as file:
        del file["cjdata/tumorBorder"]
        file.create_dataset("cjdata/tumorBorder", (1, 1 << 24), "u1", chunks=(1, 1 << 20), compression="gzip")
    with pytest.raises(MatFileError, match=r"'cjdata/tumorBorder' must have at most 1048576 values, got 16777216"):
        read_cjdata(path)


def stored_class(name: str) -> Callable[[h5py.File], None]:
    """A dataset of numbers that stand for an object."""

    def change(file: h5py.File) -> None:
        file["A"] = np.array([[0xDD000000, 2, 1, 1, 1, 1]], np.uint32)
        file["A"].attrs["MATLAB_class"] = np.bytes_(name.encode())

    return change


def sparse(file: h5py.File) -> None:
    found = scipy.sparse.csc_matrix(np.eye(4))
    group = file.create_group("A")
    group.attrs.update(MATLAB_class=np.bytes_(b"double"), MATLAB_sparse=np.uint64(4))
    group["data"], group["ir"], group["jc"] = found.data, found.indices, found.indptr


NO_ARRAYS = {
    "sparse": (sparse, r"is a sparse matrix: save full\(A\)"),
    "cell": (stored_class("cell"), "is a cell array: save its elements as variables of their own"),
    "string": (stored_class("string"), r"is a string object: save char\(A\)"),
    "function handle": (stored_class("function_handle"), "is a function handle"),
    "table": (stored_class("table"), "is an object of class table"),
    "control characters": (stored_class("\x1b[31m"), r"is an object of class '\\x1b\[31m'"),
    "long double": (lambda f: f.__setitem__("A", np.eye(3, dtype=np.longdouble)), r"long double\): save double\(A\)"),
    "complex": (lambda f: f.__setitem__("A", np.zeros(3, [("real", "f8"), ("imag", "f8")])), r"complex: .* abs\(A\)"),
    "text": (lambda f: f.__setitem__("A", ["a", "b"]), "must be an array of numbers or text, got object"),
    "nothing": (lambda f: f.__setitem__("A", h5py.Empty("f8")), "has no values"),
    "no fields": (lambda f: f.create_group("A"), "is a struct, not an array: it has no fields"),
    "no storage": (lambda f: f.create_dataset("A", (3, 4), "f8"), "only 0 bytes are stored"),
    "filter": (lambda f: f.create_dataset("A", data=np.eye(40), compression="lzf"), "compressed as MATLAB does.*lzf"),
}


@pytest.mark.parametrize("name", NO_ARRAYS)
def test_what_is_no_array_of_numbers_gets_its_own_sentence(tmp_path, name):
    change, message = NO_ARRAYS[name]
    with pytest.raises(MatFileError, match=rf"a\.mat: 'A' .*{message}"):
        read_mat(hdf5(tmp_path / "a.mat", change), "A")


def test_the_parts_of_a_sparse_matrix_are_no_image(tmp_path):
    with pytest.raises(MatFileError, match="'A' is a sparse matrix"):
        read_mat(hdf5(tmp_path / "a.mat", sparse), "A/data")


def test_version_5_gives_the_same_sentences(tmp_path):
    matrices = {"s": scipy.sparse.csc_matrix(np.eye(4)), "c": np.array([1, "x"], object), "ok": np.eye(2)}
    path = save_v5(tmp_path / "a.mat", {**matrices, "D": matrices})
    for where in ("", "D/"):
        with pytest.raises(MatFileError, match=rf"'{where}s' is a sparse matrix: save full\(s\)"):
            read_mat(path, f"{where}s")
        with pytest.raises(MatFileError, match=rf"'{where}c' is a cell array"):
            read_mat(path, f"{where}c")
        np.testing.assert_array_equal(read_mat(path, f"{where}ok"), np.eye(2))
    opaque = element(
        14, element(6, struct.pack("<II", 17, 0)) + element(1, b"A") + element(1, b"MCOS") + element(1, b"string")
    )
    with pytest.raises(MatFileError, match="'A' is a string object"):
        read_mat(version5(tmp_path / "b.mat", opaque), "A")


def test_version_5_is_read_as_scipy_reads_it(tmp_path):
    made = {
        "numbers": np.random.default_rng(1).normal(size=(5, 6, 7)),
        "complex": np.eye(3) * 1j,
        "logical": np.eye(3, dtype=bool),
        "empty": np.zeros((0, 3)),
        "text": "Grüße",
        "outer": {"inner": {"deep": np.arange(6, dtype=np.int16)}, "more": np.float32(2)},
    }
    for compression in (False, True):
        path = tmp_path / "a.mat"
        scipy.io.savemat(path, made, do_compression=compression)
        expected = scipy.io.loadmat(path, chars_as_strings=False)
        for name in ("numbers", "complex", "logical", "empty", "text"):
            np.testing.assert_array_equal(read_mat(path, name), expected[name].swapaxes(0, 1))
        np.testing.assert_array_equal(read_mat(path, "outer/inner/deep"), np.arange(6)[:, None])
        np.testing.assert_array_equal(read_mat(path, "outer/more"), [[2]])


def test_two_variables_of_one_name_are_refused(tmp_path):
    one, two = (matrix(6, (1, 1), element(2, value), name=b"A") for value in (b"\1", b"\2"))
    with pytest.raises(MatFileError, match="two variables have the name A"):
        read_mat(version5(tmp_path / "a.mat", one, two), "A")


def test_control_characters_in_names_are_escaped(tmp_path):
    path = version5(tmp_path / "a.mat", matrix(6, (1, 1), element(2, b"\1"), name=b"\x1b[31m"))
    with pytest.raises(MatFileError, match=r"only '\\x1b\[31m'") as caught:
        read_mat(path, "A")
    assert str(caught.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.mat")
    with pytest.raises(MatFileError, match=r"a\.mat: must be a file"):
        read_mat(tmp_path / "a.mat", "A")


def test_a_file_that_another_program_writes_is_not_called_damaged(tmp_path):
    path = save_slice(tmp_path / "1.mat")
    code = f"import h5py; f = h5py.File({str(path)!r}, 'r+'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(MatFileError, match=r"1\.mat: another program holds it open for writing"):
            read_cjdata(path)
        writer.communicate("\n")
    assert read_cjdata(path).pid == "MR024780B"
