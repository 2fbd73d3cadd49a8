# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What DICOM tags say about the acquisition of an image, as a second witness beside the image itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from monai.config import PathLike

from monai_srgan.data.dicom import dicom_files
from monai_srgan.data.dicom_tags import read_tags
from monai_srgan.physics import AxisSupport, SupportEstimate

__all__ = ["AcquisitionCheck", "AcquisitionTags", "compare_acquisition", "read_acquisition"]

_MATRIX, _DIRECTION, _OPTIONS = "AcquisitionMatrix", "InPlanePhaseEncodingDirection", "ScanOptions"
_SAMPLING, _PHASE_FOV = "PercentSampling", "PercentPhaseFieldOfView"
_ROWS, _COLUMNS = "Rows", "Columns"
_TOLERANCE = 0.06  # of the width, beyond the estimate's uncertainty: partial Fourier and filters shift an edge

Axis = Literal["x", "y"]
Verdict = Literal["agree", "contradict", "silent"]


@dataclass(frozen=True)
class AcquisitionTags:
    """Tags of a DICOM file about its k-space; None or empty where the file does not tell.

    Attributes:
        columns: pixels along x, Columns (0028,0011).
        rows: pixels along y, Rows (0028,0010).
        matrix: acquired samples along x and y, from AcquisitionMatrix (0018,1310): the numbers of frequency rows,
            frequency columns, phase rows and phase columns (PS3.3, C.8.3.1), of which two are 0.
        phase_axis: "x" if the phase is encoded along rows, "y" if along columns, from InPlanePhaseEncodingDirection
            (0018,1312), else from the matrix.
        scan_options: ScanOptions (0018,0022), such as "PFP" for partial Fourier along the phase.
        percent_sampling: PercentSampling (0018,0093), the part of the phase lines that was acquired.
        percent_phase_fov: PercentPhaseFieldOfView (0018,0094), the field of view along the phase relative to the other.
        notes: what was malformed and ignored.
    """

    columns: int | None = None
    rows: int | None = None
    matrix: tuple[int, int] | None = None
    phase_axis: Axis | None = None
    scan_options: tuple[str, ...] = ()
    percent_sampling: float | None = None
    percent_phase_fov: float | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """What the tags tell, as JSON and MONAI's collation take it: without None and empty entries."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items() if v not in (None, ())}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AcquisitionTags:
        """Rebuild a record from :meth:`to_dict`; unknown keys raise a TypeError."""
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
        return cls(**values)


@dataclass(frozen=True)
class AcquisitionCheck:
    """How DICOM tags compare with the image.

    Attributes:
        verdict: "agree", "contradict", or "silent" where there is nothing to compare.
        text: the comparison in a sentence.
    """

    verdict: Verdict
    text: str


def read_acquisition(path: PathLike) -> AcquisitionTags:
    """Read the tags about the acquisition from a DICOM file, or from the first file of a series.

    Malformed tags (empty, zero, text instead of numbers) are ignored and noted.

    Args:
        path: DICOM file, or folder with a series.

    Raises:
        FileNotFoundError: the folder contains no DICOM file.
        ValueError: the file is not a DICOM image.
    """
    path = Path(path)
    if path.is_dir():
        files = dicom_files(path)
        if not files:
            raise FileNotFoundError(f"{path}: the folder contains no DICOM file")
        path = files[0]
    tags = read_tags(path)
    names = (_MATRIX, _DIRECTION, _OPTIONS, _SAMPLING, _PHASE_FOV, _ROWS, _COLUMNS)
    told = {name: tags.text(name) for name in names}
    return _parse({name: text for name, text in told.items() if text is not None})


def compare_acquisition(tags: AcquisitionTags, estimate: SupportEstimate) -> AcquisitionCheck:
    """Compare the acquired matrix of the tags with the support that the image shows.

    The image is the first witness. Along the phase, the matrix may cover a smaller field of view than the image, or
    count lines that were not acquired (PercentSampling): any of these readings counts as agreement.

    Args:
        tags: tags of the file.
        estimate: from :func:`monai_srgan.physics.estimate_support`, x first.
    """
    if tags.matrix is None:
        return AcquisitionCheck("silent", "; ".join(tags.notes) or "DICOM does not tell the acquired matrix")
    if estimate.reason:
        return AcquisitionCheck(
            "silent", f"DICOM tells {_times(tags.matrix)} acquired samples; the image tells nothing"
        )
    matched = [
        _fits(axis, samples, tags, name)
        for axis, samples, name in zip(estimate.axes, tags.matrix, ("x", "y"), strict=True)
    ]
    told = f"AcquisitionMatrix is {_times(tags.matrix)}"
    if all(matched):
        return AcquisitionCheck("agree", f"DICOM agrees: {told}")
    seen = " x ".join(f"{axis.width:.0f}" for axis in estimate.axes)
    return AcquisitionCheck("contradict", f"DICOM contradicts the image: {told}, but the image shows {seen}")


def _fits(axis: AxisSupport, samples: int, tags: AcquisitionTags, name: str) -> bool:
    readings = [float(samples)]
    if name == tags.phase_axis:
        # the square image of a smaller field of view, and a matrix that counts lines that were not acquired
        readings += [samples * 100 / tags.percent_phase_fov] if tags.percent_phase_fov else []
        readings += [samples * tags.percent_sampling / 100] if tags.percent_sampling else []
    width = float(axis.width or axis.size)
    slack = (axis.uncertainty or 0.0) + _TOLERANCE * width
    return any(abs(min(reading, axis.size) - width) <= slack for reading in readings)


def _parse(text: Mapping[str, str]) -> AcquisitionTags:
    notes: list[str] = []

    def number(tag: str, name: str) -> float | None:
        raw = text.get(tag, "").strip(" \0")
        if tag not in text:
            return None
        try:
            value = float(raw)
        except ValueError:
            value = float("nan")
        if not (np.isfinite(value) and value > 0):
            notes.append(f"{name} is {raw!r}, not a positive number: ignored")
            return None
        return value

    rows, columns = number(_ROWS, "Rows"), number(_COLUMNS, "Columns")
    direction = text.get(_DIRECTION, "").strip(" \0").upper()
    phase: Axis | None = "x" if direction == "ROW" else "y" if direction == "COL" else None
    if phase is None and _DIRECTION in text:
        notes.append(f"InPlanePhaseEncodingDirection is {direction!r}, neither ROW nor COL: ignored")
    matrix = None
    if _MATRIX in text:
        phase, matrix = _matrix(text[_MATRIX], phase, notes)
    return AcquisitionTags(
        columns=None if columns is None else int(columns),
        rows=None if rows is None else int(rows),
        matrix=matrix,
        phase_axis=phase,
        scan_options=tuple(o.strip(" \0") for o in text.get(_OPTIONS, "").split("\\") if o.strip(" \0")),
        percent_sampling=number(_SAMPLING, "PercentSampling"),
        percent_phase_fov=number(_PHASE_FOV, "PercentPhaseFieldOfView"),
        notes=tuple(notes),
    )


def _matrix(raw: str, phase: Axis | None, notes: list[str]) -> tuple[Axis | None, tuple[int, int] | None]:
    """Phase axis, and samples along x and y; `phase` and None, with a note, if the tag is malformed."""
    parts = [part.strip(" \0") for part in raw.split("\\")]
    shown = f"AcquisitionMatrix is ({', '.join(parts)})"
    if len(parts) != 4 or not all(part.isdecimal() for part in parts):
        notes.append(f"{shown}, not four numbers: ignored")
        return phase, None
    frequency_rows, frequency_columns, phase_rows, phase_columns = (int(part) for part in parts)
    # "rows" are samples along a row, so along x
    phase_along_x, phase_along_y = (phase_rows, frequency_columns), (frequency_rows, phase_columns)
    axis: Axis
    if all(phase_along_y) and not any(phase_along_x):
        axis, matrix = "y", phase_along_y
    elif all(phase_along_x) and not any(phase_along_y):
        axis, matrix = "x", phase_along_x
    else:
        notes.append(f"{shown}, not one frequency and one phase number: ignored")
        return phase, None
    if phase is not None and axis != phase:
        notes.append(
            f"{shown}, with the phase along {axis}, but InPlanePhaseEncodingDirection is along {phase}: ignored"
        )
        return phase, None
    return axis, matrix


def _times(values: tuple[int, int]) -> str:
    return " x ".join(str(value) for value in values)
