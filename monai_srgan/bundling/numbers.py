# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a config's numbers: a command line passes ``nan``, ``1e400`` and texts."""

from __future__ import annotations

import math
from numbers import Integral, Real

from monai_srgan.errors import about

__all__ = ["require_numbers", "require_whole_numbers"]


def require_numbers(low: float = -math.inf, high: float = math.inf, **options: object) -> None:
    """Check that options are finite numbers in a range. NaN passes comparisons such as ``value < 0`` unnoticed.

    Args:
        low: least value allowed.
        high: greatest value allowed.
        options: options by name; None counts as not set.

    Raises:
        ValueError: an option is no number, not finite, or out of range; the message names it.
    """
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise about(ValueError(f"{name} must be a finite number, got {value!r}"), name)
        if not low <= float(value) <= high:
            raise about(ValueError(f"{name} must be {_range(low, high)}, got {value!r}"), name)


def require_whole_numbers(low: int = 0, **options: object) -> None:
    """Check that options are whole numbers from a lowest one on.

    Args:
        low: least value allowed.
        options: options by name; None counts as not set.

    Raises:
        ValueError: an option is no whole number, or below the least; the message names it.
    """
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise about(ValueError(f"{name} must be a whole number, got {value!r}"), name)
        if value < low:
            raise about(ValueError(f"{name} must be at least {low}, got {value!r}"), name)


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"from {low:g} to {high:g}"
