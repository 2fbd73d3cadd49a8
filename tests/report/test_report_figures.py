# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The plots of a report: what they show, and that they look the same everywhere."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import PathPatch
from report_data import BICUBIC, METHODS, SRGAN, rows, summary

from monai_srgan.report.drawing import svg_text
from monai_srgan.report.figures import box_plot, perception_distortion, plotted_rows
from monai_srgan.report.label_places import Box, Label, place_labels
from monai_srgan.report.methods import method_styles
from monai_srgan.scores import Method, ScoreRow, ScoreSummary, SummaryKey, SummaryTable

ROW = ScoreRow("1.mat", "P1", "glioma", "", SRGAN, "head", "psnr", 30.0, 9)


def sample(*values: float, patients: int = 3) -> list[ScoreRow]:
    return [replace(ROW, source=f"{i}.mat", patient=f"P{i % patients}", value=v) for i, v in enumerate(values)]


def boxes(figure: Any) -> list[PathPatch]:
    return [p for p in figure.axes[0].patches if isinstance(p, PathPatch)]


def line_ends(figure: Any) -> list[tuple[list[float], list[float]]]:
    return [(np.asarray(li.get_xdata()).tolist(), np.asarray(li.get_ydata()).tolist()) for li in figure.axes[0].lines]


def test_a_box_holds_the_quartiles_in_the_unit_of_the_axis() -> None:
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]) * 1e-3
    figure = box_plot({SRGAN: sample(*values)}, method_styles([SRGAN]), "head", "mse", reference=BICUBIC)
    (box,) = boxes(figure)
    low, first, middle, third, high = np.percentile(values * 1e3, (5, 25, 50, 75, 95))
    corners = box.get_path().vertices[:, 0]
    assert (corners.min(), corners.max()) == pytest.approx((first, third))
    drawn = [x for x, _ in line_ends(figure)]
    assert pytest.approx([first, low]) in drawn
    assert pytest.approx([third, high]) in drawn
    assert pytest.approx([middle, middle]) in drawn
    assert "10³" in figure.axes[0].get_xlabel()


def test_a_dot_is_a_patient_s_mean() -> None:
    values = {SRGAN: sample(1.0, 5.0, 9.0, 3.0)}
    figure = box_plot(values, method_styles(values), "head", "psnr", reference=BICUBIC)
    dots = next(li for li in figure.axes[0].lines if li.get_marker() == "o")
    assert sorted(np.asarray(dots.get_xdata()).tolist()) == pytest.approx([2.0, 5.0, 9.0])


def test_methods_stand_in_the_order_of_the_tables_and_the_line_is_the_reference_s_median() -> None:
    consistent = SRGAN.with_("consistency")
    values = {SRGAN: sample(4.0, 5.0, 6.0), BICUBIC: sample(1.0, 2.0, 9.0), consistent: sample(3.0, 3.0)}
    figure = box_plot(values, method_styles(values), "inside", "psnr", reference=BICUBIC)
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["Bicubic", "SRGAN", "+ consistency"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
    assert [2.0, 2.0] in [x for x, y in line_ends(figure) if y == [0, 1]]
    assert [to_hex(b.get_edgecolor()) for b in boxes(figure)] == ["#4d5358", "#d55e00", "#d55e00"]
    assert [b.get_linestyle() for b in boxes(figure)] == ["-", "-", "--"]


def test_values_are_those_of_the_default_degradation_that_were_measured() -> None:
    left_out = ({"value": float("nan")}, {"value": float("inf")}, {"degradation": "other"}, {"region": "rim"})
    given = [
        ROW,
        *(replace(ROW, **change) for change in left_out),
        replace(ROW, metric="ssim"),
        replace(ROW, value=31.0),
    ]
    assert plotted_rows(given, "head", "psnr") == {SRGAN: [ROW, replace(ROW, value=31.0)]}


def test_a_method_is_a_point_at_its_two_means_with_their_intervals() -> None:
    scores = summary(rows(degradations=("",))).scores
    figure = perception_distortion(scores, method_styles(METHODS), "head", "st_lpips")
    assert figure is not None
    lines = line_ends(figure)
    for method in METHODS:
        psnr, distance = (scores.get(method, "head", metric) for metric in ("psnr", "st_lpips"))
        assert psnr is not None
        assert distance is not None
        assert ([psnr.mean], [distance.mean]) in lines
        assert ([psnr.low, psnr.high], [distance.mean] * 2) in lines
        assert ([psnr.mean] * 2, [distance.low, distance.high]) in lines
    texts = [a.get_text() for a in figure.axes[0].texts]
    assert sorted(texts) == sorted(style.label for style in method_styles(METHODS).values())


def test_points_without_intervals_are_drawn_and_one_method_is_no_plot() -> None:
    entries = {
        SummaryKey(method, "head", metric): ScoreSummary(mean, None, 1)
        for method in (BICUBIC, SRGAN)
        for metric, mean in (("psnr", 30.0), ("hfen", 0.4))
    }
    styles = method_styles([BICUBIC, SRGAN])
    figure = perception_distortion(SummaryTable(entries), styles, "head", "hfen")
    assert figure is not None
    assert line_ends(figure).count(([30.0], [0.4])) == 2
    entries.pop(SummaryKey(BICUBIC, "head", "hfen"))
    assert perception_distortion(SummaryTable(entries), styles, "head", "hfen") is None


def test_names_cover_neither_each_other_nor_points_nor_lines() -> None:
    points = [Label("SRResNet", 100.0 + 3 * i, 100.0 + 2 * i) for i in range(6)]
    line = (60.0, 104.0, 150.0, 104.0)
    placed = place_labels(points, (300, 200), [Box(*line)])
    width = 4.6 * len("SRResNet")
    found = [(label.x, label.y - 5, label.x + width, label.y + 5) for label in placed]

    def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
        return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])

    others = [*((p.x - 4, p.y - 4, p.x + 4, p.y + 4) for p in points), line]
    assert not any(overlap(a, b) for i, a in enumerate(found) for b in [*found[:i], *others])
    assert all(min(a) >= 0 and a[2] <= 300 and a[3] <= 200 for a in found)


def test_a_variant_has_the_color_of_its_base_and_follows_it() -> None:
    names = ["srgan + consistency", "srgan", "other", "lanczos", "bicubic", "blend 0.5", "blend 0.2"]
    by_method = method_styles(map(Method.parse, names))
    styles = {str(method): style for method, style in by_method.items()}
    assert list(styles) == ["bicubic", "lanczos", "srgan", "srgan + consistency", "other", "blend 0.5", "blend 0.2"]
    assert styles["srgan"].color == styles["srgan + consistency"].color
    assert styles["srgan"].dashes != styles["srgan + consistency"].dashes
    bases = [s for s in styles.values() if not s.method.is_variant]
    assert len({s.color for s in bases}) == len({s.marker for s in bases}) == len(bases)
    assert styles["srgan + consistency"].label == "SRGAN + consistency"
    assert (styles["blend 0.5"].label, styles["other"].label) == ("Blend 0.5", "other")
    assert (styles["bicubic"].word, styles["srgan"].word) == ("bicubic", "SRGAN")


def test_every_color_stands_out_from_white() -> None:
    names = ["nearest", "bicubic", "lanczos", "srresnet", "srgan", "blend 0.5", *"abcde"]
    for style in method_styles(map(Method, names)).values():
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(style.color)]
        luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
        assert 1.05 / (luminance + 0.05) >= 3.0, style.label  # WCAG 2.1, 1.4.11


def svg(names: tuple[str, ...] = ("bicubic", "srgan")) -> str:
    values = {Method(name): sample(1.0, 2.0, 4.0) for name in names}
    return svg_text(box_plot(values, method_styles(values), "head", "psnr", reference=BICUBIC))


def test_the_same_numbers_give_the_same_svg_whatever_the_reader_s_settings() -> None:
    first = svg()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path", "svg.hashsalt": "x"}):
        assert svg() == first


def test_an_svg_loads_nothing_and_has_no_date() -> None:
    text = svg()
    ElementTree.fromstring(text)  # well-formed
    assert set(re.findall(r"https?://[^\"'<> ]+", text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert re.findall(r"<(?:metadata|script|image|foreignObject)|<!DOCTYPE|@import", text) == []
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', text))


def test_names_are_text_and_neither_markup_nor_formulas() -> None:
    names = ("$x_1$ & <script>", "网络")  # the second is missing from matplotlib's font
    root = ElementTree.fromstring(svg(names))
    texts = {"".join(element.itertext()).strip() for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert set(names) < texts


def test_a_long_name_is_cut_and_leaves_room_for_the_plot() -> None:
    name = "a method with a very long name indeed"
    values = {Method(name): sample(1.0, 2.0)}
    figure = box_plot(values, method_styles(values), "head", "psnr", reference=BICUBIC)
    assert figure.axes[0].get_yticklabels()[0].get_text() == "a method with a very lo…"
    assert figure.axes[0].get_position().width >= 0.45
