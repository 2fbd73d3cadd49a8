# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Variables of MATLAB files of version 5 from unknown sources, each inflated and parsed on request and within limits.

scipy believes every size in such a file: a few bytes can ask for an array of any size, or nest structs until the stack
overflows. So the elements of a variable are counted here, before scipy parses them. The layout is that of MathWorks'
"MAT-File Format".
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.io
import scipy.sparse
from scipy.io.matlab import MatlabFunction, MatlabObject, MatlabOpaque

from monai_srgan.data.mat_errors import MatFileError, check_bytes, listed

__all__ = ["Version5", "matlab_class"]

_HEADER = 128
_TAG = 8
_MATRIX, _COMPRESSED = 14, 15  # types of elements
_DATA_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}  # bytes by type
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17  # classes of matrices
_NUMBER_SIZES = {6: 8, 7: 4, 8: 1, 9: 1, 10: 2, 11: 2, 12: 4, 13: 4, 14: 8, 15: 8}  # bytes by class
_NO_ARRAYS = {_CELL: "cell", _SPARSE: "sparse", _FUNCTION: "function_handle"}
_COMPLEX = 0x800  # flag
_SMALLEST_ITEM = 4  # bytes: images become float32
_POINTER = 8
_ELEMENT_COST = 1024  # bytes of an empty array in Python, and of its entry here and there
_DEEPEST = 32
_MOST_DIMENSIONS = 32
_LONGEST_START = 4096  # bytes of a variable that hold its class, dimensions and name
_PADDING = 64  # bytes that may follow an inflated variable


class _Element(NamedTuple):
    kind: int
    start: int
    stop: int
    following: int


@dataclass(frozen=True)
class _Variable:
    """Where a variable lies in the file, and its class if scipy cannot turn it into an array."""

    start: int
    stop: int
    compressed: bool
    kind: str


class Version5(Mapping[str, Any]):
    """The variables of a file by name, as ``scipy.io.loadmat(..., chars_as_strings=False)`` gives them.

    Only the start of each variable is read at once. A variable that is no array is the name of its class instead, such
    as "sparse".

    Args:
        path: MATLAB file of version 5.

    Raises:
        MatFileError: a variable would take too much memory, or a name occurs twice.
        Exception: those of ``monai_srgan.data.mat_errors.DAMAGE``, for a damaged file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size
        self._variables: dict[str, _Variable] = {}
        with path.open("rb") as file:
            self._header = file.read(_HEADER)
            if len(self._header) < _HEADER:
                raise EOFError("the header ends too early")
            self._order = "<" if self._header[126:128] == b"IM" else ">"
            at = _HEADER
            while at < self._size:
                file.seek(at)
                kind, nbytes = self._unpack("II", file.read(_TAG))
                start, stop = at + _TAG, at + _TAG + nbytes
                if kind not in (_MATRIX, _COMPRESSED) or stop > self._size:
                    raise EOFError(f"element of type {kind} and {nbytes} bytes at byte {at}")
                head = file.read(min(nbytes, _LONGEST_START))
                if kind == _COMPRESSED:
                    head = zlib.decompressobj().decompress(head, _LONGEST_START)[_TAG:]
                name, described = self._describe(head)
                if name in self._variables:
                    raise MatFileError(f"{path}: two variables have the name {listed([name])}: save the file again.")
                self._variables[name] = _Variable(start, stop, kind == _COMPRESSED, described)
                at = stop

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __getitem__(self, name: str) -> Any:
        variable = self._variables[name]
        if variable.kind:
            return variable.kind
        element = self._element_of(name, variable)
        self._count(name, element, _TAG, len(element), depth=0, used=0)
        file = io.BytesIO()
        file.write(self._header)
        file.write(element)
        del element
        file.seek(0)
        return scipy.io.loadmat(file, chars_as_strings=False)[name]

    def _unpack(self, codes: str, content: bytes) -> tuple[Any, ...]:
        return struct.unpack(f"{self._order}{codes}", content)

    def _element_of(self, name: str, variable: _Variable) -> bytes:
        """The matrix element of a variable with its tag, inflated."""
        with self._path.open("rb") as file:
            file.seek(variable.start - (0 if variable.compressed else _TAG))
            stored = file.read(variable.stop - file.tell())
        if not variable.compressed:
            return stored
        kind, nbytes = self._unpack("II", zlib.decompressobj().decompress(stored, _TAG))
        check_bytes(self._path, name, nbytes)
        inflate = zlib.decompressobj()
        element = inflate.decompress(stored, _TAG + nbytes + _PADDING)
        if kind != _MATRIX or not inflate.eof or len(element) < _TAG + nbytes:  # the checksum is at the end
            raise EOFError(f"{name!r} inflates to {len(element)} bytes, not {_TAG + nbytes}")
        return element if len(element) == _TAG + nbytes else element[: _TAG + nbytes]

    def _element(self, content: bytes, at: int, end: int) -> _Element:
        """The element at a byte: its type, first and last byte, and the next element."""
        if end - at < _TAG:
            raise EOFError("an element ends too early")
        kind, nbytes = self._unpack("II", content[at : at + _TAG])
        if kind >> 16:  # up to four bytes in the tag itself
            kind, nbytes = kind & 0xFFFF, kind >> 16
            if nbytes > _TAG // 2:
                raise EOFError("a small element has more than four bytes")
            return _Element(kind, at + 4, at + 4 + nbytes, at + _TAG)
        start, stop = at + _TAG, at + _TAG + nbytes
        if stop > end:
            raise EOFError("an element is longer than the one around it")
        return _Element(kind, start, stop, min(stop + -nbytes % 8, end))

    def _flags(self, content: bytes, at: int, end: int) -> tuple[int, int, int]:
        """Flags and class of the matrix element whose content starts at a byte, and where its next element starts."""
        flags = self._element(content, at, end)
        if flags.kind != 6 or flags.stop - flags.start != 8:
            raise EOFError("a matrix does not start with its flags")
        (word,) = self._unpack("I", content[flags.start : flags.start + 4])
        return word, word & 0xFF, flags.following

    def _describe(self, content: bytes) -> tuple[str, str]:
        """Name of a variable, and its class if it is no array, from the start of its matrix element's content."""
        end = len(content)
        _, class_code, at = self._flags(content, 0, end)
        if class_code != _OPAQUE:
            at = self._element(content, at, end).following  # dimensions
        name = self._element(content, at, end)
        kind = _NO_ARRAYS.get(class_code, "")
        if class_code == _OPAQUE:
            system = self._element(content, name.following, end)  # "MCOS"
            label = self._element(content, system.following, end)
            kind = content[label.start : label.stop].decode("latin-1") or "object"
        # the variable without a name holds the data of objects
        return content[name.start : name.stop].decode("latin-1") or "__function_workspace__", kind

    def _count(self, name: str, content: bytes, at: int, end: int, *, depth: int, used: int) -> int:
        """Check the matrix element with content from `at` to `end`; bytes that scipy needs for it, plus `used`."""
        if at == end:  # scipy: an empty array
            return used
        if depth > _DEEPEST:
            raise MatFileError(f"{self._path}: {name!r} must be nested at most {_DEEPEST} deep: save its parts alone.")
        word, class_code, at = self._flags(content, at, end)
        number = 1
        if class_code not in (_FUNCTION, _OPAQUE):
            dimensions = self._element(content, at, end)
            count = (dimensions.stop - dimensions.start) // 4
            if count > _MOST_DIMENSIONS:
                raise EOFError(f"{count} dimensions")
            lengths = self._unpack(f"{count}i", content[dimensions.start : dimensions.start + 4 * count])
            if min(lengths, default=-1) < 0:
                raise EOFError(f"dimensions {lengths}")
            number, at = math.prod(lengths), dimensions.following
        elements = []
        while at < end:
            elements.append(self._element(content, at, end))
            at = elements[-1].following
            used += _ELEMENT_COST
            check_bytes(self._path, name, used)
        used += self._cost(word, class_code, number, elements, content)
        check_bytes(self._path, name, used)
        for element in elements:
            if element.kind == _COMPRESSED:
                raise EOFError("a compressed element within a variable")
            if element.kind == _MATRIX:
                used = self._count(name, content, element.start, element.stop, depth=depth + 1, used=used)
        return used

    def _cost(self, word: int, class_code: int, number: int, elements: list[_Element], content: bytes) -> int:
        """Bytes that scipy needs for a matrix of `number` items, without the matrices in it; checks their number."""
        matrices = sum(element.kind == _MATRIX for element in elements)
        if class_code in _NUMBER_SIZES:
            parts = 2 if word & _COMPLEX else 1
            stored = [(e.stop - e.start) // _DATA_SIZES.get(e.kind, 1) for e in elements[1:]]  # [0]: the name
            if stored != [number] * parts:
                raise EOFError(f"{number} numbers, but {stored} are stored")
            return parts * number * max(_NUMBER_SIZES[class_code], _SMALLEST_ITEM)
        if class_code in (_CELL, _STRUCT, _OBJECT):
            fields = 1
            if class_code != _CELL:
                at = 1 + (class_code == _OBJECT)  # after the name, and the object's class
                if len(elements) < at + 2:
                    raise EOFError("a struct without names of fields")
                length, names = elements[at], elements[at + 1]
                if length.stop - length.start != 4:
                    raise EOFError("a struct without the length of its fields' names")
                (longest,) = self._unpack("i", content[length.start : length.stop])
                if longest < 1:
                    raise EOFError(f"names of {longest} characters")
                fields = (names.stop - names.start) // longest
            if matrices != number * fields:
                raise EOFError(f"{number * fields} items, but {matrices} are stored")
            return number * (fields + 1) * _POINTER
        if class_code in (_CHAR, _SPARSE, _FUNCTION, _OPAQUE):
            # scipy widens characters to four bytes and numbers to eight; it stores no zeros of a sparse matrix
            items = 0 if class_code == _SPARSE else number
            return _SMALLEST_ITEM * items + _POINTER * sum(e.stop - e.start for e in elements if e.kind != _MATRIX)
        raise EOFError(f"a matrix of class {class_code}")


def matlab_class(value: Any) -> str:
    """MATLAB's class of a value that scipy read, or "sparse"; empty for an array of numbers or text, or a struct."""
    if isinstance(value, str):  # of Version5
        return value
    if scipy.sparse.issparse(value):
        return "sparse"
    if isinstance(value, MatlabOpaque):
        name = value["s2"].flat[0] if "s2" in (value.dtype.names or ()) else b"object"
        return name.decode("latin-1") if isinstance(name, bytes) else str(name)
    if isinstance(value, MatlabObject):
        return str(value.classname)
    if isinstance(value, MatlabFunction):
        return "function_handle"
    return "cell" if isinstance(value, np.ndarray) and value.dtype.kind == "O" else ""
