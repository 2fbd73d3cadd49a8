# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation says: rows of scores, their statistics, and the facts needed to read them."""

from __future__ import annotations

from monai_srgan.scores.facts import METRIC_FACTS, MetricFact
from monai_srgan.scores.rows import ScoreRow
from monai_srgan.scores.scored_slices import evaluation_items, evaluation_scores, slice_source
from monai_srgan.scores.statistics import bootstrap_interval, paired_wilcoxon, patient_summary, summarise
from monai_srgan.scores.summary import summarise_rows

__all__ = [
    "METRIC_FACTS",
    "MetricFact",
    "ScoreRow",
    "bootstrap_interval",
    "evaluation_items",
    "evaluation_scores",
    "paired_wilcoxon",
    "patient_summary",
    "slice_source",
    "summarise",
    "summarise_rows",
]
