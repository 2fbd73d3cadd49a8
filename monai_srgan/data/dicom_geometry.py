# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the slices of a DICOM series lie: their order, their even stacking, and the affine, from positions alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monai_srgan.data.dicom_slice import DicomSlice

__all__ = ["sort_slices", "stack_affine"]

_UNEVEN = 0.01  # relative to the slice distance: covers the rounding of positions in DICOM's decimal strings
_TILTED = 0.015  # relative to the slice distance: covers a normal from cosines that were rounded to two decimals
_DRIFT = 0.1  # relative to the slice distance: of a slice from its place in an even stack
_SAME_PLACE = 1e-3  # mm
_SAME_DIRECTION = 1e-3
_SAME_SPACING = 1e-4  # relative

_REMEDY = "enlarge the files one by one, or resample the series first"


def sort_slices(folder: Path, slices: Sequence[DicomSlice]) -> list[DicomSlice]:
    """Sort the slices of a series along their normal.

    Args:
        folder: of the series, for messages.
        slices: in any order.

    Returns:
        the slices, whose positions differ by the same step, along the normal within 1.5 %.

    Raises:
        ValueError: no single affine is true for all slices.
    """
    first = slices[0]
    for other in slices[1:]:
        _check_alike(folder, first, other)
    normal = _normal(first)
    ordered = sorted(slices, key=lambda s: float(np.dot(s.position, normal)))
    if len(ordered) > 1:
        _check_even(folder, np.array([s.position for s in ordered]), normal)
    return ordered


def stack_affine(slices: Sequence[DicomSlice]) -> np.ndarray:
    """The affine from indices (x, y, slice) to millimeters in RAS.

    The step between slices is that of their positions; SpacingBetweenSlices and SliceThickness are not believed where
    positions tell. Formula: PS3.3, C.7.6.2.1.1.

    Args:
        slices: as from :func:`sort_slices`.

    Returns:
        ``(4, 4)`` float64.
    """
    first, last = slices[0], slices[-1]
    affine = np.eye(4)
    affine[:3, 0] = np.multiply(first.row, first.spacing[1])
    affine[:3, 1] = np.multiply(first.column, first.spacing[0])
    if len(slices) > 1:
        affine[:3, 2] = np.subtract(last.position, first.position) / (len(slices) - 1)
    else:
        affine[:3, 2] = _normal(first) * first.depth
    affine[:3, 3] = first.position
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _normal(slice_: DicomSlice) -> np.ndarray:
    return np.cross(slice_.row, slice_.column)


def _check_alike(folder: Path, first: DicomSlice, other: DicomSlice) -> None:
    same = (
        (other.pixels.rows, other.pixels.columns) == (first.pixels.rows, first.pixels.columns)
        and np.allclose(other.spacing, first.spacing, rtol=_SAME_SPACING, atol=0)
        and np.allclose(other.row, first.row, rtol=0, atol=_SAME_DIRECTION)
        and np.allclose(other.column, first.column, rtol=0, atol=_SAME_DIRECTION)
    )
    if not same:
        raise ValueError(
            f"{folder}: all slices must have the same size, pixel spacing and orientation, but {other.file.name} "
            f"differs from {first.file.name}: {_REMEDY}"
        )
    for name, own, others in (
        ("FrameOfReferenceUID (0020,0052)", first.frame, other.frame),
        ("PatientID (0010,0020)", first.patient, other.patient),
    ):
        if own != others:
            raise ValueError(
                f"{folder}: all slices of a series must have the same {name}, but that of {other.file.name} "
                f"differs from that of {first.file.name}: move them to folders of their own"
            )


def _check_even(folder: Path, positions: np.ndarray, normal: np.ndarray) -> None:
    steps = np.diff(positions, axis=0)
    along = steps @ normal
    distance = float(np.mean(along))
    if along.min() < max(_UNEVEN * distance, _SAME_PLACE):
        raise ValueError(
            f"{folder}: the series has several images at one position (echoes, times, b-values): split it into volumes"
        )
    worst = float(np.abs(along - distance).max())
    drift = float(np.abs(np.cumsum(along - distance)).max())
    if worst > _UNEVEN * distance or drift > _DRIFT * distance:
        raise ValueError(
            f"{folder}: slices must be evenly spaced, but their distance of {distance:.2f} mm varies by {worst:.2f} mm "
            f"(is one missing?): {_REMEDY}"
        )
    sideways = float(np.linalg.norm(steps - np.outer(along, normal), axis=1).max())
    if sideways > _TILTED * distance:
        raise ValueError(
            f"{folder}: slices must be stacked along their normal, but one is shifted by {sideways:.2f} mm in plane "
            f"(tilted gantry): {_REMEDY}"
        )
