# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrate intervals by measurement from samples of measured slices."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_srgan.errors import about
from monai_srgan.files import writable_folder
from monai_srgan.flags import require_flags
from monai_srgan.uncertainty.calibration import check_cap
from monai_srgan.uncertainty.cells import populated_cells
from monai_srgan.uncertainty.cross_fit import FoldedScale, SliceCoverage, cross_fit, deal_patients
from monai_srgan.uncertainty.measured_intervals import CellIntervals, MeasuredIntervals, check_basis
from monai_srgan.uncertainty.record import CoverageSummary
from monai_srgan.uncertainty.samples import SampleFolder, SliceSample

__all__ = ["BANDWIDTH_EDGES", "NOISE_EDGES", "IntervalCalibration"]

NOISE_EDGES = (0.0, 0.005, 0.0125, 0.025, 0.04, 0.06)
"""Bounds of the cells along the noise; the last is the strongest noise for which the network is used."""

BANDWIDTH_EDGES = (0.55, 0.75, 0.93)
"""Bounds between the cells along the bandwidth."""

_STRONG = 0.025  # noise that separates two rows of the table by operator

logger = logging.getLogger(__name__)


class IntervalCalibration:
    """Calibrate the intervals of every cell of measurements, and write them to a JSON file.

    A smooth scale by record (:func:`fit_record_scale`) evens out the measurements; then each cell of a grid over the
    numbers of the records (:class:`MeasurementNumbers`) gets a table and a factor by :func:`cross_fit`, which make the
    coverage right in the cell, however well the scale fits. :func:`populated_cells` describes which cells are joined or
    left out. Slices whose record was declined take no part: they have no intervals.

    Args:
        samples: folder of the samples.
        path: the file.
        level: coverage of the intervals, in (0, 1).
        cap: where a patient's loss is cut off, in (1 - level, 1]; None for twice ``1 - level``.
        noise_edges: bounds of the cells along the noise, see :func:`populated_cells`.
        bandwidth_edges: bounds between the cells along the bandwidth.
        min_patients: smallest number of patients of a cell, at least 2.
        bins: largest number of bins of each table along each feature.
        folds: number of folds of patients.
        seed: of the folds of patients.
        overwrite: whether to replace an existing file.
        basis: whether the records are "estimated" or "told", see :class:`MeasuredIntervals`.
        facts: further arguments of :class:`MeasuredIntervals`: ``weights_sha256``, ``consistent``, ``precision`` and
            ``settings``.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        samples: SampleFolder,
        path: str | Path,
        *,
        level: float = 0.9,
        cap: float | None = None,
        noise_edges: Sequence[float] = NOISE_EDGES,
        bandwidth_edges: Sequence[float] = BANDWIDTH_EDGES,
        min_patients: int = 15,
        bins: int = 8,
        folds: int = 8,
        seed: int = 0,
        overwrite: bool = False,
        basis: str = "estimated",
        **facts: Any,
    ) -> None:
        require_flags(overwrite=overwrite)
        check_cap(level, cap)
        check_basis(basis)
        if bins < 1 or folds < 2 or min_patients < 2:
            raise ValueError(
                f"bins must be at least 1, folds and min_patients at least 2, got {bins}, {folds} and {min_patients}"
            )
        populated_cells((), noise_edges, bandwidth_edges, min_patients)
        self.samples = samples
        self.path = Path(path)
        self.level, self.cap = level, cap
        self.noise_edges, self.bandwidth_edges = tuple(noise_edges), tuple(bandwidth_edges)
        self.min_patients, self.bins, self.folds, self.seed = min_patients, bins, folds, seed
        self.overwrite = overwrite
        self.facts = {"basis": basis, **facts}

    def prepare(self) -> None:
        """Check, before any computation, that the file can be written.

        Raises:
            FileExistsError: if it exists and ``overwrite`` is False.
            OSError: if its folder cannot be created or written to.
        """
        if self.path.exists() and not self.overwrite:
            message = f"{self.path} exists: choose another path, or set overwrite=True to replace it"
            raise about(FileExistsError(message), "overwrite")
        writable_folder(self.path.parent)

    def write(self) -> None:
        """Calibrate, write the file, and log the coverage of each cell and of each operator.

        Raises:
            FileNotFoundError: if samples are missing.
            ValueError: if no cell has enough patients, or see :func:`cross_fit`.
        """
        intervals = self.calibrate(self.samples.load())
        intervals.save(self.path)

    def calibrate(self, samples: Sequence[SliceSample]) -> MeasuredIntervals:
        """Calibrate on samples.

        Args:
            samples: measured slices of all patients.

        Raises:
            ValueError: if no cell has enough patients, or see :func:`cross_fit`.
        """
        known = [(sample, sample.numbers) for sample in samples if sample.numbers is not None]
        grid = (self.noise_edges, self.bandwidth_edges, self.min_patients)
        cells = populated_cells(((sample.patient, numbers) for sample, numbers in known), *grid)
        if not cells:
            patients = len({sample.patient for sample, _ in known})
            raise ValueError(
                f"no cell has {self.min_patients} patients: {len(known)} of {len(samples)} measured slices, of "
                f"{patients} patients, have a record that was not declined. Add patients or draws, or lower "
                "min_patients"
            )
        fold_of = deal_patients((sample.patient for sample, _ in known), self.folds, self.seed)
        scales = FoldedScale.fit([sample for sample, _ in known], fold_of, self.level)
        found: list[CellIntervals] = []
        slices: list[SliceCoverage] = []
        for cell in cells:
            inside = [sample for sample, numbers in known if numbers in cell]
            fitted = cross_fit(inside, self.level, fold_of=fold_of, scales=scales, bins=self.bins, cap=self.cap)
            found.append(CellIntervals(cell, fitted.table, fitted.calibration))
            slices += fitted.slices
        intervals = MeasuredIntervals(
            level=self.level,
            cells=tuple(found),
            scale=scales.overall,
            patients=tuple(sorted({sample.patient for sample, _ in known})),
            operators=coverage_by_operator(slices),
            **self.facts,
        )
        left_out = len(known) - sum(cell.calibration.slices for cell in found)
        logger.info(
            "%s\n%d measured slices: %d declined, %d in cells with too few patients",
            summary_text(intervals),
            len(samples),
            len(samples) - len(known),
            left_out,
        )
        return intervals


def coverage_by_operator(slices: Iterable[SliceCoverage]) -> dict[str, dict[str, CoverageSummary]]:
    """Held-out coverage of each kind of operator and strength of noise, as means over patients.

    Args:
        slices: coverage of every slice.

    Returns:
        names such as "gaussian, noise up to 2.5 %" to coverage by region, sorted.
    """
    groups: dict[str, dict[str, dict[str, list[float]]]] = {}
    for found in slices:
        regions = groups.setdefault(_name(json.loads(found.measurement)), {})
        for region, value in found.coverage.items():
            regions.setdefault(region, {}).setdefault(found.patient, []).append(value)
    return {
        name: {
            region: CoverageSummary.of([sum(values) / len(values) for values in patients.values()])
            for region, patients in sorted(regions.items())
        }
        for name, regions in sorted(groups.items())
    }


def _name(measurement: Mapping[str, Any]) -> str:
    noise = measurement["noise_std"]
    strength = "no noise" if not noise else f"noise {'up to' if noise <= _STRONG else 'above'} {100 * _STRONG:g} %"
    operator = measurement["operator"]
    default = operator["kind"] == "gaussian" and operator["sigma"] == (operator["scale"] - 1) / 2
    return f"{'default' if default else operator['kind']}, {strength}"


def summary_text(intervals: MeasuredIntervals) -> str:
    """Summarize a calibration as lines for the log.

    Args:
        intervals: the result.
    """
    lines = [
        f"intervals of {intervals.level:.0%} for {len(intervals.cells)} cells, coverage of patients who were held out:",
        f"{'cell':<48} patients  slices  lambda  inside   outside",
    ]
    for found in intervals.cells:
        calibration = found.calibration
        lines.append(
            f"{found.cell.description:<48} {calibration.patients:>8}  {calibration.slices:>6}  "
            f"{calibration.factor:>6.3f}  {_percent(calibration.held_out)}"
        )
    lines.append("by operator")
    lines += [f"{name:<73}  {_percent(regions)}" for name, regions in intervals.operators.items()]
    return "\n".join(lines)


def _percent(coverage: Mapping[str, CoverageSummary] | None) -> str:
    found = coverage or {}
    return "   ".join(f"{found[r].mean:.1%}" if r in found else "not measured" for r in ("inside", "outside"))
