# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The HTML report of an evaluation, with tables, plots and pictures, and the panel figures of single slices."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.report.examples import Example
from monai_srgan.report.page import Report, render_report
from monai_srgan.report.panel_figure import draw_panel

__all__ = ["Example", "Report", "draw_panel", "render_report"]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
