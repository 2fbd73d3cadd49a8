# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The rows of the table of slices, one value each: every figure of a report is computed from them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from monai_srgan.scores.methods import Method

__all__ = ["CSV_COLUMNS", "ScoreRow", "SliceScores"]

CSV_COLUMNS = ("file", "patient", "tumor_type", "degradation", "method", "region", "metric", "value", "pixels")
"""Columns of ``scores.csv``."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score of one method in one region of one slice.

    Attributes:
        source: path of the slice's file, or another text that identifies the slice.
        patient: identifier of the patient, "" where unknown: slices of one patient are not independent.
        tumor_type: name of the type, "" where unknown.
        degradation: "" for the degradation of the evaluation's own input, else its name, such as "sigma 1.0".
        method: such as ``Method("bicubic")``.
        region: name from :data:`monai_srgan.metrics.REGIONS`.
        metric: name from :data:`monai_srgan.scores.METRIC_FACTS`, or of a user's own score.
        value: NaN means *not measured*; ``inf`` is the PSNR of an identical image.
        pixels: number of pixels in the region.
    """

    source: str
    patient: str
    tumor_type: str
    degradation: str
    method: Method
    region: str
    metric: str
    value: float
    pixels: int

    @property
    def file(self) -> str:
        """Name of the slice's file, without folder."""
        return Path(self.source).name

    def to_csv(self) -> dict[str, str | int]:
        """The row by :data:`CSV_COLUMNS`; a value that was not measured is empty."""
        return {
            "file": self.file,
            "patient": self.patient,
            "tumor_type": self.tumor_type,
            "degradation": self.degradation,
            "method": str(self.method),
            "region": self.region,
            "metric": self.metric,
            "value": "" if math.isnan(self.value) else repr(self.value),
            "pixels": self.pixels,
        }


@dataclass(frozen=True)
class SliceScores:
    """All rows of one slice, with access by method, region and metric.

    Attributes:
        rows: in the order of the table of slices.
    """

    rows: tuple[ScoreRow, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[ScoreRow]) -> SliceScores:
        """Collect the rows of a slice."""
        return cls(tuple(rows))

    def value(self, method: Method, region: str, metric: str) -> float | None:
        """A score on the evaluation's own degradation; NaN was not measured, None was not scored."""
        return self._own.get((method, region, metric))

    def methods(self) -> list[Method]:
        """Methods that were scored on the evaluation's own degradation."""
        return list(dict.fromkeys(method for method, _, _ in self._own))

    def regions(self, method: Method) -> list[str]:
        """Regions in which a method was scored."""
        return list(dict.fromkeys(region for scored, region, _ in self._own if scored == method))

    def metrics(self, method: Method, region: str) -> list[str]:
        """Metrics by which a method was scored in a region."""
        return [metric for scored, place, metric in self._own if (scored, place) == (method, region)]

    @cached_property
    def _own(self) -> dict[tuple[Method, str, str], float]:
        return {(row.method, row.region, row.metric): row.value for row in self.rows if not row.degradation}
