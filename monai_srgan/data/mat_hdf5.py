# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Read arrays of HDF5 files from unknown sources: from the file itself, and within limits.

HDF5 follows links to other files, inflates without a limit, and reads beyond the end of a chunk that inflates to fewer
bytes than it should. So links and storage are checked first, and compressed chunks are inflated here.
"""

from __future__ import annotations

import itertools
import math
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from monai_srgan.data.mat_errors import MatFileError, MatVariableError, check_bytes, no_array

__all__ = ["attribute", "matlab_class", "member", "values"]

# What MATLAB writes: numbers, and objects whose dataset holds only the number of the object.
_NUMBERS = ("double", "single", "logical", "char", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)))
_FILTERS = {h5py.h5z.FILTER_DEFLATE: "gzip", h5py.h5z.FILTER_SHUFFLE: "shuffle"}
_MOST_CHUNKS = 1 << 16
_LARGEST_ATTRIBUTE = 1 << 16  # bytes
_LONGEST_ATTRIBUTE = 64  # items, each of which may be text of any length
_SMALLEST_ITEM = 4  # bytes: images become float32


def member(path: Path, group: h5py.Group, name: str) -> Any:
    """A group or dataset that is stored in the group's own file.

    Raises:
        MatFileError: it is a link, which may lead to another file.
        KeyError: it does not exist.
    """
    if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise MatFileError(
            f"{path}: {name!r} must be stored in the file itself, got a link, which may lead to another file: "
            "save the array itself; MATLAB writes no links."
        )
    return group[name]


def attribute(path: Path, node: h5py.Group | h5py.Dataset, name: str, default: Any = None) -> Any:
    """An attribute of a group or dataset, or the default if it has none."""
    # attrs.get() goes through a KeyError if the attribute is missing, which takes 20 times as long.
    if not h5py.h5a.exists(node.id, name.encode()):
        return default
    stored = h5py.h5a.open(node.id, name.encode())
    items = math.prod(stored.shape)
    if items > _LONGEST_ATTRIBUTE or items * stored.get_type().get_size() > _LARGEST_ATTRIBUTE:
        raise MatFileError(
            f"{path}: the attribute {name} must have at most {_LONGEST_ATTRIBUTE} items and {_LARGEST_ATTRIBUTE} "
            f"bytes, got shape {stored.shape}: save the file again in MATLAB."
        )
    if stored.dtype.kind != "S":
        return node.attrs[name]
    value = np.empty(stored.shape, stored.dtype)  # several times faster
    stored.read(value)
    return value


def matlab_class(path: Path, node: h5py.Group | h5py.Dataset) -> str:
    """MATLAB's class of a group or dataset, "sparse" for a sparse matrix; empty if the file does not say."""
    if h5py.h5a.exists(node.id, b"MATLAB_sparse"):
        return "sparse"
    stored = np.ravel(attribute(path, node, "MATLAB_class", "")).tolist()
    # MATLAB writes bytes, other software writes text.
    return "".join(part.decode("latin-1") if isinstance(part, bytes) else str(part) for part in stored)


def values(path: Path, variable: str, dataset: h5py.Dataset) -> np.ndarray:
    """The values of a dataset of numbers, of the dataset's shape.

    Args:
        path: the file, for messages.
        variable: path of the dataset in the file, for messages.
        dataset: the dataset.

    Raises:
        MatFileError: it is stored outside the file, too large for the file, compressed by an unusual filter, or
            damaged.
        MatVariableError: it is no array of numbers.
    """
    plist = dataset.id.get_create_plist()
    layout = plist.get_layout()
    if layout not in (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED) or plist.get_external_count():
        raise MatFileError(
            f"{path}: {variable!r} must be stored in the file itself, got storage in another file: "
            "save the array itself; MATLAB writes no external or virtual datasets."
        )
    _check_type(path, variable, dataset)
    itemsize = dataset.dtype.itemsize
    check_bytes(path, variable, dataset.size * max(itemsize, _SMALLEST_ITEM))
    if dataset.size == 0:
        return np.zeros(dataset.shape, dataset.dtype)
    stored = dataset.id.get_storage_size()
    chunked = layout == h5py.h5d.CHUNKED
    if stored < (1 if chunked else dataset.size * itemsize):
        raise MatFileError(
            f"{path}: {variable!r} has shape {dataset.shape}, but only {stored} bytes are stored: save it again."
        )
    if not chunked:
        return np.asarray(dataset[()])
    number = math.prod(-(-n // chunk) for n, chunk in zip(dataset.shape, dataset.chunks, strict=True))
    check_bytes(path, variable, math.prod(dataset.chunks) * max(itemsize, _SMALLEST_ITEM))
    if number > _MOST_CHUNKS:
        raise MatFileError(
            f"{path}: {variable!r} must have at most {_MOST_CHUNKS} chunks, got {number}: save it with larger ones."
        )
    if plist.get_nfilters() == 0:
        return np.asarray(dataset[()])
    return _inflated(path, variable, dataset, plist)


def _check_type(path: Path, variable: str, dataset: h5py.Dataset) -> None:
    if dataset.shape is None:
        raise MatVariableError(f"{path}: {variable!r} has no values: save an array.")
    found = matlab_class(path, dataset)
    dtype = dataset.dtype
    if found not in ("", *_NUMBERS):
        raise no_array(path, variable, found)
    if h5py.check_ref_dtype(dtype) is not None:
        raise no_array(path, variable, "cell")
    if dtype.names in (("real", "imag"), ("r", "i")) or dtype.kind == "c":
        raise no_array(path, variable, "complex")
    if dtype.kind == "f" and dtype.itemsize > 8:
        raise no_array(path, variable, "long double")
    if dtype.kind not in "biuf" or not dataset.id.get_type().equal(h5py.h5t.py_create(dtype, logical=True)):
        raise MatVariableError(
            f"{path}: {variable!r} must be an array of numbers or text, got {dtype} (other software than MATLAB?)."
        )


def _inflated(path: Path, variable: str, dataset: h5py.Dataset, plist: h5py.h5p.PropDCID) -> np.ndarray:
    """The values of a dataset in compressed chunks."""
    filters = [plist.get_filter(i) for i in range(plist.get_nfilters())]
    codes = [code for code, *_ in filters]
    if len(set(codes)) < len(codes) or not set(codes) <= _FILTERS.keys():
        names = [name.decode(errors="replace") for *_, name in filters]
        raise MatFileError(
            f"{path}: {variable!r} must be compressed as MATLAB does, with gzip and at most a shuffle before it, "
            f"got {names}: save it again in MATLAB, or with compression='gzip' alone."
        )
    dtype, shape, chunks = dataset.dtype, dataset.shape, dataset.chunks
    size = path.stat().st_size
    out, fill = np.empty(shape, dtype), dataset.fillvalue
    for start in itertools.product(*(range(0, n, chunk) for n, chunk in zip(shape, chunks, strict=True))):
        place = tuple(slice(s, s + chunk) for s, chunk in zip(start, chunks, strict=True))
        found = dataset.id.get_chunk_info_by_coord(start)
        if found.byte_offset is None:  # never written
            out[place] = fill
            continue
        if found.size > size:
            raise EOFError(f"the chunk at {start} of {variable!r} ends beyond the file")
        skipped, stored = dataset.id.read_direct_chunk(start)
        content = _chunk(bytes(stored), codes, skipped, math.prod(chunks), dtype.itemsize)
        inside = tuple(slice(0, n - s) for s, n in zip(start, shape, strict=True))
        out[place] = np.frombuffer(content, dtype).reshape(chunks)[inside]
    return out


def _chunk(stored: bytes, codes: list[int], skipped: int, items: int, itemsize: int) -> bytes:
    """Undo the filters of a chunk; bit i of `skipped` says that filter i was not applied."""
    expected = items * itemsize
    for i in reversed(range(len(codes))):
        if skipped >> i & 1:
            continue
        if codes[i] == h5py.h5z.FILTER_DEFLATE:
            inflate = zlib.decompressobj()
            stored = inflate.decompress(stored, expected + 1)
            if not inflate.eof:  # the checksum is at the end
                raise EOFError(f"a chunk does not inflate to {expected} bytes")
        elif len(stored) == expected:  # shuffle: first bytes of all numbers, then second bytes, ...
            stored = np.frombuffer(stored, np.uint8).reshape(itemsize, items).T.tobytes()
    if len(stored) != expected:
        raise EOFError(f"a chunk must have {expected} bytes, got {len(stored)}")
    return stored
