# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation: rows of scores, their statistics, and the page made of them."""

from __future__ import annotations

from monai_srgan.report.examples import Example
from monai_srgan.report.page import Report, render_report
from monai_srgan.report.rows import ScoreRow
from monai_srgan.report.statistics import bootstrap_interval, paired_wilcoxon, patient_summary, summarise
from monai_srgan.report.summary import summarise_rows

__all__ = [
    "Example",
    "Report",
    "ScoreRow",
    "bootstrap_interval",
    "paired_wilcoxon",
    "patient_summary",
    "render_report",
    "summarise",
    "summarise_rows",
]
