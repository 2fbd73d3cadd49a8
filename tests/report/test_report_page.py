# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The report as a document: its numbers, its pictures, what it leaves out, and that it loads nothing."""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from report_data import BICUBIC, METHODS, REGIONS, SRGAN, example, full_report, rows, summary

from monai_srgan.report import Report, render_report
from monai_srgan.report.cells import Count, score_cell
from monai_srgan.report.findings import findings
from monai_srgan.report.methods import method_styles
from monai_srgan.report.tables import Roles, measured_regions, region_table
from monai_srgan.scores import EvaluationSummary, Method, ScoreSummary, SliceScores, SummaryKey, SummaryTable

ROLES = Roles(SRGAN, BICUBIC)
VOID = {"meta", "img", "input", "br", "link", "hr", "rect", "path", "use"}


class Document(HTMLParser):
    """Elements, and the text of tables by row; complains about tags that are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.tables: list[list[list[str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)
        if {"td", "th"} & set(self._open):
            row = self.tables[-1][-1]
            row[-1] = " ".join(f"{row[-1]} {data}".split())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def report() -> Report:
    return full_report()


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return render_report(report)


@pytest.fixture(scope="module")
def document(html: str) -> Document:
    return Document(html)


def test_every_section_is_there_and_reached_from_the_contents(document: Document) -> None:
    ids = [attrs["id"] for _, attrs in document.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [a["href"] for a in document.all("a") if a["href"].startswith("#")]
    wanted = (
        "summary reading results plots resolution null-space types degradations consistency trust examples settings "
    )
    wanted += "limits credit"
    assert links == ["#results", *(f"#{name}" for name in wanted.split())]
    referred = [attrs["aria-labelledby"] for _, attrs in document.elements if "aria-labelledby" in attrs]
    referred += [attrs["href"][1:] for attrs in document.all("use")] + [link[1:] for link in links]
    assert set(referred) <= set(ids)


def test_nothing_is_loaded_from_anywhere(html: str, document: Document) -> None:
    forbidden = {"script", "link", "iframe", "object", "embed", "base", "audio", "video", "form"}
    assert forbidden & {tag for tag, _ in document.elements} == set()
    for tag, attrs in document.elements:
        assert not [name for name in attrs if name.startswith("on") or name in ("srcset", "background", "poster")]
        assert re.match(r"data:image/(webp|svg\+xml);base64,", attrs.get("src", "data:image/webp;base64,"))
        assert attrs.get("href", "#").startswith("#") or tag == "a"
        assert "url(" not in attrs.get("style", "")
    style = html[html.index("<style>") : html.index("</style>")]
    assert re.findall(r"@import|url\(|@font-face|expression", style) == []
    for attrs in document.all("img"):
        kind, data = attrs["src"].split(",")
        if "svg" in kind:
            assert not re.findall(r'(?:href|src)="(?!#)|url\((?!#)|<script', base64.b64decode(data).decode())
    policy = next(m["content"] for m in document.all("meta") if "http-equiv" in m)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_it_can_be_read_by_a_machine(document: Document) -> None:
    assert document.all("html")[0]["lang"] == "en"
    assert all(img["alt"] for img in document.all("img"))
    assert all("scope" in th for th in document.all("th"))
    assert all("aria-labelledby" in table for table in document.all("table"))
    assert len(document.all("h1")) == 1


def test_equal_reports_are_equal_documents_whatever_matplotlib_s_settings(report: Report, html: str) -> None:
    with mpl.rc_context({"font.size": 20, "image.cmap": "jet", "lines.linewidth": 9}):
        assert render_report(report) == html


def of(scores: SummaryTable, method: Method, region: str, metric: str) -> ScoreSummary:
    found = scores.get(method, region, metric)
    assert found is not None
    return found


def written(entry: ScoreSummary, form: str, factor: float) -> list[str]:
    """The parts of a cell, formatted without the report's own code."""
    parts = [f"{entry.mean * factor:{form}} ± {entry.sd * factor:{form.lstrip('+')}}"]
    parts.append(f"{entry.low * factor:{form}} to {entry.high * factor:{form}}")
    if entry.difference is not None:
        parts.append(f"{entry.difference * factor:+{form.lstrip('+')}}")
        p = entry.p_value
        parts.append("p < 0.001" if p < 0.001 else f"p = {p:.3f}")
    # what is written as nothing has no sign, but for a difference, which is ±
    parts[:2] = [re.sub(r"[+-](0\.0+)(?!\d)", r"\1", part) for part in parts[:2]]
    return [part.replace("-", "−") for part in parts]


def test_the_numbers_are_those_of_the_summary(report: Report, document: Document) -> None:
    forms = {"psnr": (".2f", 1), "ssim": (".4f", 1), "mse": (".3f", 1e3), "bias": ("+.2f", 1e3)}
    forms |= {"hfen": (".3f", 1), "st_lpips": (".4f", 1)}
    tables = dict(zip(("head", "inside", "rim", "outside", "whole"), document.tables[1:6], strict=True))
    for region, (header, *lines) in tables.items():
        assert [re.sub(r" (\[|×).*| [↑↓→].*", "", cell) for cell in header[1:-1]] == [
            *("PSNR", "SSIM", "MSE", "Bias", "HFEN", "ST-LPIPS")
        ]
        assert len(lines) == len(METHODS)
        for method, line in zip(method_styles(METHODS), lines, strict=True):
            assert line[0].replace(" reference", "") == method_styles(METHODS)[method].label
            for (metric, (form, factor)), cell in zip(forms.items(), line[1:-1], strict=True):
                for part in written(of(report.summary.scores, method, region, metric), form, factor):
                    assert part in cell
            assert line[-1] == "18 (9)"


def test_the_best_of_a_column_is_bold(report: Report) -> None:
    scores = report.summary.scores
    table = region_table(scores, "head", ROLES)
    rules = {"psnr": (max, 2), "ssim": (max, 4), "mse": (min, 6), "bias": (min, 5), "hfen": (min, 3)}
    for index, (metric, (rule, digits)) in enumerate(rules.items()):
        means = {m: of(scores, m, "head", metric).mean for m in METHODS}
        sizes = {m: round(abs(v) if metric == "bias" else v, digits) for m, v in means.items()}
        best = {m for m, v in sizes.items() if v == rule(sizes.values())}  # all that are written alike
        cells = {row.method.method: row.cells[index] for row in table.sections[0].rows if row.method}
        assert {m for m, cell in cells.items() if cell.best} == best
        assert len(best) < len(METHODS)


@pytest.mark.parametrize(
    ("metric", "mean", "reference", "worse"),
    [
        ("psnr", 30.0, 29.0, False),
        ("psnr", 28.0, 29.0, True),
        ("st_lpips", 0.1, 0.2, False),
        ("mse", 0.003, 0.002, True),
        ("bias", 0.001, -0.002, False),
        ("bias", 0.003, -0.002, True),
    ],
)
def test_a_value_is_called_worse_by_the_direction_of_its_score(
    metric: str, mean: float, reference: float, worse: bool
) -> None:
    entry = ScoreSummary(mean, None, 3, difference=mean - reference, p_value=0.0123)
    cell = score_cell(entry, metric, reference=ScoreSummary(reference, None, 3))
    assert cell.worse is worse
    assert cell.difference.startswith("+" if mean > reference else "−")
    assert cell.p_value == "p = 0.012"


def test_a_difference_too_small_to_be_written_is_not_pointed_at() -> None:
    entry = ScoreSummary(29.9996, None, 30, difference=-0.0004, p_value=0.0001)
    cell = score_cell(entry, "psnr", reference=ScoreSummary(30.0, None, 30))
    assert (cell.difference, cell.worse) == ("±0.00", False)


def test_another_number_of_slices_and_identical_images_are_told() -> None:
    entry = ScoreSummary(30.0, None, 3, infinite=1, patients=2)
    assert score_cell(entry, "psnr", row_count=Count(4, 2)).note == "and 1 identical, n = 3 (2 patients)"
    assert score_cell(ScoreSummary(None, None, 0, infinite=4), "psnr").mean == "identical"
    assert score_cell(None, "psnr").mean == "–"


def test_types_degradations_consistency_and_trust_have_their_numbers(report: Report, document: Document) -> None:
    types, kinds = document.tables[8], document.tables[13]
    headings = [line[0] for line in types if len(line) == 1]
    assert headings == [f"{name}: 6 slices of 6 patients" for name in ("Meningioma", "Glioma", "Pituitary tumor")]
    value = of(report.summary.by_tumor_type["glioma"], SRGAN, "head", "psnr").mean
    start = next(i for i, line in enumerate(types) if line[0].startswith("Glioma"))
    assert next(line for line in types[start:] if line[0] == "SRGAN")[1].startswith(f"{value:.2f} ")
    assert kinds[0][1:] == ["This run’s", "sigma 2.0", "k-space truncation"]
    for index, name in enumerate(("sigma 2.0", "k-space truncation"), start=2):
        value = of(report.summary.degradations[name], SRGAN, "head", "psnr").mean
        assert next(line for line in kinds if line[0] == "SRGAN")[index].startswith(f"{value:.2f} ")
    consistency, trust = document.tables[17], document.tables[18]
    line = next(line for line in consistency if line[0] == "SRGAN")
    scores = report.summary.scores
    for cell, method in zip(line[1:3], (SRGAN, SRGAN.with_("consistency")), strict=True):
        assert cell.startswith(f"{of(scores, method, 'whole', 'redegraded_psnr').mean:.2f} ")
    covered = of(scores, SRGAN.with_("ensemble"), "inside", "coverage").mean
    assert next(line for line in trust if line[0] == "Inside the tumor")[1].startswith(f"{100 * covered:.1f} ")


def test_every_public_setting_is_on_the_page(document: Document) -> None:
    table = {line[0]: line[1] for line in document.tables[-1][1:]}
    assert table["seed"] == "3"
    assert table["clamped"] == "no"
    assert table["degradation"] == "operator (kind gaussian; scale 4; sigma 1.5); noise std 0.0; inside none"
    assert "4x, Gaussian blur with sigma 1.5 pixels" in document.text
    assert table["ssim"].startswith("window gaussian; window size 11; sigma 1.5; K1 0.01; K2 0.03")
    assert "band of 8 high-resolution pixels" in document.text
    assert "contain the true value in 90 % of the pixels" in document.text
    assert "CC BY 4.0" in document.text
    assert "For research only" in document.text


def test_hostile_names_are_text() -> None:
    bad = "</style><script>alert(1)</script><img src=x onerror='a'>\"&{{ 7 * 7 }}"
    methods = (BICUBIC, Method(bad))
    found = [replace(r, tumor_type=bad) for r in rows(methods, ("psnr", "st_lpips"), ("",), 4)]
    content = summary(found, {bad: bad})
    content = replace(content, by_tumor_type={bad: content.scores}, degradations={bad: content.scores})
    shown = replace(example(bad, methods), file=bad, patient=bad, tumor_type=bad)
    page = Document(render_report(Report(bad, Method(bad), BICUBIC, content, found, [shown])))
    assert {"script"} & {tag for tag, _ in page.elements} == set()
    assert all(img["src"].startswith("data:") and not {"onerror"} & set(img) for img in page.all("img"))
    assert page.text.count("alert(1)") > 10
    assert "{{ 7 * 7 }}" in page.text


def test_without_anything_measured_there_is_still_a_page() -> None:
    page = Document(render_report(Report("Nothing", SRGAN, BICUBIC)))
    assert page.tables == []
    assert page.all("img") == []
    assert "There are no measurements to summarize" in page.text
    assert "For research only" in page.text


def test_one_slice_of_one_method_without_a_patient_is_a_report() -> None:
    found = [replace(r, patient="") for r in rows((SRGAN,), ("psnr", "ssim"), ("",), 1)]
    content = EvaluationSummary(slices=1, scores=summary(found).scores)
    empty = np.zeros((48, 64), dtype=bool)
    shown = replace(example(methods=(SRGAN,), trust=False), mask=empty, scores=SliceScores(), error_parts={})
    page = Document(render_report(Report("One", SRGAN, BICUBIC, content, found, [shown])))
    value = of(content.scores, SRGAN, "head", "psnr").mean
    assert page.tables[1][1][1] == f"{value:.2f}"
    assert "NaN" not in page.text
    assert "nan" not in re.findall(r"\w+", page.text)
    assert page.all("use") == []  # no tumor, no outline
    assert len([i for i in page.all("img") if "webp" in i["src"]]) == 5  # LR, method, HR, error, SSIM


def test_entries_and_rows_that_were_not_measured_are_dashes() -> None:
    found = rows((BICUBIC, SRGAN), ("psnr", "ssim"), ("",), 4)
    changed = {(SRGAN, "head", "ssim"): math.nan, (BICUBIC, "rim", "psnr"): math.inf}
    changed |= {(method, "inside", metric): math.nan for method in (BICUBIC, SRGAN) for metric in ("psnr", "ssim")}
    found = [replace(r, value=changed.get((r.method, r.region, r.metric), r.value)) for r in found]
    content = summary(found)
    assert measured_regions(content.scores) == ["head", "rim", "outside", "whole"]
    page = Document(render_report(Report("Gaps", SRGAN, BICUBIC, content, found)))
    head, rim = page.tables[1], page.tables[2]
    assert next(line for line in head if line[0] == "SRGAN")[2] == "–"
    assert next(line for line in rim if line[0].startswith("Bicubic"))[1] == "identical"


@pytest.mark.parametrize(
    ("metrics", "label"), [(("psnr", "ssim", "hfen"), "HFEN"), (("psnr", "hfen", "st_lpips"), "ST-LPIPS")]
)
def test_likeness_is_st_lpips_or_else_hfen(metrics: tuple[str, ...], label: str) -> None:
    found = rows((BICUBIC, SRGAN), metrics, ("",), 4)
    page = Document(render_report(Report("Likeness", SRGAN, BICUBIC, summary(found, {}), found)))
    alts = [img["alt"] for img in page.all("img")]
    assert [a for a in alts if a.startswith("PSNR against")] == [
        f"PSNR against {label}, {region}: one point per method; see the tables for values."
        for region in ("Head", "Inside the tumor")
    ]


def test_without_any_likeness_there_is_no_trade_off() -> None:
    found = rows((BICUBIC, SRGAN), ("psnr", "ssim"), ("",), 4)
    page = Document(render_report(Report("Fidelity", SRGAN, BICUBIC, summary(found, {}), found)))
    assert not [img for img in page.all("img") if img["alt"].startswith("PSNR against")]
    assert len([img for img in page.all("img") if img["alt"].startswith("Box plots")]) == 2 * len(REGIONS)
    assert "ST-LPIPS" not in page.text


def test_a_score_of_another_package_is_shown_and_never_called_best() -> None:
    found = rows((BICUBIC, SRGAN), ("psnr",), ("",), 4)
    found += [replace(r, metric="my_score", value=2.5) for r in found if r.metric == "psnr"]
    table = region_table(summary(found).scores, "head", ROLES)
    assert [c.label for c in table.columns] == ["PSNR [dB]", "my_score"]
    assert [row.cells[1].mean for row in table.sections[0].rows] == ["2.5", "2.5"]
    assert not any(row.cells[1].best for row in table.sections[0].rows)


def entry(mean: float, **more: Any) -> ScoreSummary:
    return ScoreSummary(mean, 1.0, 9, patients=5, low=mean - 1, high=mean + 1, **more)


def table(entries: dict[tuple[str, str, str], ScoreSummary]) -> SummaryTable:
    return SummaryTable({SummaryKey(Method.parse(m), region, metric): e for (m, region, metric), e in entries.items()})


def test_the_summary_says_what_the_numbers_say() -> None:
    scores = table(
        {
            ("bicubic", "head", "psnr"): entry(28.0),
            ("bicubic", "head", "st_lpips"): entry(0.2),
            ("srresnet", "head", "psnr"): entry(32.0, difference=4.0),
            ("srresnet", "head", "st_lpips"): entry(0.1, difference=-0.1),
            ("srgan", "head", "psnr"): entry(30.5, difference=2.5, p_value=0.0004),
            ("srgan", "head", "st_lpips"): entry(0.05, difference=-0.15, p_value=0.3),
            ("srgan", "head", "coverage"): entry(0.912),
            ("srgan", "whole", "resolution_half"): entry(0.1764),
            ("bicubic", "whole", "resolution_half"): entry(0.1523),
            ("srgan", "whole", "null_share"): entry(0.9861),
            ("srgan", "whole", "redegraded_psnr"): entry(54.0),
            ("srgan + consistency", "whole", "redegraded_psnr"): entry(75.0),
        }
    )
    others = {"sigma 2.0": table({("srgan", "head", "psnr"): entry(25.0, difference=-1.25)})}
    assert findings(scores, others, ROLES) == [
        "In the head, SRGAN reaches a mean PSNR of 30.50 dB (95 % interval 29.50 to 31.50), 2.50 dB above bicubic "
        "(p < 0.001).",
        "The ST-LPIPS of SRGAN in the head (lower is better) is 0.0500, compared with 0.2000 of bicubic: 75 % lower "
        "(p = 0.300: 5 patients do not establish a difference).",
        "Of all methods, in the head, SRResNet has the highest PSNR (32.00 dB) and SRGAN has the lowest ST-LPIPS "
        "(0.0500).",
        "Detail agrees with HR (Fourier ring correlation of at least 0.5) in SRGAN up to 0.176 cycles/pixel and "
        "bicubic up to 0.152 cycles/pixel.",
        "Degraded again, the output of SRGAN matches its input with a PSNR of 54.00 dB, and of 75.00 dB after the "
        "projection onto the measurement.",
        "98.6 % of the squared error of SRGAN is in detail about which the low-resolution slice says nothing.",
        "The intervals around SRGAN contain the true value in 91.2 % of the pixels in the head.",
        "Under other degradations, the PSNR of SRGAN in the head differs from that of bicubic by: sigma 2.0 −1.25 dB.",
    ]
    assert findings(SummaryTable(), {}, ROLES) == []


def test_a_summary_from_its_file_is_enough(report: Report) -> None:
    """The rows are needed only for the box plots; everything else comes from the summary."""
    content = EvaluationSummary.from_dict(json.loads(json.dumps(report.summary.to_dict())))
    page = Document(render_report(Report("From a file", SRGAN, BICUBIC, content)))
    assert len(page.tables) == 20
    assert not [img for img in page.all("img") if img["alt"].startswith("Box plots")]
