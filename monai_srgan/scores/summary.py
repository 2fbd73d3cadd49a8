# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""From the table of slices to the figures of a report: mean, spread, interval and comparison of every score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from monai_srgan.scores.rows import ScoreRow
from monai_srgan.scores.statistics import bootstrap_interval, paired_wilcoxon, patient_summary, summarise

__all__ = ["summarise_rows"]

_Slice = tuple[str, str, int]  # file, patient, and a number for files of the same name
_Cell = dict[_Slice, float]


def summarise_rows(
    rows: Iterable[ScoreRow], *, reference: str = "bicubic", level: float = 0.95, seed: int = 0
) -> dict[str, dict[str, dict[str, dict[str, float | int | None]]]]:
    """Summary of every method, region and metric, each in the order of its first row.

    =================  ================================================================================================
    ``mean``, ``sd``   over the slices measured, the sd that of the sample
    ``n``              slices in the mean
    ``infinite``       slices left out of it because prediction and target are identical (infinite PSNR)
    ``patients``       known patients of the slices in the mean
    ``patient_mean``   mean over patients of each patient's mean over slices, and its sd ``patient_sd``
    ``low``, ``high``  bootstrap interval of the mean over patients, see :func:`bootstrap_interval`
    ``difference``     mean over slices of value - reference
    ``pairs``          slices in the difference: those where both are finite
    ``p_value``        of the patients' mean differences, see :func:`paired_wilcoxon`
    =================  ================================================================================================

    What was not or cannot be measured is None, never NaN, so the result is JSON as it stands. The reference itself has
    no difference, nor has any method where the reference was not measured.

    Args:
        rows: of one degradation.
        reference: method that the others are compared with.
        level: of the intervals.
        seed: of the bootstrap's draws.

    Returns:
        ``{method: {region: {metric: {the names above: value}}}}``.

    Raises:
        ValueError: if the rows are of several degradations.
    """
    cells: dict[str, dict[str, dict[str, _Cell]]] = {}
    degradations: dict[str, None] = {}
    for row in rows:
        degradations[row.degradation] = None
        cell = cells.setdefault(row.method, {}).setdefault(row.region, {}).setdefault(row.metric, {})
        number = 0
        while (row.file, row.patient, number) in cell:
            number += 1
        cell[row.file, row.patient, number] = row.value
    if len(degradations) > 1:
        raise ValueError(f"rows must be of one degradation, got {list(degradations)}: summarise each apart")

    def compared_with(method: str, region: str, metric: str) -> Mapping[_Slice, float]:
        return {} if method == reference else cells.get(reference, {}).get(region, {}).get(metric, {})

    return {
        method: {
            region: {
                metric: _summary(cell, compared_with(method, region, metric), level=level, seed=seed)
                for metric, cell in metrics.items()
            }
            for region, metrics in regions.items()
        }
        for method, regions in cells.items()
    }


def _summary(cell: _Cell, reference: Mapping[_Slice, float], *, level: float, seed: int) -> dict[str, Any]:
    patients = [patient for _, patient, _ in cell]
    values = list(cell.values())
    low, high = bootstrap_interval(values, patients, level=level, seed=seed) or (None, None)
    paired = [(v, reference[key], key[1]) for key, v in cell.items() if key in reference]
    paired = [pair for pair in paired if math.isfinite(pair[0]) and math.isfinite(pair[1])]
    return {
        **summarise(values),
        "patients": len({p for p, v in zip(patients, values, strict=True) if p and math.isfinite(v)}),
        **patient_summary(values, patients),
        "low": low,
        "high": high,
        "difference": math.fsum(v - r for v, r, _ in paired) / len(paired) if paired else None,
        "pairs": len(paired),
        "p_value": paired_wilcoxon(*map(list, zip(*paired, strict=True))) if paired else None,
    }
