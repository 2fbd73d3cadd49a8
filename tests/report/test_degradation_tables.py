# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Other degradations in a report: as told, projected and as estimated, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from report_data import BICUBIC, SRGAN, rows, summary

from monai_srgan.report.cells import Table
from monai_srgan.report.findings import findings
from monai_srgan.report.methods import method_styles
from monai_srgan.report.page import Report, render_report
from monai_srgan.report.tables import (
    Roles,
    consistency_table,
    degradation_table,
    measured_metrics,
    region_table,
    shift_table,
)
from monai_srgan.scores import ESTIMATED, Method, ScoreSummary, SummaryKey, SummaryTable

ROLES = Roles(SRGAN, BICUBIC)


def table(psnr: Mapping[str, float], declined: Mapping[str, float] | None = None, n: int = 12) -> SummaryTable:
    """PSNR in the head of some methods, and the share of declined slices."""
    entries = {}
    for name, mean in psnr.items():
        difference = mean - psnr["bicubic"] if "bicubic" in psnr and name != "bicubic" else None
        entries[SummaryKey(Method.parse(name), "head", "psnr")] = ScoreSummary(mean, 1.0, n, difference=difference)
    for name, mean in (declined or {}).items():
        entries[SummaryKey(Method.parse(name), "whole", "declined")] = ScoreSummary(mean, 0.0, n)
    return SummaryTable(entries)


OWN = table(
    {
        "bicubic": 28.0,
        "bicubic + consistency": 29.0,
        "srgan": 31.5,
        "srgan + consistency": 31.75,
        "srgan + estimated": 31.5,
    },
    {"srgan + estimated": 0.0},
)
FURTHER = {
    "sigma 1.0": table(
        {
            "bicubic": 29.25,
            "bicubic + consistency": 29.5,
            "srgan": 31.0,
            "srgan + consistency": 31.5,
            "srgan + estimated": 29.0,
        },
        {"srgan + estimated": 0.25},
    ),
    "mine": table({"bicubic": 30.0, "srgan": 27.0, "srgan + estimated": 30.0}, {"srgan + estimated": 1.0}),
}


def texts(found: Table) -> list[list[str]]:
    """Headings of sections and lines of means."""
    lines = []
    for section in found.sections:
        lines.append([section.heading])
        for row in section.rows:
            assert row.method is not None
            lines.append([row.method.label, *(cell.mean for cell in row.cells)])
    return lines


def test_told_projected_and_estimated_stand_side_by_side_with_the_declined_slices() -> None:
    found = degradation_table(OWN, FURTHER, "head", "psnr", ROLES)
    assert found is not None
    assert [column.label for column in found.columns] == ["As told", "Projected", "As estimated", "Declined"]
    assert texts(found) == [
        ["This run’s own"],
        ["Bicubic", "28.00", "29.00", "–", "–"],
        ["SRGAN", "31.50", "31.75", "31.50", "0 of 12"],
        ["sigma 1.0"],
        ["Bicubic", "29.25", "29.50", "–", "–"],
        ["SRGAN", "31.00", "31.50", "29.00", "3 of 12"],
        ["mine"],
        ["Bicubic", "30.00", "–", "–", "–"],
        ["SRGAN", "27.00", "–", "30.00", "12 of 12"],
    ]
    bicubic, srgan = found.sections[1].rows
    assert (bicubic.reference, bicubic.key, srgan.reference, srgan.key) == (True, False, False, True)
    assert [(cell.difference, cell.worse) for cell in srgan.cells[:3]] == [
        ("+1.75", False),
        ("+2.25", False),
        ("−0.25", True),
    ]
    assert bicubic.cells[0].difference == ""
    assert [cell.best for cell in srgan.cells] == [True, True, False, False]


def test_what_no_method_has_is_no_column() -> None:
    others = {"sigma 2.0": table({"bicubic": 27.0, "srgan": 30.0})}
    found = degradation_table(OWN, others, "head", "psnr", ROLES)
    assert found is not None
    assert [column.label for column in found.columns] == ["Result"]
    assert texts(found)[-1] == ["SRGAN", "30.00"]
    others = {"sigma 2.0": table({"bicubic": 27.0, "bicubic + consistency": 27.5})}
    found = degradation_table(OWN, others, "head", "psnr", ROLES)
    assert found is not None
    assert [column.label for column in found.columns] == ["Result", "Projected"]
    assert degradation_table(OWN, others, "head", "ssim", ROLES) is None
    assert degradation_table(OWN, {}, "head", "psnr", ROLES) is None


def test_the_summary_compares_the_estimate_with_what_is_told_and_counts_the_declined() -> None:
    assert findings(OWN, FURTHER, ROLES)[-1] == (
        "With the degradation estimated, the PSNR in the head differs from that of SRGAN + consistency, which is told "
        "the degradation, by: this run’s degradation −0.25 dB; sigma 1.0 −2.50 dB (3 of 12 slices declined)."
    )
    own = table({"bicubic": 28.0, "srgan": 31.0, "srgan + estimated": 31.25})
    assert findings(own, {}, Roles(SRGAN.with_("consistency"), BICUBIC))[-1] == (
        "With the degradation estimated, the PSNR in the head differs from that of SRGAN, which is told the "
        "degradation, by: this run’s degradation +0.25 dB."
    )


def test_estimated_results_are_neither_without_nor_with_the_projection() -> None:
    key = SummaryKey(SRGAN.with_(ESTIMATED), "whole", "redegraded_psnr")
    entry = ScoreSummary(60.0, 1.0, 12)
    own = SummaryTable({key: entry, SummaryKey(SRGAN, "whole", "redegraded_psnr"): entry})
    found = consistency_table(own, ROLES)
    assert found is not None
    assert texts(found) == [[""], ["SRGAN", "60.00", "–"]]


def test_declined_slices_are_no_score_of_a_region() -> None:
    assert measured_metrics(OWN, "whole") == []
    assert [column.label for column in region_table(OWN, "head", ROLES).columns] == ["PSNR [dB]"]


def test_the_page_explains_the_estimate_only_where_there_is_one() -> None:
    methods = (BICUBIC, SRGAN, SRGAN.with_(ESTIMATED))
    for shown, wanted in ((methods, True), (methods[:2], False)):
        found = rows(shown, ("psnr",), slices=4)
        page = render_report(Report("title", SRGAN, BICUBIC, summary(found), found))
        assert ("monai-srgan upscale</code>" in page) is wanted
        assert ("As estimated</th>" in page) is wanted


@pytest.mark.parametrize(("name", "dashes"), [("srgan", "-"), ("srgan + estimated", "-."), ("srgan + ensemble", ":")])
def test_estimated_methods_have_a_line_of_their_own(name: str, dashes: str) -> None:
    method = Method.parse(name)
    assert method_styles([method])[method].dashes == dashes


def intervals(coverage: float, n: int = 12) -> SummaryTable:
    """Coverage inside and outside the tumor, and a width ten times smaller."""
    method, entries = Method.parse("srgan + estimated + ensemble"), {}
    for region, shift in (("inside", 0.01), ("outside", 0.0)):
        share = coverage + shift
        entries[SummaryKey(method, region, "coverage")] = ScoreSummary(share + 0.05, 0.1, n, patient_mean=share)
        entries[SummaryKey(method, region, "interval_width")] = ScoreSummary(share / 10, 0.1, n)
    return SummaryTable(entries)


def test_coverage_by_degradation_is_that_of_patients() -> None:
    found = shift_table(intervals(0.9), {"sigma 1.0": intervals(0.8, n=9), "mine": FURTHER["mine"]})
    assert found is not None
    assert [(group.label, group.span) for group in found.groups] == [("Coverage [%]", 2), ("Interval width", 2)]
    assert [column.label for column in found.columns] == ["Inside", "Outside"] * 2
    [section] = found.sections
    assert section.heading == "SRGAN + estimated + ensemble"
    lines = [[row.heading, *(cell.mean for cell in row.cells[:2])] for row in section.rows]
    assert lines == [["This run’s own", "91.0", "90.0"], ["sigma 1.0", "81.0", "80.0"]]
    assert [row.count.slices for row in section.rows if row.count] == [12, 9]


def test_coverage_on_one_degradation_is_no_table_of_its_own() -> None:
    assert shift_table(intervals(0.9), FURTHER) is None
    assert shift_table(OWN, FURTHER) is None
