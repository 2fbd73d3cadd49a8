# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The plots of a report: scores by method, and fidelity against likeness."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from monai_srgan.report.cells import Scores, entry_of
from monai_srgan.report.drawing import MUTED, house_style, plain_axes
from monai_srgan.report.label_places import place_labels
from monai_srgan.report.methods import MethodStyle
from monai_srgan.report.wording import fact_of, heading, region_name
from monai_srgan.scores.rows import ScoreRow

__all__ = ["box_plot", "perception_distortion", "values_by_plot"]

Values = Mapping[str, Sequence[tuple[str, float]]]
"""``{method: [(patient, value) of each slice]}``"""

_LONGEST_NAME = 24  # letters at the side of a plot
_MANY_POINTS = 3000  # drawn as a picture from here on, for the page's size


def values_by_plot(rows: Iterable[ScoreRow]) -> dict[tuple[str, str], dict[str, list[tuple[str, float]]]]:
    """Finite values of the default degradation: ``{(region, metric): {method: [(patient, value)]}}``."""
    found: dict[tuple[str, str], dict[str, list[tuple[str, float]]]] = {}
    for row in rows:
        if not row.degradation and math.isfinite(row.value):
            plot = found.setdefault((row.region, row.metric), {})
            plot.setdefault(row.method, []).append((row.patient or row.file, row.value))
    return found


@house_style()
def box_plot(
    values: Values, styles: Mapping[str, MethodStyle], region: str, metric: str, *, reference: str = "bicubic"
) -> Figure:
    """Box plot over slices with the patients' means below each box, methods from top to bottom.

    Boxes hold the middle half of the slices, whiskers go from the 5th to the 95th percentile, and a dotted line marks
    the reference's median.

    Args:
        values: finite values by method.
        styles: of all methods; their order is that of the plot.
        region: for the title.
        metric: for the axis.
        reference: the method with the dotted line.
    """
    shown = [style for style in styles.values() if values.get(style.name)]
    fact = fact_of(metric)
    ticks = [_tick(shown, i) for i in range(len(shown))]
    width, height = 3.6, 0.64 + 0.27 * len(shown)
    left = min(0.5, 0.05 + 0.0185 * max(map(len, ticks)))  # of the width, for the names
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((left, 0.42 / height, 0.97 - left, 1 - 0.64 / height))
    plain_axes(axes, grid="x")
    points = sum(len({patient for patient, _ in values[s.name]}) for s in shown)
    if reference in values:
        median = float(np.median([v for _, v in values[reference]])) * fact.factor
        axes.axvline(median, color=MUTED, linewidth=1.0, linestyle=(0, (1, 1.6)), zorder=1)
    for place, style in enumerate(shown):
        pairs = values[style.name]
        _box(axes, place, np.array([v for _, v in pairs]) * fact.factor, style)
        _patients(axes, place, pairs, fact.factor, style, rasterized=points > _MANY_POINTS)
    axes.use_sticky_edges = False  # boxes of a single slice would end on the frame and be cut in half
    axes.margins(x=0.04)
    axes.set_yticks(range(len(shown)), ticks, parse_math=False)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(heading(metric, arrow=False), parse_math=False, labelpad=2)
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    figure.text(0.012, 1 - 0.05 / height, region_name(region), va="top", weight="bold", parse_math=False)
    return figure


@house_style()
def perception_distortion(
    scores: Scores, styles: Mapping[str, MethodStyle], region: str, distance: str
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
    pairs = {
        name: (entry_of(scores, name, region, "psnr"), entry_of(scores, name, region, distance)) for name in styles
    }
    points = {name: (x, y) for name, (x, y) in pairs.items() if x and y and None not in (x["mean"], y["mean"])}
    if len(points) < 2:
        return None
    facts = fact_of("psnr"), fact_of(distance)
    width, height = 4.4, 3.5
    place = (0.15, 0.125, 0.83, 0.79)
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes(place)
    plain_axes(axes, grid="both")
    spots = {}
    for name, entries in points.items():
        spots[name] = tuple(e["mean"] * f.factor for e, f in zip(entries, facts, strict=True))
        _cross(axes, spots[name], entries, (facts[0].factor, facts[1].factor), styles[name])
    # all limits are set before the labels are placed
    axes.margins(0.16, 0.12)
    axes.autoscale_view()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    size = (width * place[2] * 72, height * place[3] * 72)
    scale = size[0] / (right - left), size[1] / (top - bottom)
    lines = [
        tuple((v - start) * s for v, start, s in zip(box, (left, bottom) * 2, scale * 2, strict=True))
        for name in spots
        for box in _intervals(spots[name], points[name], (facts[0].factor, facts[1].factor))
    ]
    placed = place_labels(
        {n: ((x - left) * scale[0], (y - bottom) * scale[1]) for n, (x, y) in spots.items()},
        {n: styles[n].label for n in spots},
        size,
        lines,
    )
    for name, (x, y) in placed.items():
        axes.annotate(
            styles[name].label,
            spots[name],
            xytext=(left + x / scale[0], bottom + y / scale[1]),
            color=styles[name].colour,
            va="center",
            parse_math=False,
            arrowprops={"arrowstyle": "-", "color": styles[name].colour, "linewidth": 0.4, "shrinkA": 1, "shrinkB": 3},
        )
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_xlabel(f"{heading('psnr', arrow=False)}, higher is truer", parse_math=False)
    axes.set_ylabel(f"{heading(distance, arrow=False)}, lower is more alike", parse_math=False)
    figure.text(0.012, 0.985, region_name(region), va="top", weight="bold", parse_math=False)
    return figure


def _box(axes: Axes, place: float, values: np.ndarray, style: MethodStyle) -> None:
    low, first, middle, third, high = np.percentile(values, (5, 25, 50, 75, 95))
    centre = place - 0.13
    for start, end in ((low, first), (third, high)):
        axes.plot((start, end), (centre, centre), color=style.colour, linewidth=0.9, zorder=2)
    face = "white" if style.hollow else to_rgba(style.colour, 0.28)
    axes.barh(
        centre,
        third - first,
        left=first,
        height=0.36,
        facecolor=face,
        edgecolor=style.colour,
        linewidth=0.9,
        linestyle=style.dashes,
        zorder=3,
    )
    axes.plot((middle, middle), (centre - 0.18, centre + 0.18), color=style.colour, linewidth=1.8, zorder=4)


def _patients(
    axes: Axes,
    place: float,
    pairs: Sequence[tuple[str, float]],
    factor: float,
    style: MethodStyle,
    *,
    rasterized: bool,
) -> None:
    by_patient: dict[str, list[float]] = {}
    for patient, value in pairs:
        by_patient.setdefault(patient, []).append(value * factor)
    means = [sum(values) / len(values) for _, values in sorted(by_patient.items())]
    # spread evenly by the golden ratio: neighbours in the list are far apart
    heights = [place + 0.21 + 0.12 * ((0.618 * i) % 1 - 0.5) for i in range(len(means))]
    axes.plot(
        means,
        heights,
        linestyle="none",
        marker="o",
        markersize=2.4,
        markerfacecolor=style.colour,
        markeredgecolor="none",
        alpha=0.6,
        zorder=2,
        rasterized=rasterized,
    )


def _tick(shown: Sequence[MethodStyle], index: int) -> str:
    """A variant right below its base needs no full name; a long one is cut."""
    style = shown[index]
    below = bool(style.variant) and index > 0 and shown[index - 1].base == style.base
    text = style.variant if below else style.label
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _intervals(
    spot: tuple[float, ...],
    entries: tuple[Mapping[str, float | None], Mapping[str, float | None]],
    factors: tuple[float, float],
) -> list[tuple[float, float, float, float]]:
    """Lines through a point along either axis: left, bottom, right, top."""
    lines = []
    for axis, (entry, factor) in enumerate(zip(entries, factors, strict=True)):
        low, high = entry.get("low"), entry.get("high")
        if low is not None and high is not None:
            ends = (low * factor, high * factor)
            lines.append((ends[0], spot[1], ends[1], spot[1]) if axis == 0 else (spot[0], ends[0], spot[0], ends[1]))
    return lines


def _cross(
    axes: Axes,
    spot: tuple[float, ...],
    entries: tuple[Mapping[str, float | None], Mapping[str, float | None]],
    factors: tuple[float, float],
    style: MethodStyle,
) -> None:
    """A method's point with the intervals of its two means."""
    for left, bottom, right, top in _intervals(spot, entries, factors):
        line = ((left, right), (bottom, top))
        axes.plot(*line, color=style.colour, linewidth=0.8, alpha=0.6, linestyle=style.dashes, zorder=2)
    axes.plot(
        *([value] for value in spot),
        marker=style.marker,
        markersize=8.0 if style.hollow else 5.5,
        markerfacecolor="none" if style.hollow else style.colour,
        markeredgecolor=style.colour,
        markeredgewidth=1.0,
        linestyle="none",
        zorder=4 if style.hollow else 3,
    )
