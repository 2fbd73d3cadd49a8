# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The results of an evaluation as typed records: rows, scored slices, statistics, summaries and metric facts."""

from __future__ import annotations

from monai_srgan.scores.evaluation import EvaluationSummary
from monai_srgan.scores.facts import METRIC_FACTS, MetricFact
from monai_srgan.scores.methods import CONSISTENCY, ENSEMBLE, Method, in_table_order
from monai_srgan.scores.ring_curves import MeanRings, RingCurve, mean_rings
from monai_srgan.scores.rows import CSV_COLUMNS, ScoreRow, SliceScores
from monai_srgan.scores.scored_slice import ScoredSlice, scored_slices
from monai_srgan.scores.statistics import (
    PatientStatistics,
    SliceStatistics,
    bootstrap_interval,
    paired_wilcoxon,
    patient_statistics,
    summarize,
)
from monai_srgan.scores.summary import ScoreSummary, SummaryKey, SummaryTable, summarize_rows

__all__ = [
    "CONSISTENCY",
    "CSV_COLUMNS",
    "ENSEMBLE",
    "METRIC_FACTS",
    "EvaluationSummary",
    "MeanRings",
    "Method",
    "MetricFact",
    "PatientStatistics",
    "RingCurve",
    "ScoreRow",
    "ScoreSummary",
    "ScoredSlice",
    "SliceScores",
    "SliceStatistics",
    "SummaryKey",
    "SummaryTable",
    "bootstrap_interval",
    "in_table_order",
    "mean_rings",
    "paired_wilcoxon",
    "patient_statistics",
    "scored_slices",
    "summarize",
    "summarize_rows",
]
