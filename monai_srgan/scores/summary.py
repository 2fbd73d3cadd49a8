# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""From the table of slices to the figures of a report: mean, spread, interval and comparison of every score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from monai_srgan.scores.methods import Method
from monai_srgan.scores.rows import ScoreRow
from monai_srgan.scores.statistics import (
    SliceStatistics,
    bootstrap_interval,
    paired_wilcoxon,
    patient_statistics,
    summarize,
)

__all__ = ["ScoreSummary", "SummaryKey", "SummaryTable", "summarize_rows"]


@dataclass(frozen=True)
class ScoreSummary(SliceStatistics):
    """The figures of one method, region and metric. None means not measured or not computable, so there is no NaN.

    Attributes:
        mean: mean over the slices measured.
        sd: standard deviation of this sample.
        n: number of slices in the mean.
        infinite: slices left out because prediction and target are identical (infinite PSNR).
        patients: number of known patients of the slices in the mean.
        patient_mean: mean over patients of each patient's mean over slices.
        patient_sd: standard deviation of these means.
        low: lower end of the bootstrap interval of the mean over patients, see :func:`bootstrap_interval`.
        high: upper end.
        difference: mean over slices of value - reference.
        pairs: number of slices in the difference: those where both are finite.
        p_value: of the patients' mean differences, see :func:`paired_wilcoxon`.
    """

    patients: int = 0
    patient_mean: float | None = None
    patient_sd: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    pairs: int = 0
    p_value: float | None = None

    @property
    def is_measured(self) -> bool:
        """Whether any slice was measured, identical ones included."""
        return self.mean is not None or self.infinite > 0


@dataclass(frozen=True)
class SummaryKey:
    """What a summary is about."""

    method: Method
    region: str
    metric: str


class SummaryTable:
    """Summaries by method, region and metric, each in the order of first appearance.

    Args:
        entries: the summaries.

    Example:
        >>> table = summarize_rows(rows)
        >>> table.get(Method("srgan"), "head", "psnr").mean
    """

    def __init__(self, entries: Mapping[SummaryKey, ScoreSummary] | None = None) -> None:
        self._entries = dict(entries or {})

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[tuple[SummaryKey, ScoreSummary]]:
        return iter(self._entries.items())

    def get(self, method: Method, region: str, metric: str) -> ScoreSummary | None:
        """One summary; None where there is no such score."""
        return self._entries.get(SummaryKey(method, region, metric))

    def measured(self, method: Method, region: str, metric: str) -> ScoreSummary | None:
        """One summary; None where there is no such score or nothing was measured."""
        entry = self.get(method, region, metric)
        return entry if entry is not None and entry.is_measured else None

    def methods(self) -> list[Method]:
        """Methods of the table."""
        return list(dict.fromkeys(key.method for key in self._entries))

    def regions(self) -> list[str]:
        """Regions of the table."""
        return list(dict.fromkeys(key.region for key in self._entries))

    def metrics(self, region: str | None = None) -> list[str]:
        """Metrics of the table, or of one of its regions."""
        return list(dict.fromkeys(key.metric for key in self._entries if region in (None, key.region)))

    def to_dict(self) -> dict[str, dict[str, dict[str, dict[str, float | int | None]]]]:
        """``{method: {region: {metric: figures}}}``, the layout of ``summary.json``."""
        found: dict[str, dict[str, dict[str, dict[str, float | int | None]]]] = {}
        for key, entry in self:
            found.setdefault(str(key.method), {}).setdefault(key.region, {})[key.metric] = asdict(entry)
        return found

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> SummaryTable:
        """The table of a ``summary.json``; the inverse of :meth:`to_dict`."""
        return cls(
            {
                SummaryKey(Method.parse(method), region, metric): ScoreSummary(**figures)
                for method, regions in content.items()
                for region, metrics in regions.items()
                for metric, figures in metrics.items()
            }
        )


@dataclass(frozen=True)
class _SliceKey:
    """Identifies a slice; the number tells apart slices with the same source."""

    source: str
    number: int


@dataclass(frozen=True)
class _Sample:
    """One value with its patient."""

    value: float
    patient: str


@dataclass(frozen=True)
class _Pair:
    """A value and the reference's of the same slice."""

    value: float
    reference: float
    patient: str


_Samples = dict[_SliceKey, _Sample]


def summarize_rows(
    rows: Iterable[ScoreRow], *, reference: str | Method = "bicubic", level: float = 0.95, seed: int = 0
) -> SummaryTable:
    """Summary of every method, region and metric, each in the order of its first row.

    The reference itself has no difference, nor has any method where the reference was not measured.

    Args:
        rows: of one degradation.
        reference: method that the others are compared with.
        level: of the intervals.
        seed: of the bootstrap's draws.

    Raises:
        ValueError: if the rows are of several degradations.
    """
    reference = Method.parse(reference)
    samples: dict[SummaryKey, _Samples] = {}
    degradations: dict[str, None] = {}
    for row in rows:
        degradations[row.degradation] = None
        found = samples.setdefault(SummaryKey(row.method, row.region, row.metric), {})
        number = 0
        while (key := _SliceKey(row.source, number)) in found:
            number += 1
        found[key] = _Sample(row.value, row.patient)
    if len(degradations) > 1:
        raise ValueError(f"rows must be of one degradation, got {list(degradations)}: summarize each separately")
    return SummaryTable(
        {
            key: _summary(
                found,
                {} if key.method == reference else samples.get(SummaryKey(reference, key.region, key.metric), {}),
                level=level,
                seed=seed,
            )
            for key, found in samples.items()
        }
    )


def _summary(samples: _Samples, reference: _Samples, *, level: float, seed: int) -> ScoreSummary:
    values = [sample.value for sample in samples.values()]
    patients = [sample.patient for sample in samples.values()]
    low, high = bootstrap_interval(values, patients, level=level, seed=seed) or (None, None)
    over_patients = patient_statistics(values, patients)
    pairs = [_Pair(s.value, reference[key].value, s.patient) for key, s in samples.items() if key in reference]
    pairs = [pair for pair in pairs if math.isfinite(pair.value) and math.isfinite(pair.reference)]
    return ScoreSummary(
        **asdict(summarize(values)),
        patients=len({s.patient for s in samples.values() if s.patient and math.isfinite(s.value)}),
        patient_mean=over_patients.mean,
        patient_sd=over_patients.sd,
        low=low,
        high=high,
        difference=math.fsum(pair.value - pair.reference for pair in pairs) / len(pairs) if pairs else None,
        pairs=len(pairs),
        p_value=paired_wilcoxon([p.value for p in pairs], [p.reference for p in pairs], [p.patient for p in pairs]),
    )
