# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrated intervals for images that were measured in different ways."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.json_text import require_mapping, require_numbers, require_texts
from monai_srgan.uncertainty.cells import MeasurementCell, MeasurementNumbers
from monai_srgan.uncertainty.features import FEATURES
from monai_srgan.uncertainty.interval_checks import CalibratedIntervals, refused
from monai_srgan.uncertainty.interval_file import (
    checked_factor,
    checked_facts,
    checked_table,
    read_intervals,
    table_content,
    write_intervals,
)
from monai_srgan.uncertainty.intervals import TABLE_FORMATS, IntervalTable
from monai_srgan.uncertainty.quantiles import QuantileTable
from monai_srgan.uncertainty.record import Calibration, CoverageSummary, coverage_by_region
from monai_srgan.uncertainty.record_scale import RecordScale

__all__ = ["CellIntervals", "MeasuredIntervals", "check_basis", "load_intervals"]

_FORMAT = "monai_srgan intervals 3"
_BASES = ("estimated", "told")


@dataclass(frozen=True, eq=False)
class CellIntervals:
    """The table of one cell and its factor.

    Args:
        cell: the measurements for which they hold.
        table: widths before the factor.
        calibration: the factor, numbers of patients and slices, and the coverage inside and outside the tumor.
    """

    cell: MeasurementCell
    table: QuantileTable
    calibration: Calibration


@dataclass(frozen=True, eq=False)
class MeasuredIntervals(CalibratedIntervals):
    """Intervals by measurement: the record of an image selects a cell, which has a table and a factor of its own.

    ``half_width = factor * scale(record) * table(mean, spread)``, with the factor and the table of the record's cell.
    This is Mondrian conformal prediction (Vovk, *Conditional validity of inductive conformal predictors*, ACML 2012,
    https://arxiv.org/abs/1209.2673): the stated coverage holds in each cell, not only on average over all measurements.
    The cell is that of the record that inference has, usually an estimate, so that errors of the estimate are part of
    the calibration. Where no cell was calibrated there are no intervals.

    Args:
        level: stated coverage, in (0, 1).
        cells: disjoint cells with their intervals.
        basis: "estimated" if the records of the calibration were estimated from the images, "told" if they were known.
            Intervals for estimated records also hold for known ones, which give smaller errors, but not the reverse.
        weights_sha256: fingerprint of the weights of the calibration; None if unknown.
        consistent: whether the results were projected onto the measured image.
        precision: of the network in the calibration, such as "fp32"; None if unknown.
        patients: names of the patients of the calibration.
        scale: factor on all widths by record, which evens out the measurements of a cell; None for none.
        operators: coverage by region of each true operator and noise, held out, over all cells.
        settings: what makes the calibration reproducible: source of the measurements, section, fold, seed ...

    Raises:
        ValueError: if there are no cells, two cells overlap, or `basis` is unknown.
    """

    level: float
    cells: tuple[CellIntervals, ...]
    basis: str = "estimated"
    weights_sha256: str | None = None
    consistent: bool = False
    precision: str | None = None
    patients: tuple[str, ...] = ()
    scale: RecordScale | None = None
    operators: Mapping[str, Mapping[str, CoverageSummary]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.cells:
            raise ValueError("cells must have at least one cell, got none")
        for a, b in combinations([found.cell for found in self.cells], 2):
            if a.overlaps(b):
                raise ValueError(f"cells must be disjoint, got {a.description} and {b.description}")
        check_basis(self.basis)

    def cell_of(self, assumed: AssumedMeasurement) -> CellIntervals | None:
        """The cell of a record that is not declined; None if it was not calibrated."""
        numbers = MeasurementNumbers.of_condition(assumed.condition)
        return next((found for found in self.cells if numbers in found.cell), None)

    def reason_against(self, assumed: AssumedMeasurement | None) -> str | None:
        """Why there are no intervals for an image: no record, a declined one, or one that was not calibrated.

        Args:
            assumed: the record; None if nothing is assumed.
        """
        if assumed is None:
            return "the intervals depend on how the image was measured, which is not known"
        if refused(assumed) is not None:
            return refused(assumed)
        if self.basis == "told" and assumed.basis == "estimated":
            return "the intervals were calibrated for measurements that are known, this one is estimated"
        if self.cell_of(assumed) is None:
            numbers = MeasurementNumbers.of_condition(assumed.condition)
            return (
                f"no intervals were calibrated for noise of {100 * numbers.noise:.1f} % with a bandwidth of "
                f"{100 * numbers.bandwidth:.0f} %"
            )
        return None

    def describe(self, assumed: AssumedMeasurement | None) -> dict[str, Any]:
        """What the file beside a result says: ``level``, then the cell and its calibration, or ``none`` with why."""
        found = super().describe(assumed)
        cell = None if assumed is None or "none" in found else self.cell_of(assumed)
        if cell is None:
            return found
        coverage = cell.calibration.held_out or cell.calibration.coverage
        return {
            **found,
            "noise": list(cell.cell.noise),
            "bandwidth": list(cell.cell.bandwidth),
            "patients": cell.calibration.patients,
            "coverage": {region: round(covered.mean, 4) for region, covered in coverage.items()},
        }

    def _table(self, assumed: AssumedMeasurement | None) -> tuple[QuantileTable, float]:
        found = None if assumed is None else self.cell_of(assumed)
        if assumed is None or found is None:
            raise ValueError("assumed has no intervals: ask reason_against first")
        scale = 1.0 if self.scale is None else self.scale(assumed.condition)
        return found.table, found.calibration.factor * scale

    def facts(self) -> dict[str, Any]:
        """Facts on which a report of their coverage depends, as plain values.

        ``level``, ``precision``, ``basis``, the ranges of the ``cells``, the settings and the names of the
        ``patients``.
        """
        return {
            "level": self.level,
            "precision": self.precision,
            "basis": self.basis,
            "cells": [asdict(found.cell) for found in self.cells],
            **self.settings,
            "patients": list(self.patients),
        }

    def save(self, path: str | Path) -> None:
        """Write a JSON file atomically; the folder must exist."""
        content = {
            "format": _FORMAT,
            "level": self.level,
            "features": list(FEATURES),
            "window": self.cells[0].table.window,
            "weights_sha256": self.weights_sha256,
            "consistent": self.consistent,
            "precision": self.precision,
            "basis": self.basis,
            "scale": None if self.scale is None else asdict(self.scale),
            "cells": [
                {
                    **asdict(found.cell),
                    "lambda": found.calibration.factor,
                    **table_content(found.table),
                    "calibration": asdict(found.calibration),
                }
                for found in self.cells
            ],
            "operators": {
                name: {region: asdict(covered) for region, covered in regions.items()}
                for name, regions in self.operators.items()
            },
            "patients": list(self.patients),
            "settings": dict(self.settings),
        }
        write_intervals(path, content)

    @classmethod
    def load(cls, path: str | Path) -> MeasuredIntervals:
        """Read and check a file written by :meth:`save`.

        Raises:
            FileNotFoundError: if the file does not exist.
            ValueError: if it is not an interval file of this format, or a value is invalid.
        """
        return read_intervals(path, cls.from_content)

    @classmethod
    def from_content(cls, content: dict[str, Any], path: Path) -> MeasuredIntervals:  # noqa: ARG003 - as IntervalTable
        """Build intervals from the content of a file.

        Args:
            content: of the JSON file.
            path: of the file.

        Raises:
            KeyError: if a key is missing.
            TypeError: if a calibration has missing or unknown names.
            ValueError: if a value is invalid.
        """
        if content.get("format") != _FORMAT:
            raise ValueError(f"its format must be {_FORMAT!r}")
        cells = content["cells"]
        if not isinstance(cells, list):
            raise ValueError(f"cells must be a list, got {reprlib.repr(cells)}")
        return cls(
            cells=tuple(_cell(cell, i, content["window"]) for i, cell in enumerate(cells)),
            basis=content["basis"],
            scale=None if content["scale"] is None else RecordScale.from_dict(content["scale"]),
            patients=require_texts("patients", content["patients"]),
            operators={
                name: coverage_by_region(regions)
                for name, regions in require_mapping("operators", content["operators"]).items()
            },
            settings=require_mapping("settings", content["settings"]),
            **checked_facts(content),
        )


def check_basis(basis: str) -> None:
    """Check that a basis is "estimated" or "told"; a ValueError names it otherwise."""
    if basis not in _BASES:
        raise ValueError(f"basis must be one of {', '.join(_BASES)}, got {basis!r}")


def load_intervals(path: str | Path) -> IntervalTable | MeasuredIntervals:
    """Read an interval file of any format.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not an interval file, or a value is invalid.
    """
    return read_intervals(path, _any_format)


def _any_format(content: dict[str, Any], path: Path) -> IntervalTable | MeasuredIntervals:
    known = (*TABLE_FORMATS, _FORMAT)
    if content.get("format") not in known:
        raise ValueError(f"its format must be one of {', '.join(map(repr, known))}")
    return (MeasuredIntervals if content["format"] == _FORMAT else IntervalTable).from_content(content, path)


def _cell(content: Mapping[str, Any], index: int, window: Any) -> CellIntervals:
    try:
        content = require_mapping("a cell", content)
        factor, calibration = checked_factor(content), Calibration.from_dict(content["calibration"])
        if factor != calibration.factor:
            raise ValueError(f"lambda must be the calibration's factor, {calibration.factor}, got {factor}")
        ranges = (tuple(require_numbers(name, content[name])) for name in ("noise", "bandwidth"))
        cell = MeasurementCell(*ranges)  # type: ignore[arg-type]  # it checks their length
        return CellIntervals(cell, checked_table(content, window), calibration)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cells[{index}]: {error}") from error
