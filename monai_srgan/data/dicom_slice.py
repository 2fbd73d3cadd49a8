# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A DICOM image as a record of checked numbers: where it lies, how its pixels are stored and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monai_srgan.data.dicom_pixels import PixelDescription, describe_pixels
from monai_srgan.data.dicom_tags import DicomTags, read_tags

__all__ = ["DicomSlice", "Vector", "read_slice"]

Vector = tuple[float, float, float]

_REMEDY = "repair the tag, or convert the image to NIfTI or PNG first"
_FARTHEST = 1e5  # mm
_SPACINGS = (1e-3, 1e2)  # mm
_INEXACT = 0.02  # of cosines: length and scalar product of unit vectors rounded to two decimals differ by less


@dataclass(frozen=True)
class DicomSlice:
    """One image in the patient's coordinates, LPS, in millimeters.

    Attributes:
        file: the file.
        uid: SOPInstanceUID, empty if the file has none.
        series: SeriesInstanceUID.
        frame: FrameOfReferenceUID, to which positions refer.
        patient: PatientID.
        modality: Modality, such as "MR".
        position: of the center of the first pixel.
        row: unit vector along a row, so along x.
        column: unit vector along a column, so along y, perpendicular to ``row``.
        spacing: between rows, between columns.
        depth: along the normal: SpacingBetweenSlices, else SliceThickness, else 1. Only for a slice without neighbors.
        pixels: description of the stored pixels.
        slope: factor from stored to output values.
        intercept: output value of the stored value 0.
    """

    file: Path
    uid: str
    series: str
    frame: str
    patient: str
    modality: str
    position: Vector
    row: Vector
    column: Vector
    spacing: tuple[float, float]
    depth: float
    pixels: PixelDescription
    slope: float
    intercept: float


def read_slice(file: Path) -> DicomSlice:
    """Read the record of a DICOM file, without its pixels.

    Args:
        file: a classic file, or an enhanced one with a single frame, of which the functional groups count.

    Raises:
        ValueError: the file is not a grayscale DICOM image, or a tag that its pixels or position depend on is missing
            or makes no sense; the message names file, tag, value, rule and remedy.
    """
    tags = read_tags(file)
    pixels = describe_pixels(tags)
    position = _position(tags)
    row, column = _cosines(tags)
    slope, intercept = _rescaling(tags)
    return DicomSlice(
        file=file,
        uid=tags.text("SOPInstanceUID") or "",
        series=tags.text("SeriesInstanceUID") or "",
        frame=tags.text("FrameOfReferenceUID") or "",
        patient=tags.text("PatientID") or "",
        modality=tags.text("Modality") or "",
        position=position,
        row=row,
        column=column,
        spacing=_spacing(tags),
        depth=_depth(tags),
        pixels=pixels,
        slope=slope,
        intercept=intercept,
    )


def _position(tags: DicomTags) -> Vector:
    rule = f"three numbers of at most {_FARTHEST:g} mm"
    numbers = tags.numbers("ImagePositionPatient", 3, rule, _REMEDY)
    if numbers is None or max(map(abs, numbers)) > _FARTHEST:
        raise tags.refusal("ImagePositionPatient", rule, _REMEDY)
    return numbers[0], numbers[1], numbers[2]


def _cosines(tags: DicomTags) -> tuple[Vector, Vector]:
    """Row and column as the closest pair of perpendicular unit vectors."""
    rule = "the direction cosines of row and column, two perpendicular unit vectors"
    numbers = tags.numbers("ImageOrientationPatient", 6, rule, _REMEDY)
    if numbers is None:
        raise tags.refusal("ImageOrientationPatient", rule, _REMEDY)
    pair = np.reshape(numbers, (2, 3))
    if not np.abs(pair @ pair.T - np.eye(2)).max() <= 2 * _INEXACT:  # squares of lengths differ twice as much
        raise tags.refusal("ImageOrientationPatient", rule, _REMEDY)
    left, _, right = np.linalg.svd(pair, full_matrices=False)
    row, column = (left @ right).tolist()
    return tuple(row), tuple(column)


def _spacing(tags: DicomTags) -> tuple[float, float]:
    low, high = _SPACINGS
    rule = f"two numbers of millimeters from {low:g} to {high:g}"
    numbers = tags.numbers("PixelSpacing", 2, rule, _REMEDY)
    if numbers is None or not all(low <= n <= high for n in numbers):
        raise tags.refusal("PixelSpacing", rule, _REMEDY)
    return numbers[0], numbers[1]


def _depth(tags: DicomTags) -> float:
    """Neither tag says where a slice is, so that values without sense are as good as none."""
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        try:
            numbers = tags.numbers(keyword, 1, "", "")
        except ValueError:
            continue
        if numbers is not None and _SPACINGS[0] <= numbers[0] <= _SPACINGS[1]:
            return numbers[0]
    return 1.0


def _rescaling(tags: DicomTags) -> tuple[float, float]:
    """Slope and intercept; stored values are the values of a file without them."""
    remedy = "repair the tag, or export the file again"
    slope = tags.numbers("RescaleSlope", 1, "a number other than 0", remedy)
    intercept = tags.numbers("RescaleIntercept", 1, "a number", remedy)
    if slope is not None and slope[0] == 0:
        raise tags.refusal("RescaleSlope", "a number other than 0", remedy)
    return 1.0 if slope is None else slope[0], 0.0 if intercept is None else intercept[0]
