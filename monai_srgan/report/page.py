# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation as one HTML document that loads nothing: tables, plots and pictures."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from monai_srgan.physics import Measurement
from monai_srgan.report.cells import Scores, Table
from monai_srgan.report.drawing import svg_text
from monai_srgan.report.examples import Example
from monai_srgan.report.figures import box_plot, perception_distortion, values_by_plot
from monai_srgan.report.findings import findings
from monai_srgan.report.methods import MethodStyle, method_styles
from monai_srgan.report.panels import example_panels
from monai_srgan.report.tables import (
    consistency_table,
    degradation_table,
    headline_metrics,
    headline_regions,
    measured_metrics,
    measured_regions,
    overview_table,
    region_table,
    trust_table,
    type_table,
)
from monai_srgan.report.warnings import data_warnings, trust_warnings
from monai_srgan.report.wording import counted, fact_of, heading, minus, region_definition, region_name
from monai_srgan.scores.rows import ScoreRow

__all__ = ["Report", "render_report"]

_ENVIRONMENT = Environment(
    loader=PackageLoader("monai_srgan.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Report:
    """What a report is made of.

    Attributes:
        title: heading of the page.
        settings: whatever makes the figures reproducible, nested as deep as wanted. Known by name: ``section``,
            ``fold``, ``seed``, ``folds``, ``degradation``, ``rim_width_pixels``, ``made_up`` (whether these are no
            patients), and ``calibration`` of the intervals (``level``: 0.9 for intervals that state 90 %, ``patients``,
            ``degradation``).
        rows: one value each; those of the default degradation are drawn.
        summary: content of ``summary.json``: ``slices``, ``patients``, ``scores``, and where there are any
            ``by_tumor_type`` and ``degradations``.
        examples: slices to be shown.
        key_method: the method that the report is about.
        reference: the method that all others are compared with.
    """

    title: str
    settings: Mapping[str, Any]
    rows: Sequence[ScoreRow]
    summary: Mapping[str, Any]
    examples: Sequence[Example] = ()
    key_method: str = "srgan"
    reference: str = "bicubic"


class Plot(NamedTuple):
    """A figure for the page: the address that holds it, and what it shows in words."""

    image: str
    alt: str


class PlotGroup(NamedTuple):
    """Plots of one score beside each other."""

    title: str
    plots: tuple[Plot, ...]


def render_report(report: Report) -> str:
    """The report as one HTML document.

    It holds its own style, plots (SVG) and pictures (WebP), and neither script nor anything that is loaded from
    elsewhere. Equal reports give equal documents. What was not measured is left out.

    Args:
        report: its content.

    Returns:
        HTML text, a few megabytes with three slices of 512 x 512 pixels and ten methods.

    Raises:
        KeyError: if the summary lacks ``scores``, ``slices`` or ``patients``.
    """
    summary = report.summary
    scores: Scores = summary["scores"]
    types: Mapping[str, Scores] = summary.get("by_tumor_type") or {}
    degradations: Mapping[str, Scores] = summary.get("degradations") or {}
    names = [*scores, *(name for example in report.examples for name in example.predictions)]
    styles = method_styles(names)
    roles = {"key_method": report.key_method, "reference": report.reference}
    regions = measured_regions(scores)
    page = _ENVIRONMENT.get_template("page.html")
    return page.render(
        title=report.title,
        facts=_facts(report),
        findings=findings(scores, degradations, **roles),
        reference=_reference(report),
        compared=report.reference in scores,
        made_up=bool(report.settings.get("made_up")),
        warnings=data_warnings(report.settings),
        metrics=list(dict.fromkeys(m for region in regions for m in measured_metrics(scores, region))),
        methods=[styles[name] for name in styles if name in scores],
        regions=[(region_name(r), region_definition(r, report.settings)) for r in regions],
        overview=overview_table(scores, **roles) if regions else None,
        region_tables=[region_table(scores, region, **roles) for region in regions],
        box_plots=_box_plots(report, styles, regions),
        trade_off=_trade_off(scores, styles),
        type_tables=_present(type_table(types, region, **roles) for region in regions),
        degradation_tables=_degradation_tables(scores, degradations, roles),
        consistency=consistency_table(scores, **roles),
        trust=trust_table(scores),
        level=_level(report.settings.get("calibration") or {}),
        trust_warnings=trust_warnings(report.settings, {row.patient for row in report.rows}),
        panels=example_panels(report.examples, styles, reference=report.reference),
        settings=[(_spaced(str(name)), _setting(value)) for name, value in report.settings.items()],
        next_table=itertools.count(1).__next__,
        next_figure=itertools.count(1).__next__,
    )


def _reference(report: Report) -> str:
    return method_styles([report.reference])[report.reference].word


def _facts(report: Report) -> list[tuple[str, str]]:
    """What was evaluated, for below the title."""
    settings, measured = report.settings, report.summary["scores"]
    compared = f", compared with {_reference(report)}" if report.reference in measured else ""
    facts = [
        ("Evaluated on", f"{counted(report.summary['slices'], 'slice')} of {_patients(report.summary['patients'])}"),
        ("Tumour types", ", ".join(report.summary.get("by_tumor_type") or {})),
        ("Section", _section(settings)),
        ("Degradation", _degradation(settings.get("degradation"))),
        ("Methods", f"{len(measured)}{compared}"),
    ]
    return [(name, text) for name, text in facts if text]


def _patients(number: int) -> str:
    return counted(number, "patient") if number else "unnamed patients"


def _level(calibration: Mapping[str, Any]) -> str:
    """The level that intervals state, in per cent; "" where it is not among the settings."""
    value = calibration.get("level")
    return f"{100 * value:g} %" if isinstance(value, int | float) else ""


def _section(settings: Mapping[str, Any]) -> str:
    if not settings.get("section"):
        return ""
    parts = [f"{name} {settings[name]}" for name in ("fold", "seed") if settings.get(name) is not None]
    return f"{settings['section']}{' (' + ', '.join(parts) + ')' if parts else ''}"


def _degradation(value: Any) -> str:
    """Describe the degradation in words; a record that cannot be rebuilt as its settings, a plain text as it is."""
    if isinstance(value, Mapping):
        try:
            return Measurement.from_dict(value).description
        except ValueError:
            value = _setting(value)
    text = " ".join(str(value or "").split())
    return text if len(text) <= 80 else f"{text[:79]}…"


def _present(tables: Iterator[Table | None]) -> list[Table]:
    return [table for table in tables if table is not None]


def _degradation_tables(
    scores: Scores, degradations: Mapping[str, Scores], roles: Mapping[str, str]
) -> list[tuple[str, list[Table]]]:
    """Tables of PSNR and likeness for each region that they are shown of."""
    found = []
    for region in headline_regions(scores):
        metrics = [metric for metric in headline_metrics(scores, region) if metric != "ssim"]
        tables = _present(degradation_table(scores, degradations, region, metric, **roles) for metric in metrics)
        if tables:
            found.append((region_name(region), tables))
    return found


def _box_plots(report: Report, styles: Mapping[str, MethodStyle], regions: Sequence[str]) -> list[PlotGroup]:
    values = values_by_plot(report.rows)
    metrics = dict.fromkeys(m for region in regions for m in headline_metrics(report.summary["scores"], region))
    groups = []
    for metric in metrics:
        title, fact = heading(metric, arrow=False), fact_of(metric)
        plots = []
        for region in regions:
            if not values.get((region, metric)):
                continue
            figure = box_plot(values[region, metric], styles, region, metric, reference=report.reference)
            means = {name: report.summary["scores"].get(name, {}).get(region, {}).get(metric) for name in styles}
            told = [f"{styles[n].label} {minus(fact.text(e['mean']))}" for n, e in means.items() if e]
            plots.append(_plot(figure, f"Box plots of {title}, {region_name(region)}. Means: {', '.join(told)}."))
        if plots:
            groups.append(PlotGroup(title, tuple(plots)))
    return groups


def _trade_off(scores: Scores, styles: Mapping[str, MethodStyle]) -> PlotGroup | None:
    plots, names = [], []
    for region in headline_regions(scores):
        distance = next((m for m in headline_metrics(scores, region) if m in ("st_lpips", "hfen")), None)
        if distance is None:
            continue
        shown = {name: style for name, style in styles.items() if name in scores}
        figure = perception_distortion(scores, shown, region, distance)
        if figure is not None:
            label = fact_of(distance).label
            names.append(label)
            text = f"PSNR against {label}, {region_name(region)}: one point per method; the values are in the tables."
            plots.append(_plot(figure, text))
    return PlotGroup(names[0], tuple(plots)) if plots else None


def _plot(figure: Figure, alt: str) -> Plot:
    data = base64.b64encode(svg_text(figure).encode()).decode()
    return Plot(f"data:image/svg+xml;base64,{data}", alt)


def _setting(value: Any) -> str:
    """A setting in words: what is nested goes in brackets, what is private to an object is left out."""
    if isinstance(value, Mapping):
        public = {_spaced(str(k)): v for k, v in value.items() if not str(k).startswith("_")}
        words = {name: f"({_setting(v)})" if isinstance(v, Mapping) else _setting(v) for name, v in public.items()}
        return "; ".join(f"{name} {word}" for name, word in words.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value)) or "none"
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
