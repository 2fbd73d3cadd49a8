# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The axis of a volume along which its slices lie, which need not be the last one once a tool has reoriented it."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["find_slice_axis"]

_LAST = 2
_CLEARLY = 1.1  # covers the rounding of spacings, and slices hardly thicker than their pixels


def find_slice_axis(shape: Sequence[int], spacing: Sequence[float], named: int | None = None) -> int:
    """Find the axis that is not in plane.

    In this order: the only axis of one pixel; the axis that is coarser than both others by more than those differ from
    each other, since pixels are square or nearly so and slices thick; the axis that the file names; the last axis.

    Args:
        shape: pixels along the three axes.
        spacing: millimeters along the three axes, > 0.
        named: the axis that the file says its slices lie along, if it does (NIfTI: ``dim_info``).

    Returns:
        0, 1 or 2.

    Raises:
        ValueError: there are not three axes.

    Example:
        >>> find_slice_axis((6, 24, 20), (6.0, 0.8, 0.8))
        0
        >>> find_slice_axis((24, 20, 6), (1.0, 1.0, 1.0))
        2
    """
    if len(shape) != 3 or len(spacing) != 3:
        raise ValueError(f"shape and spacing must have three entries, got {tuple(shape)} and {tuple(spacing)}")
    single = [axis for axis, size in enumerate(shape) if size == 1]
    if len(single) == 1:
        return single[0]
    fine, middle, coarse = sorted(spacing)
    if coarse / middle > _CLEARLY * middle / fine:
        return list(spacing).index(coarse)
    return _LAST if named is None else named
