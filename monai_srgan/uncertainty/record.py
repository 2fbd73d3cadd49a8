# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Records of a calibration: what it was made from and what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from monai_srgan.json_text import require_count, require_mapping, require_number, require_texts

__all__ = ["Calibration", "CalibrationRecord", "CoverageSummary", "TableFit", "coverage_by_region"]


@dataclass(frozen=True)
class CoverageSummary:
    """Coverage of a region over patients.

    Args:
        mean: mean over patients, in [0, 1].
        sd: standard deviation over patients (n - 1); None for a single patient.
        patients: number of patients with the region.
    """

    mean: float
    sd: float | None
    patients: int

    @classmethod
    def from_dict(cls, content: Any) -> CoverageSummary:
        """Rebuild a summary from ``dataclasses.asdict``.

        Raises:
            TypeError: if there are missing or unknown names.
            ValueError: if a value is invalid.
        """
        found = cls(**require_mapping("coverage", content))
        sd = None if found.sd is None else require_number("sd", found.sd)
        mean = require_number("mean", found.mean)
        if not 0 <= mean <= 1:
            raise ValueError(f"mean must lie in [0, 1], got {mean}")
        return cls(mean, sd, require_count("patients", found.patients))

    @classmethod
    def of(cls, values: Sequence[float]) -> CoverageSummary:
        """Summarize one value per patient."""
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return cls(float(np.mean(values)), sd, len(values))


@dataclass(frozen=True)
class Calibration:
    """Result of :meth:`~monai_srgan.uncertainty.PatientCoverage.calibrate`.

    Args:
        factor: lambda, the factor of the half-widths.
        patients: number of patients.
        slices: number of slices.
        cap: where a patient's loss is cut off.
        capped_patients: number of patients whose loss reaches the cap.
        coverage: by region, with the factor of all patients. These patients set the factor, so this is not a test.
        held_out: by region, for each patient with the factor of the others; None if there are too few others.
    """

    factor: float
    patients: int
    slices: int
    cap: float
    capped_patients: int
    coverage: Mapping[str, CoverageSummary]
    held_out: Mapping[str, CoverageSummary] | None

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Calibration:
        """Rebuild a calibration from ``dataclasses.asdict``.

        Raises:
            KeyError: if a coverage is missing.
            TypeError: if there are missing or unknown names.
            ValueError: if a value is invalid.
        """
        content = require_mapping("calibration", content)
        held_out = content["held_out"]
        coverage = {
            "coverage": coverage_by_region(content["coverage"]),
            "held_out": None if held_out is None else coverage_by_region(held_out),
        }
        found = cls(**{**content, **coverage})
        for name in ("factor", "cap"):
            require_number(name, getattr(found, name))
        for name in ("patients", "slices", "capped_patients"):
            require_count(name, getattr(found, name))
        return found


@dataclass(frozen=True)
class TableFit:
    """What a :class:`~monai_srgan.uncertainty.QuantileTable` was fitted to.

    Args:
        slices: number of slices.
        patients: number of patients.
        pixels: number of pixels drawn from the slices.
        bins: number of bins along each feature.
    """

    slices: int
    patients: int
    pixels: int
    bins: tuple[int, ...]


@dataclass(frozen=True)
class CalibrationRecord:
    """How intervals were calibrated.

    Args:
        calibration: what the calibration found.
        fit: what the table was fitted to.
        patients: names of the patients who set the factor.
        settings: further settings that make the calibration reproducible, such as section, fold and seed.
    """

    calibration: Calibration | None = None
    fit: TableFit | None = None
    patients: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The record as nested dictionaries."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> CalibrationRecord:
        """Rebuild a record from :meth:`to_dict`; missing parts are None or empty.

        Raises:
            TypeError: if a part has missing or unknown names.
            ValueError: if a value is invalid.
        """
        record = require_mapping("record", record)
        calibration, fit = record.get("calibration"), record.get("fit")
        return cls(
            calibration=None if calibration is None else Calibration.from_dict(calibration),
            fit=None if fit is None else _table_fit(fit),
            patients=require_texts("patients", list(record.get("patients") or ())),
            settings=require_mapping("settings", record.get("settings") or {}),
        )


def coverage_by_region(content: Any) -> dict[str, CoverageSummary]:
    """Rebuild the coverage of each region from nested dictionaries.

    Raises:
        TypeError: if there are missing or unknown names.
        ValueError: if a value is invalid.
    """
    return {region: CoverageSummary.from_dict(c) for region, c in require_mapping("coverage", content).items()}


def _table_fit(content: Any) -> TableFit:
    content = require_mapping("fit", content)
    found = TableFit(**{**content, "bins": tuple(require_count("bins", n) for n in content["bins"])})
    for name in ("slices", "patients", "pixels"):
        require_count(name, getattr(found, name))
    return found
