# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The plots of a report: scores by method, and fidelity against visual likeness."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_srgan.report.drawing import MUTED, house_style, plain_axes
from monai_srgan.report.label_places import Box, Label, place_labels
from monai_srgan.report.methods import MethodStyle
from monai_srgan.report.optional import Figure, MaxNLocator, to_rgba
from monai_srgan.report.wording import fact_of, heading, region_name
from monai_srgan.scores import Method, MetricFact, ScoreRow, ScoreSummary, SummaryTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["box_plot", "perception_distortion", "plotted_rows"]

_LONGEST_NAME = 24  # characters beside a plot
_MANY_POINTS = 3000  # above this, dots are rasterized to keep the page small


def plotted_rows(rows: Iterable[ScoreRow], region: str, metric: str) -> dict[Method, list[ScoreRow]]:
    """The rows of one box plot by method: finite values on the evaluation's own degradation.

    Args:
        rows: of an evaluation.
        region: region of the plot.
        metric: metric of the plot.
    """
    found: dict[Method, list[ScoreRow]] = {}
    for row in rows:
        if (row.region, row.metric, row.degradation) == (region, metric, "") and math.isfinite(row.value):
            found.setdefault(row.method, []).append(row)
    return found


@house_style()
def box_plot(
    rows: Mapping[Method, Sequence[ScoreRow]],
    styles: Mapping[Method, MethodStyle],
    region: str,
    metric: str,
    *,
    reference: Method,
) -> Figure:
    """Box plot over slices with the patients' means below each box, methods from top to bottom.

    Boxes span the middle half of the slices, whiskers the 5th to the 95th percentile, and a dotted line marks the
    reference's median.

    Args:
        rows: rows with finite values by method, see :func:`plotted_rows`.
        styles: of all methods; their order is that of the plot.
        region: for the title.
        metric: for the axis.
        reference: the method with the dotted line.
    """
    shown = [style for style in styles.values() if rows.get(style.method)]
    fact = fact_of(metric)
    ticks = _ticks(shown)
    width, height = 3.6, 0.64 + 0.27 * len(shown)
    left = min(0.5, 0.05 + 0.0185 * max(map(len, ticks)))  # of the width, for the names
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((left, 0.42 / height, 0.97 - left, 1 - 0.64 / height))
    plain_axes(axes, grid="x")
    dots = sum(len({_unit(row) for row in rows[style.method]}) for style in shown)
    if reference in rows:
        median = float(np.median([row.value for row in rows[reference]])) * fact.factor
        axes.axvline(median, color=MUTED, linewidth=1.0, linestyle=(0, (1, 1.6)), zorder=1)
    for place, style in enumerate(shown):
        _box(axes, place, np.array([row.value for row in rows[style.method]]) * fact.factor, style)
        _patients(axes, place, rows[style.method], fact.factor, style, rasterized=dots > _MANY_POINTS)
    axes.use_sticky_edges = False  # the box of a single slice would end on the frame and be cut in half
    axes.margins(x=0.04)
    axes.set_yticks(range(len(shown)), ticks, parse_math=False)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(heading(metric, arrow=False), parse_math=False, labelpad=2)
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    figure.text(0.012, 1 - 0.05 / height, region_name(region), va="top", weight="bold", parse_math=False)
    return figure


@dataclass(frozen=True)
class _Point:
    """A method in the plot of fidelity against likeness."""

    style: MethodStyle
    fidelity: ScoreSummary
    likeness: ScoreSummary
    x: float
    y: float

    def intervals(self, fidelity: MetricFact, likeness: MetricFact) -> list[Box]:
        """Lines through the point along either axis, as far as the intervals are known."""
        lines = []
        low, high = self.fidelity.low, self.fidelity.high
        if low is not None and high is not None:
            lines.append(Box(low * fidelity.factor, self.y, high * fidelity.factor, self.y))
        low, high = self.likeness.low, self.likeness.high
        if low is not None and high is not None:
            lines.append(Box(self.x, low * likeness.factor, self.x, high * likeness.factor))
        return lines


@house_style()
def perception_distortion(
    scores: SummaryTable, styles: Mapping[Method, MethodStyle], region: str, distance: str
) -> Figure | None:
    """Fidelity against likeness (Blau & Michaeli 2018): one point per method, lines for the intervals of the means.

    Args:
        scores: summary of all slices.
        styles: of all methods.
        region: of both scores.
        distance: the score on the vertical axis, of which lower values are better.

    Returns:
        None where fewer than two methods have both scores.
    """
    fidelity, likeness = fact_of("psnr"), fact_of(distance)
    points = []
    for method, style in styles.items():
        x, y = scores.measured(method, region, "psnr"), scores.measured(method, region, distance)
        if x and y and x.mean is not None and y.mean is not None:
            points.append(_Point(style, x, y, x.mean * fidelity.factor, y.mean * likeness.factor))
    if len(points) < 2:
        return None
    width, height = 4.4, 3.5
    place = (0.15, 0.125, 0.83, 0.79)
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes(place)
    plain_axes(axes, grid="both")
    for point in points:
        _cross(axes, point, point.intervals(fidelity, likeness))
    # all limits are set before the labels are placed
    axes.margins(0.16, 0.12)
    axes.autoscale_view()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    size = (width * place[2] * 72, height * place[3] * 72)
    x_scale, y_scale = size[0] / (right - left), size[1] / (top - bottom)
    placed = place_labels(
        [Label(p.style.label, (p.x - left) * x_scale, (p.y - bottom) * y_scale) for p in points],
        size,
        [
            Box(
                (line.left - left) * x_scale,
                (line.bottom - bottom) * y_scale,
                (line.right - left) * x_scale,
                (line.top - bottom) * y_scale,
            )
            for point in points
            for line in point.intervals(fidelity, likeness)
        ],
    )
    for point, label in zip(points, placed, strict=True):
        color = point.style.color
        axes.annotate(
            label.text,
            (point.x, point.y),
            xytext=(left + label.x / x_scale, bottom + label.y / y_scale),
            color=color,
            va="center",
            parse_math=False,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.4, "shrinkA": 1, "shrinkB": 3},
        )
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_xlabel(f"{heading('psnr', arrow=False)}, higher is more faithful", parse_math=False)
    axes.set_ylabel(f"{heading(distance, arrow=False)}, lower is more alike", parse_math=False)
    figure.text(0.012, 0.985, region_name(region), va="top", weight="bold", parse_math=False)
    return figure


def _box(axes: Axes, place: float, values: np.ndarray, style: MethodStyle) -> None:
    low, first, median, third, high = np.percentile(values, (5, 25, 50, 75, 95))
    line = {"color": style.color, "linewidth": 0.9}
    face = "white" if style.hollow else to_rgba(style.color, 0.28)
    axes.bxp(
        # the percentiles themselves: boxplot(whis=(5, 95)) would end the whiskers at the outermost slices within them
        [{"whislo": low, "q1": first, "med": median, "q3": third, "whishi": high}],
        positions=[place - 0.13],
        widths=0.36,
        orientation="horizontal",
        patch_artist=True,
        showcaps=False,
        showfliers=False,
        manage_ticks=False,
        boxprops={"facecolor": face, "edgecolor": style.color, "linewidth": 0.9, "linestyle": style.dashes},
        whiskerprops=line,
        medianprops={**line, "linewidth": 1.8},
        zorder=3,
    )


def _unit(row: ScoreRow) -> str:
    """The patient of a slice; the slice itself where the patient is unknown."""
    return row.patient or row.file


def _patients(
    axes: Axes, place: float, rows: Sequence[ScoreRow], factor: float, style: MethodStyle, *, rasterized: bool
) -> None:
    """A dot for each patient's mean."""
    by_patient: dict[str, list[float]] = {}
    for row in rows:
        by_patient.setdefault(_unit(row), []).append(row.value * factor)
    means = [sum(values) / len(values) for _, values in sorted(by_patient.items())]
    # spread evenly by the golden ratio: neighbors in the list are far apart
    heights = [place + 0.21 + 0.12 * ((0.618 * i) % 1 - 0.5) for i in range(len(means))]
    axes.plot(
        means,
        heights,
        linestyle="none",
        marker="o",
        markersize=2.4,
        markerfacecolor=style.color,
        markeredgecolor="none",
        alpha=0.6,
        zorder=2,
        rasterized=rasterized,
    )


def _ticks(shown: Sequence[MethodStyle]) -> list[str]:
    """Names beside the boxes: a variant right below its base needs no full name; a long one is cut."""
    ticks = []
    above = ""
    for style in shown:
        text = style.additions if style.method.is_variant and above == style.method.base else style.label
        ticks.append(text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…")
        above = style.method.base
    return ticks


def _cross(axes: Axes, point: _Point, intervals: Sequence[Box]) -> None:
    """A method's point with the intervals of its two means."""
    style = point.style
    for line in intervals:
        ends = ((line.left, line.right), (line.bottom, line.top))
        axes.plot(*ends, color=style.color, linewidth=0.8, alpha=0.6, linestyle=style.dashes, zorder=2)
    axes.plot(
        [point.x],
        [point.y],
        marker=style.marker,
        markersize=8.0 if style.hollow else 5.5,
        markerfacecolor="none" if style.hollow else style.color,
        markeredgecolor=style.color,
        markeredgewidth=1.0,
        linestyle="none",
        zorder=4 if style.hollow else 3,
    )
