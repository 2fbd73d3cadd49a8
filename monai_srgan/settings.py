# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Comparison of run settings between runs and processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Difference", "differences"]

_LONGEST = 60
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """A setting with two values.

    Args:
        name: dotted name, such as "degradation.noise_std".
        first: first value as a short text.
        second: second value as a short text.
    """

    name: str
    first: str
    second: str


def differences(first: Mapping[str, Any], second: Mapping[str, Any], prefix: str = "") -> Iterator[Difference]:
    """Settings that are not the same in both mappings, in alphabetical order; nested mappings are compared by entry.

    Args:
        first: settings by name.
        second: settings by name.
        prefix: prefix of the names.
    """
    for key in sorted(first.keys() | second.keys()):
        a, b = first.get(key, _ABSENT), second.get(key, _ABSENT)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from differences(a, b, f"{prefix}{key}.")
        elif a != b:
            yield Difference(f"{prefix}{key}", _short(a), _short(b))


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "(not recorded)"
    text = repr(value)
    if len(text) <= _LONGEST:
        return text
    number = f" ({len(value)} items)" if isinstance(value, list) else ""
    return f"{text[:_LONGEST]}...{number}"
