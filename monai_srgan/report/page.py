# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation as one self-contained HTML document: tables, plots and pictures."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_srgan.physics import Measurement
from monai_srgan.report.cells import Table
from monai_srgan.report.drawing import svg_text
from monai_srgan.report.examples import Example
from monai_srgan.report.figures import box_plot, perception_distortion, plotted_rows
from monai_srgan.report.findings import findings
from monai_srgan.report.methods import MethodStyle, method_styles
from monai_srgan.report.panels import example_panels
from monai_srgan.report.ring_plots import coherence_plot, power_plot, shown_rings
from monai_srgan.report.tables import (
    Roles,
    consistency_table,
    degradation_table,
    headline_metrics,
    headline_regions,
    likeness_metric,
    measured_metrics,
    measured_regions,
    null_space_table,
    overview_table,
    region_table,
    resolution_table,
    shift_table,
    trust_table,
    type_table,
)
from monai_srgan.report.templating import template_environment
from monai_srgan.report.warnings import data_warnings, trust_warnings
from monai_srgan.report.wording import counted, fact_of, heading, minus, region_definition, region_name
from monai_srgan.scores import ESTIMATED, EvaluationSummary, Method, ScoreRow, SummaryTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Report", "render_report"]


@dataclass(frozen=True)
class Report:
    """The content of a report.

    Attributes:
        title: heading of the page.
        key_method: the method that the report is about.
        reference: the method that all others are compared with.
        summary: figures of the evaluation. Of its settings, which may be nested, these have a meaning: ``section``,
            ``fold``, ``seed``, ``folds``, ``scale``, ``degradation``, ``rim_width_pixels``, ``synthetic`` (whether the
            slices are synthetic), and ``calibration`` of the intervals (``level``: 0.9 for intervals that state 90 %,
            ``patients``, ``degradation``).
        rows: rows of the evaluation; those of its own degradation are drawn.
        examples: slices to be shown.
    """

    title: str
    key_method: Method
    reference: Method
    summary: EvaluationSummary = field(default_factory=EvaluationSummary)
    rows: Sequence[ScoreRow] = ()
    examples: Sequence[Example] = ()

    @property
    def settings(self) -> Mapping[str, Any]:
        """Everything that the figures depend on."""
        return self.summary.settings

    @property
    def roles(self) -> Roles:
        """Key method and reference."""
        return Roles(self.key_method, self.reference)


@dataclass(frozen=True)
class Plot:
    """A figure of the page: its data URI, and a description in words."""

    image: str
    alt: str


@dataclass(frozen=True)
class PlotGroup:
    """Plots of one score in a row."""

    title: str
    plots: tuple[Plot, ...]


@dataclass(frozen=True)
class Region:
    """A region of the page: its title and definition, "" where unknown."""

    name: str
    definition: str


@dataclass(frozen=True)
class RegionTable:
    """The table of one region."""

    region: Region
    table: Table


@dataclass(frozen=True)
class DegradationTables:
    """Tables of one region over degradations."""

    region: str
    tables: tuple[Table, ...]


def render_report(report: Report) -> str:
    """The report as one HTML document.

    It contains its style, plots (SVG) and pictures (WebP), no scripts, and loads nothing. Equal reports give equal
    documents. Scores that were not measured are left out.

    Args:
        report: its content.

    Returns:
        HTML text, a few megabytes with three slices of 512 x 512 pixels and ten methods.
    """
    summary, scores, roles = report.summary, report.summary.scores, report.roles
    styles = method_styles([*scores.methods(), *(m for example in report.examples for m in example.predictions)])
    scored = scores.methods()
    regions = measured_regions(scores)
    shown = {region: Region(region_name(region), region_definition(region, report.settings)) for region in regions}
    page = template_environment().get_template("page.html")
    return page.render(
        title=report.title,
        facts=_facts(report),
        findings=findings(scores, summary.degradations, roles),
        reference=_reference(report),
        compared=report.reference in scored,
        synthetic=bool(report.settings.get("synthetic")),
        warnings=data_warnings(report.settings),
        metrics=list(dict.fromkeys(m for region in regions for m in measured_metrics(scores, region))),
        methods=[style for method, style in styles.items() if method in scored],
        regions=list(shown.values()),
        overview=overview_table(scores, roles) if regions else None,
        region_tables=[RegionTable(shown[region], region_table(scores, region, roles)) for region in regions],
        box_plots=_box_plots(report, styles, regions),
        trade_off=_trade_off(scores, styles),
        type_tables=_present(type_table(summary.by_tumor_type, region, roles) for region in regions),
        degradation_tables=_degradation_tables(summary, roles),
        estimated=any(method.has(ESTIMATED) for method in scored),
        resolution=resolution_table(scores, roles),
        ring_plots=_ring_plots(report, styles),
        null_space=null_space_table(scores, roles),
        consistency=consistency_table(scores, roles),
        trust=trust_table(scores),
        trust_shift=shift_table(scores, summary.degradations),
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
    """The evaluation in short, below the title."""
    settings, summary, methods = report.settings, report.summary, report.summary.scores.methods()
    compared = f", compared with {_reference(report)}" if report.reference in methods else ""
    facts = [
        ("Evaluated on", f"{counted(summary.slices, 'slice')} of {_patients(summary.patients)}"),
        ("Tumor types", ", ".join(summary.by_tumor_type)),
        ("Section", _section(settings)),
        ("Degradation", _degradation(settings.get("degradation"))),
        ("Methods", f"{len(methods)}{compared}"),
    ]
    return [(name, text) for name, text in facts if text]


def _patients(number: int) -> str:
    return counted(number, "patient") if number else "unnamed patients"


def _level(calibration: Mapping[str, Any]) -> str:
    """The level that intervals state, in percent; "" where it is not among the settings."""
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


def _degradation_tables(summary: EvaluationSummary, roles: Roles) -> list[DegradationTables]:
    """Tables of PSNR and likeness for each headline region."""
    scores, found = summary.scores, []
    for region in headline_regions(scores):
        metrics = [metric for metric in headline_metrics(scores, region) if metric != "ssim"]
        tables = _present(degradation_table(scores, summary.degradations, region, m, roles) for m in metrics)
        if tables:
            found.append(DegradationTables(region_name(region), tuple(tables)))
    return found


def _box_plots(report: Report, styles: Mapping[Method, MethodStyle], regions: Sequence[str]) -> list[PlotGroup]:
    scores = report.summary.scores
    groups = []
    for metric in dict.fromkeys(m for region in regions for m in headline_metrics(scores, region)):
        title, fact = heading(metric, arrow=False), fact_of(metric)
        plots = []
        for region in regions:
            rows = plotted_rows(report.rows, region, metric)
            if not rows:
                continue
            figure = box_plot(rows, styles, region, metric, reference=report.reference)
            entries = {method: scores.get(method, region, metric) for method in styles}
            means = [f"{styles[m].label} {minus(fact.text(entry.mean))}" for m, entry in entries.items() if entry]
            plots.append(_plot(figure, f"Box plots of {title}, {region_name(region)}. Means: {', '.join(means)}."))
        if plots:
            groups.append(PlotGroup(title, tuple(plots)))
    return groups


def _trade_off(scores: SummaryTable, styles: Mapping[Method, MethodStyle]) -> PlotGroup | None:
    scored = scores.methods()
    shown = {method: style for method, style in styles.items() if method in scored}
    plots, labels = [], []
    for region in headline_regions(scores):
        distance = likeness_metric(scores, region)
        figure = None if distance is None else perception_distortion(scores, shown, region, distance)
        if distance is not None and figure is not None:
            labels.append(fact_of(distance).label)
            text = f"PSNR against {labels[-1]}, {region_name(region)}: one point per method; see the tables for values."
            plots.append(_plot(figure, text))
    return PlotGroup(labels[0], tuple(plots)) if plots else None


def _ring_plots(report: Report, styles: Mapping[Method, MethodStyle]) -> PlotGroup | None:
    rings = shown_rings(report.summary.rings, report.key_method)
    if not rings:
        return None
    scale = report.settings.get("scale")
    lr_nyquist = 0.5 / scale if isinstance(scale, int | float) and scale > 1 else None
    names = ", ".join(styles[method].label for method in styles if method in rings)
    plots = (
        _plot(power_plot(rings, styles, lr_nyquist), f"Power relative to HR against frequency: {names}."),
        _plot(coherence_plot(rings, styles, lr_nyquist), f"Coherence with HR against frequency: {names}."),
    )
    return PlotGroup(counted(max(found.slices for found in rings.values()), "slice"), plots)


def _plot(figure: Figure, alt: str) -> Plot:
    data = base64.b64encode(svg_text(figure).encode()).decode()
    return Plot(f"data:image/svg+xml;base64,{data}", alt)


def _setting(value: Any) -> str:
    """A setting in words: nested settings in parentheses, names with a leading underscore left out."""
    if isinstance(value, Mapping):
        public = {_spaced(str(k)): v for k, v in value.items() if not str(k).startswith("_")}
        words = {name: f"({_setting(v)})" if isinstance(v, Mapping) else _setting(v) for name, v in public.items()}
        return "; ".join(f"{name} {word}" for name, word in words.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value)) or "none"
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
