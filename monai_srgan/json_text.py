# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Strict JSON from files of unknown sources, and checks of its values."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = [
    "parse_json",
    "read_json",
    "require_count",
    "require_mapping",
    "require_number",
    "require_numbers",
    "require_texts",
]

_LARGEST = 64 << 20  # bytes


def parse_json(text: str) -> Any:
    """Parse JSON that holds only finite numbers and no key twice.

    Args:
        text: the text.

    Raises:
        ValueError: it is not JSON, holds NaN, infinity or a number out of range, a key twice, or is nested too deeply.
    """
    try:
        return json.loads(
            text, parse_constant=_float, parse_float=_float, parse_int=_int, object_pairs_hook=_without_repetition
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(path: Path) -> Any:
    """Parse a file, see :func:`parse_json`.

    Args:
        path: an existing file in UTF-8, of at most 64 MiB.

    Raises:
        ValueError: it is larger, or not such JSON.
    """
    size = path.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"it must have at most {_LARGEST} bytes, got {size}")
    return parse_json(path.read_text(encoding="utf-8"))


def require_number(name: str, value: Any) -> float:
    """A finite number as float; ``true`` is none.

    Raises:
        ValueError: it is not; the message has the name.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {reprlib.repr(value)}")
    return float(value)


def require_count(name: str, value: Any) -> int:
    """A whole number of at least 0.

    Raises:
        ValueError: it is not; the message has the name.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number of at least 0, got {reprlib.repr(value)}")
    return value


def require_numbers(name: str, value: Any) -> list[float]:
    """A list of finite numbers.

    Raises:
        ValueError: it is not; the message has the name.
    """
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list of numbers, got {reprlib.repr(value)}")
    return [require_number(f"{name}[{i}]", item) for i, item in enumerate(value)]


def require_mapping(name: str, value: Any) -> dict[str, Any]:
    """An object, as a dictionary of its own.

    Raises:
        ValueError: it is not; the message has the name.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be an object with names and values, got {reprlib.repr(value)}")
    return dict(value)


def require_texts(name: str, value: Any) -> tuple[str, ...]:
    """A list of strings.

    Raises:
        ValueError: it is not; the message has the name.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name} must be a list of strings, got {reprlib.repr(value)}")
    return tuple(value)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"numbers must be finite, got {text[:20]}")
    return value


def _int(text: str) -> int:
    _float(text)
    return int(text)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} occurs twice")
    return found
