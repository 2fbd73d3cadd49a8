# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of resolution and null space, and their sections of the page."""

from __future__ import annotations

import html
from dataclasses import replace

import pytest
from report_data import BICUBIC, SRGAN, full_report, rows, summary

from monai_srgan.report import Report, render_report
from monai_srgan.report.cells import Row, Table
from monai_srgan.report.tables import Roles, measured_metrics, null_space_table, resolution_table
from monai_srgan.scores import METRIC_FACTS, Method, SummaryTable

ROLES = Roles(SRGAN, BICUBIC)
SCORES = summary(rows(degradations=("",))).scores


def line(table: Table, method: Method) -> Row:
    [found] = [row for row in table.sections[0].rows if row.method and row.method.method == method]
    return found


def expected(method: Method, *places: tuple[str, str]) -> list[str]:
    entries = {(region, metric): SCORES.get(method, region, metric) for region, metric in places}
    return [METRIC_FACTS[m].text(e.mean).replace("-", "−") for (_, m), e in entries.items() if e is not None]


def test_resolution_has_a_column_for_every_score_that_was_measured() -> None:
    table = resolution_table(SCORES, ROLES)
    assert table is not None
    assert [f"{column.label} {column.arrow}".strip() for column in table.columns] == [
        "Resolution at FRC 0.5 [cycles/pixel] ↑",
        "Resolution at FRC 0.5 [mm] ↓",
        "Resolution at FRC 1/7 [cycles/pixel] ↑",
        "Resolution at FRC 1/7 [mm] ↓",
        "Power outside the support [dB] → 0",
        "Share outside the support × 10⁶",
    ]
    names = ("resolution_half", "resolution_half_mm", "resolution_seventh", "resolution_seventh_mm")
    names += ("outside_power", "outside_share")
    for method in (BICUBIC, SRGAN):
        assert [c.mean for c in line(table, method).cells] == expected(method, *(("whole", name) for name in names))
    best = [[cell.best for cell in row.cells] for row in table.sections[0].rows]
    assert best[-1] == [True, True, True, True, True, False]  # a share describes and does not rate
    assert not any(cell.best or cell.worse for row in table.sections[0].rows for cell in row.cells[5:])
    assert table.caption == "Effective resolution, and power where the scanner measured nothing."


def test_without_a_spacing_or_a_support_there_are_two_columns() -> None:
    kept = {key: entry for key, entry in SCORES if not key.metric.endswith("_mm") and "outside" not in key.metric}
    table = resolution_table(SummaryTable(kept), ROLES)
    assert table is not None
    assert len(table.columns) == 2
    assert table.caption == "Effective resolution."


def test_both_parts_of_the_error_stand_beside_the_share() -> None:
    table = null_space_table(SCORES, ROLES)
    assert table is not None
    assert [(group.label, group.span) for group in table.groups] == [
        ("Null-space share [%]", 1),
        ("MSE in the head × 10³ ↓", 2),
        ("MSE inside the tumor × 10³ ↓", 2),
    ]
    places = [(region, metric) for region in ("head", "inside") for metric in ("measured_mse", "null_mse")]
    assert [c.mean for c in line(table, SRGAN).cells] == expected(SRGAN, ("whole", "null_share"), *places)


def test_these_scores_are_in_no_table_of_a_region() -> None:
    for region in ("head", "whole"):
        assert measured_metrics(SCORES, region) == ["psnr", "ssim", "mse", "bias", "hfen", "st_lpips"]


def test_what_was_not_measured_has_no_section() -> None:
    bare = SummaryTable({key: entry for key, entry in SCORES if key.metric == "psnr"})
    assert resolution_table(bare, ROLES) is None
    assert null_space_table(bare, ROLES) is None
    page = render_report(Report("Bare", SRGAN, BICUBIC, replace(summary([]), scores=bare)))
    assert 'id="resolution"' not in page
    assert 'id="null-space"' not in page
    assert "Bhadra" not in page


@pytest.mark.parametrize("scale", [4, None])
def test_the_page_shows_the_mean_curves_with_their_number_of_slices(scale: int | None) -> None:
    report = full_report()
    settings = {**report.settings, "scale": scale}
    page = html.unescape(render_report(replace(report, summary=replace(report.summary, settings=settings))))
    for what in ("Power relative to", "Coherence with"):
        assert f'alt="{what} HR against frequency: Bicubic, SRResNet, SRGAN."' in page
    assert "means over 18 slices" in page
    assert "doi:10.1109/TMI.2021.3077857" in page
