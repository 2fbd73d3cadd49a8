# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Read arrays by path from MATLAB files of version 7.3 (HDF5) and 5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from monai.config import PathLike

from monai_srgan.data import mat_hdf5, mat_v5
from monai_srgan.data.mat_errors import (
    DAMAGE,
    MatFileError,
    MatVariableError,
    listed,
    no_array,
    reading,
)

__all__ = ["MatFile", "MatFileError", "MatVariableError", "check_version", "open_mat", "read_mat"]

_HEADER = {b"MATLAB 7.3 MAT-file": "7.3", b"MATLAB 5.0 MAT-file": "5"}
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MOST_DIMENSIONS = 32
_LONGEST_BYTES = 1024  # of single-byte text: larger arrays of bytes are images and masks
_LONGEST_TEXT = 1 << 16


class MatFile:
    """An open MATLAB file: variables by path, arrays with MATLAB's first two axes swapped so that x is first."""

    def __init__(self, path: Path, version: str, root: Any) -> None:
        self.path = path
        self.version = version
        self.root = root
        self._nodes: dict[str, Any] = {}
        self._classes: dict[str, str] = {}

    def node(self, variable: str) -> Any:
        """The node at a path such as ``cjdata/image``."""
        node, walked = self.root, ""
        for name in variable.strip("/").split("/"):
            path = f"{walked}/{name}".lstrip("/")
            if path not in self._nodes:
                self._nodes[path] = self._child(node, name, walked, variable)
            node, walked = self._nodes[path], path
        return node

    def _child(self, node: Any, name: str, walked: str, variable: str) -> Any:
        """The child of a node, where `walked` is the path of the node."""
        if isinstance(node, h5py.Group) and name.isidentifier() and not name.startswith("__"):
            # Try first: listing the names takes longer than reading a small array.
            try:
                return self._checked_group(mat_hdf5.member(self.path, node, name), f"{walked}/{name}".lstrip("/"))
            except MatFileError:
                raise
            except DAMAGE:
                pass  # explained below
        names = self.names(node)
        if name not in names:
            where = f"in {walked!r}" if walked else "at the top level"
            raise MatVariableError(
                f"{self.path}: variable {variable!r} does not exist: there is no {name!r} {where}, "
                f"only {listed(names) or 'a plain array'}."
            )
        path = f"{walked}/{name}".lstrip("/")
        with reading(self.path, self.version):
            if isinstance(node, h5py.Group):
                return self._checked_group(mat_hdf5.member(self.path, node, name), path)
            node = node[name]
        kind = mat_v5.matlab_class(node)
        if kind:
            raise no_array(self.path, path, kind)
        if isinstance(node, np.ndarray) and node.dtype.names is not None:
            if node.size != 1:
                raise MatVariableError(
                    f"{self.path}: {path!r} must be a single struct, "
                    f"got a struct array of shape {node.shape}: save its elements one by one."
                )
            node = node.flat[0]
        return node

    def _checked_group(self, node: Any, path: str) -> Any:
        """A node of an HDF5 file, refused if it is a group that is no struct, such as a sparse matrix."""
        if isinstance(node, h5py.Group):
            kind = mat_hdf5.matlab_class(self.path, node)
            if kind not in ("", "struct"):
                raise no_array(self.path, path, kind)
        return node

    def forget(self) -> None:
        """Drop cached nodes: h5py closes a file more slowly while nodes are open."""
        self._nodes.clear()

    def names(self, node: Any) -> list[str]:
        """Names of the children of the top level, a group or a struct; empty for an array."""
        if isinstance(node, np.void):
            return sorted(node.dtype.names or ())
        if isinstance(node, Mapping):  # scipy's dictionary, h5py's files and groups
            with reading(self.path, self.version):
                # h5py returns bytes for a damaged name that is not UTF-8.
                names = [n.decode(errors="replace") if isinstance(n, bytes) else str(n) for n in node]
            return sorted(name for name in names if not name.startswith(("__", "#")))
        return []

    def matlab_class(self, variable: str) -> str:
        """MATLAB class of the array at a path, such as ``"char"``; empty if the file does not contain it."""
        if variable not in self._classes:
            node = self.node(variable)
            if isinstance(node, h5py.Dataset):
                with reading(self.path, self.version):
                    text = mat_hdf5.matlab_class(self.path, node)
            else:
                array = np.asarray(node)  # version 5 always has a class, and scipy converts accordingly
                text = "char" if array.dtype.kind == "U" else array.dtype.name
            self._classes[variable] = text
        return self._classes[variable]

    def array(self, variable: str, *, most: int | None = None) -> np.ndarray:
        """The array at a path, x first, in native byte order; text is an array of characters.

        Args:
            variable: path of the array in the file.
            most: refuse an array of more values than this before it is read.
        """
        node = self.node(variable)
        names = self.names(node)
        if names or isinstance(node, h5py.Group):
            raise MatVariableError(
                f"{self.path}: {variable!r} is a struct, not an array: "
                f"{f'use one of its fields {listed(names)}' if names else 'it has no fields'}."
            )
        size = node.size if isinstance(node, h5py.Dataset) else np.size(node)
        if most is not None and size is not None and size > most:
            raise MatFileError(f"{self.path}: {variable!r} must have at most {most} values, got {size}.")
        value = self._dataset(node, variable) if isinstance(node, h5py.Dataset) else np.asarray(node)
        if value.dtype.kind not in "biufcU":
            raise MatVariableError(f"{self.path}: {variable!r} must be an array of numbers or text, got {value.dtype}.")
        value = value.astype(value.dtype.newbyteorder("="), copy=False)
        return np.ascontiguousarray(value.swapaxes(0, 1) if value.ndim >= 2 else value)

    def _dataset(self, node: h5py.Dataset, variable: str) -> np.ndarray:
        """The values of a dataset, axes in MATLAB's order."""
        with reading(self.path, self.version):
            value = mat_hdf5.values(self.path, variable, node)
            # MATLAB stores an empty array as its dimensions, which are few, and characters as unsigned codes of two or
            # more bytes (other software writes single bytes).
            few = value.size <= _MOST_DIMENSIONS
            if few and np.any(mat_hdf5.attribute(self.path, node, "MATLAB_empty", 0)):
                shape = [int(n) for n in value.ravel()]
                if 0 not in shape:
                    raise ValueError(f"{variable!r} is marked as empty, but its dimensions are {shape}")
                return np.zeros(shape, node.dtype)
        codes = value.dtype.kind == "u" and (value.dtype.itemsize > 1 or value.size <= _LONGEST_BYTES)
        if not codes or self.matlab_class(variable) != "char":
            return value.T
        if value.size > _LONGEST_TEXT:
            raise MatVariableError(
                f"{self.path}: {variable!r} must be text of at most {_LONGEST_TEXT} characters, got {value.size}."
            )
        with reading(self.path, self.version):
            return np.array([chr(c) for c in value.T.ravel()], dtype="<U1").reshape(value.T.shape)


def _version(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise MatFileError(f"{path}: must be a file, got a folder, a device or a pipe.")
    with path.open("rb") as file:
        head = file.read(520)
    for text, version in _HEADER.items():
        if head.startswith(text):
            return version
    if head.startswith(_HDF5_SIGNATURE) or head[512:].startswith(_HDF5_SIGNATURE):
        return "7.3"  # HDF5 without MATLAB's text header
    if len(head) >= 128 and head[124:128] in (b"\x00\x01IM", b"\x01\x00MI"):
        return "5"  # version 5 with a changed text header
    found = "an empty file" if not head else f"a file that starts with {head[:16]!r}"
    raise MatFileError(f"{path}: must be a MATLAB file of version 7.3 or 5, got {found}: download or export it again.")


@contextmanager
def open_mat(path: PathLike, version: str | None = None) -> Iterator[MatFile]:
    """Open a file of either version. Damage found on opening or reading raises ``MatFileError``."""
    path = Path(path)
    found = _version(path)
    if version is not None and found != version:
        remedy = "-v7.3" if version == "7.3" else "-v7"
        raise MatFileError(
            f"{path}: must be a MATLAB file of version {version}, got version {found}: "
            f"set version=None to accept both, or save it again in MATLAB with save(..., '{remedy}')."
        )
    with reading(path, found):
        # Without a chunk cache, since each array is read once and completely.
        root = h5py.File(path, "r", rdcc_nbytes=0) if found == "7.3" else mat_v5.Version5(path)
    file = MatFile(path, found, root)
    try:
        yield file
    finally:
        file.forget()
        if isinstance(root, h5py.File):
            root.close()


def read_mat(path: PathLike, variable: str, *, version: str | None = None) -> np.ndarray:
    """Read an array from a MATLAB file, with MATLAB's first two axes swapped so that x is first.

    Text is returned as an array of characters.

    Args:
        path: MATLAB file of version 7.3 or 5.
        variable: path of the array in the file, with slashes between structs and fields, such as ``cjdata/image``.
        version: accept only files of this version, ``"7.3"`` or ``"5"``; None accepts both.

    Raises:
        MatFileError: the file is not a MATLAB file, is truncated, has the other version, or has no such array.
    """
    with open_mat(path, check_version(version)) as file:
        return file.array(variable)


def check_version(version: str | None) -> str | None:
    """Check the argument ``version`` and return it."""
    if version not in (None, "7.3", "5"):
        raise ValueError(f"version must be '7.3', '5' or None (both), got {version!r}.")
    return version
