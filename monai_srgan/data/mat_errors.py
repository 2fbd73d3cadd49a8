# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a MATLAB file: its exceptions, and the sentences on what is no array of numbers."""

from __future__ import annotations

import errno
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scipy.io.matlab import MatReadError

__all__ = ["DAMAGE", "MatFileError", "MatVariableError", "check_bytes", "listed", "no_array", "reading"]

#: What h5py and scipy raise for a damaged file (scipy: TypeError if a tag is not a matrix).
DAMAGE = (
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    zlib.error,
    MatReadError,
)

# Of an array in memory, as float32 or wider: a larger one must come from a file of a hundredth of its size.
_LARGEST = 128 << 20
_HIGHEST_RATIO = 100
_MOST_NAMES = 20

_REMEDIES = {
    "sparse": "is a sparse matrix: save full({})",
    "cell": "is a cell array: save its elements as variables of their own, such as x = {}{{1}}",
    "struct": "is a struct, not an array: save its fields as arrays",
    "string": "is a string object: save char({})",
    "function_handle": "is a function handle, not an array",
    "complex": "is complex: save its magnitude, abs({})",
    "long double": "has numbers of more than 64 bits (long double): save double({})",
}


class MatFileError(ValueError):
    """A MATLAB file that cannot be used. The message has the file, the rule, what was found, and the remedy."""


class MatVariableError(MatFileError):
    """A MATLAB file that has no array of numbers or text at the requested path."""


@contextmanager
def reading(path: Path, version: str) -> Iterator[None]:
    """Convert errors of h5py and scipy on a damaged file to a ``MatFileError``; wrap only calls to them."""
    try:
        yield
    except MatFileError:
        raise
    except MemoryError as error:
        raise MatFileError(
            f"{path}: reading it takes more memory than is free: end other programs, or split the array."
        ) from error
    except DAMAGE as error:
        if isinstance(error, OSError) and (error.errno == errno.EAGAIN or "already open for write" in str(error)):
            raise MatFileError(
                f"{path}: another program holds it open for writing ({error}): wait until it has closed the file."
            ) from error
        raise MatFileError(
            f"{path}: the file is truncated or damaged ({path.stat().st_size} bytes, version {version}; "
            f"{type(error).__name__}: {error}): download or copy it again."
        ) from error


def check_bytes(path: Path, variable: str, needed: int) -> None:
    """Refuse an array that takes far more memory than its file has bytes, before anything is inflated.

    Args:
        path: the file.
        variable: path of the array in the file.
        needed: number of bytes of the array in memory.

    Raises:
        MatFileError: it needs more than 128 MiB and more than 100 times the size of the file.
    """
    size = path.stat().st_size
    if needed > max(_LARGEST, _HIGHEST_RATIO * size):
        raise MatFileError(
            f"{path}: {variable!r} must take at most {_LARGEST >> 20} MiB of memory or {_HIGHEST_RATIO} times the file "
            f"({size} bytes), got {needed} bytes: save it without compression, or a part of it."
        )


def no_array(path: Path, variable: str, kind: str) -> MatVariableError:
    """The error on a variable that is no array of numbers or text.

    Args:
        path: the file.
        variable: path of the variable in the file.
        kind: MATLAB's class, "sparse", "complex" or "long double".
    """
    sentence = _REMEDIES.get(kind, f"is an object of class {listed([kind])}: save its numbers, such as double({{}})")
    return MatVariableError(f"{path}: {variable!r} {sentence.format(variable.rpartition('/')[2])}.")


def listed(names: Iterable[str]) -> str:
    """Names from a file for a message: the first ones, with control characters escaped."""
    names = [name if name.isprintable() else ascii(name) for name in names]
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
