# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of a report, made from the summaries; scores that were not measured have no line or column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from monai_srgan.report.cells import (
    Cell,
    Column,
    ColumnGroup,
    Row,
    Section,
    Table,
    bold_best,
    count_of,
    score_cell,
    yes_count,
)
from monai_srgan.report.methods import MethodStyle, method_styles
from monai_srgan.report.wording import counted, fact_of, heading, in_region, ordered_regions, region_name
from monai_srgan.scores import CONSISTENCY, ESTIMATED, METRIC_FACTS, Method, ScoreSummary, SummaryTable

__all__ = [
    "Roles",
    "consistency_table",
    "degradation_table",
    "headline_metrics",
    "headline_regions",
    "likeness_metric",
    "measured_metrics",
    "measured_regions",
    "null_space_table",
    "overview_table",
    "region_table",
    "resolution_table",
    "shift_table",
    "trust_table",
    "type_table",
]

_INTERVALS = ("coverage", "interval_width")
_RESOLUTION = ("resolution_half", "resolution_half_mm", "resolution_seventh", "resolution_seventh_mm")
_OUTSIDE = ("outside_power", "outside_share")
_SPLIT = ("measured_mse", "null_mse")
# these have sections of their own
_SEPARATE = ("redegraded_psnr", *_INTERVALS, *_RESOLUTION, *_OUTSIDE, *_SPLIT, "null_share", "declined")
_LIKENESS = ("st_lpips", "hfen")  # the first that was measured
_OWN = "This run’s own"


@dataclass(frozen=True)
class Roles:
    """The method that the report is about, and the one that all others are compared with."""

    key_method: Method
    reference: Method


@dataclass(frozen=True)
class _Place:
    """Where a cell's summary stands."""

    scores: SummaryTable
    region: str
    metric: str

    def entry(self, method: Method) -> ScoreSummary | None:
        """A method's summary there; None where nothing was measured."""
        return self.scores.measured(method, self.region, self.metric)


def measured_regions(scores: SummaryTable) -> list[str]:
    """Regions in which anything was measured, in the order of a report."""
    return [region for region in ordered_regions(scores.regions()) if measured_metrics(scores, region)]


def measured_metrics(scores: SummaryTable, region: str) -> list[str]:
    """Scores of image quality that some method has in a region, in the order of tables."""
    found = scores.metrics(region)
    ordered = [*(m for m in METRIC_FACTS if m in found), *(m for m in found if m not in METRIC_FACTS)]
    return [m for m in ordered if m not in _SEPARATE and _is_measured(scores, region, m)]


def _is_measured(scores: SummaryTable, region: str, metric: str) -> bool:
    return any(scores.measured(method, region, metric) for method in scores.methods())


def headline_metrics(scores: SummaryTable, region: str) -> list[str]:
    """Fidelity, structure and likeness: PSNR, SSIM and ST-LPIPS (else HFEN), as far as measured."""
    found = measured_metrics(scores, region)
    return [m for m in ("psnr", "ssim", likeness_metric(scores, region)) if m in found]


def likeness_metric(scores: SummaryTable, region: str) -> str | None:
    """The measured score of visual likeness: ST-LPIPS, else HFEN; None where neither was measured."""
    found = measured_metrics(scores, region)
    return next((m for m in _LIKENESS if m in found), None)


def headline_regions(scores: SummaryTable) -> list[str]:
    """Head and tumor, as far as measured; where neither was, the first region that was."""
    regions = measured_regions(scores)
    wanted = [region for region in regions if region in ("head", "inside")]
    return wanted or regions[:1]


def overview_table(scores: SummaryTable, roles: Roles) -> Table:
    """Means of the headline scores: a line per method, and for each score a column per region."""
    regions = measured_regions(scores)
    metrics = list(dict.fromkeys(m for region in regions for m in headline_metrics(scores, region)))
    places = [
        _Place(scores, region, metric)
        for metric in metrics
        for region in regions
        if metric in measured_metrics(scores, region)
    ]
    methods = scores.methods()
    full = [max(count_of(place.entry(method)) for method in methods) for place in places]
    rows = []
    for style in method_styles(methods).values():
        cells = [
            score_cell(place.entry(style.method), place.metric, row_count=count)
            for place, count in zip(places, full, strict=True)
        ]
        if any(cell.value is not None for cell in cells):
            short = tuple(replace(cell, sd="", interval="") for cell in cells)
            rows.append(_named(style, short, roles))
    return Table(
        "Means over slices.",
        tuple(Column(region_name(place.region, short=True)) for place in places),
        (Section(bold_best(rows, [place.metric for place in places])),),
        groups=tuple(ColumnGroup(heading(metric), sum(p.metric == metric for p in places)) for metric in metrics),
    )


def region_table(scores: SummaryTable, region: str, roles: Roles) -> Table:
    """Every score of one region: a line per method."""
    metrics = measured_metrics(scores, region)
    rows = _counted_rows(scores, region, metrics, roles)
    return Table(
        f"{region_name(region)}.",
        tuple(map(_column, metrics)),
        (Section(bold_best(rows, metrics)),),
        counts=True,
    )


def type_table(types: Mapping[str, SummaryTable], region: str, roles: Roles) -> Table | None:
    """Every score of one region, with a section per tumor type; None where nothing was measured."""
    found = {metric for scores in types.values() for metric in measured_metrics(scores, region)}
    metrics = [*(m for m in METRIC_FACTS if m in found), *sorted(found - set(METRIC_FACTS))]
    sections = []
    for name, scores in types.items():
        rows = _counted_rows(scores, region, metrics, roles)
        if rows:
            count = max(count_of(scores.measured(method, region, m)) for method in scores.methods() for m in metrics)
            numbers = f"{counted(count.slices, 'slice')} of {counted(count.patients, 'patient')}"
            text = f"{name[:1].upper()}{name[1:]}: {numbers}"
            sections.append(Section(bold_best(rows, metrics), text))
    if not sections:
        return None
    return Table(f"{region_name(region)}.", tuple(map(_column, metrics)), tuple(sections), counts=True)


def degradation_table(
    scores: SummaryTable, degradations: Mapping[str, SummaryTable], region: str, metric: str, roles: Roles
) -> Table | None:
    """One score in one region: a section per degradation, the run's own first, and a line per method.

    Side by side stand the result of the method, the projected one, and the one as estimated with the number of declined
    slices, as far as measured. None where nothing was measured.
    """
    found = {method for kind in degradations.values() for method in kind.methods()}
    found = {m for m in found if any(kind.measured(m, region, metric) for kind in degradations.values())}
    if not found:
        return None
    estimated = any(method.additions == (ESTIMATED,) for method in found)
    ways = {(): "As told" if estimated else "Result", (CONSISTENCY,): "Projected", (ESTIMATED,): "As estimated"}
    ways = {added: label for added, label in ways.items() if any(method.additions == added for method in found)}
    sections = []
    for name, kind in {_OWN: scores, **degradations}.items():
        rows = []
        for style in method_styles(Method(method.base) for method in kind.methods() if method in found).values():
            methods = [Method(style.method.base, added) for added in ways]
            cells = [_score_of(kind, method, region, metric, roles) for method in methods]
            if estimated:
                declined = kind.measured(style.method.with_(ESTIMATED), "whole", "declined")
                cells.append(Cell() if declined is None else Cell(yes_count(declined)))
            row = _named(style, tuple(cells), roles)
            rows.append(replace(row, key=style.method.base == roles.key_method.base))
        sections.append(Section(bold_best(rows, [metric] * len(ways)), name))
    columns = (*ways.values(), *(["Declined"] if estimated else []))
    return Table(f"{heading(metric, in_region(region))}.", tuple(map(Column, columns)), tuple(sections))


def consistency_table(scores: SummaryTable, roles: Roles) -> Table | None:
    """Re-degraded PSNR, and PSNR in head and tumor, without and with the projection; None where not measured."""
    regions = [r for r in ("head", "inside") if "psnr" in measured_metrics(scores, r)]
    redegraded = _Place(scores, "whole", "redegraded_psnr")
    places = [redegraded, *(_Place(scores, region, "psnr") for region in regions)]
    rows = []
    for style in method_styles(scores.methods()).values():
        pair = (style.method, style.method.with_(CONSISTENCY))
        if (
            style.method.has(CONSISTENCY)
            or style.method.has(ESTIMATED)
            or not any(redegraded.entry(method) for method in pair)
        ):
            continue
        cells = [score_cell(place.entry(method), place.metric) for place in places for method in pair]
        rows.append(_named(style, tuple(cells), roles))
    if not rows:
        return None
    groups = (heading("redegraded_psnr"), *(heading("psnr", in_region(region)) for region in regions))
    return Table(
        "Without and with the projection; mean ± sd over slices, 95 % interval over patients.",
        tuple(Column(label) for _ in places for label in ("without", "with")),
        (Section(tuple(rows)),),
        groups=tuple(ColumnGroup(text, 2) for text in groups),
    )


def resolution_table(scores: SummaryTable, roles: Roles) -> Table | None:
    """Effective resolution and power outside the acquired support; None where nothing was measured."""
    metrics = [m for m in (*_RESOLUTION, *_OUTSIDE) if _is_measured(scores, "whole", m)]
    if not metrics:
        return None
    rows = _counted_rows(scores, "whole", metrics, roles)
    return Table(
        "Effective resolution, and power where the scanner measured nothing."
        if "outside_power" in metrics
        else "Effective resolution.",
        tuple(map(_column, metrics)),
        (Section(bold_best(rows, metrics)),),
        counts=True,
    )


def null_space_table(scores: SummaryTable, roles: Roles) -> Table | None:
    """Both parts of the error in head and tumor, and the null space's share; None where nothing was measured."""
    regions = [r for r in ("head", "inside") if "null_mse" in scores.metrics(r)] or ["whole"]
    places = [_Place(scores, "whole", "null_share")]
    places += [_Place(scores, region, metric) for region in regions for metric in _SPLIT]
    rows = [
        _row(style, places, roles)
        for style in method_styles(scores.methods()).values()
        if any(place.entry(style.method) for place in places)
    ]
    if not rows:
        return None
    groups = [ColumnGroup(heading("null_share"), 1)]
    groups += [ColumnGroup(heading("mse", in_region(region)), 2) for region in regions]
    return Table(
        "The error by what the low-resolution slice determines.",
        (Column("of the whole slice"), *(Column(label) for _ in regions for label in ("measured", "null space"))),
        (Section(bold_best(rows, [place.metric for place in places])),),
        groups=tuple(groups),
    )


def trust_table(scores: SummaryTable) -> Table | None:
    """Coverage and width of the intervals by region, means over patients; None where no method has any."""
    sections = []
    for style in method_styles(scores.methods()).values():
        rows = []
        for region in ordered_regions(scores.regions()):
            entries = [scores.measured(style.method, region, metric) for metric in _INTERVALS]
            measured = next((entry for entry in entries if entry), None)
            if measured:
                cells = tuple(score_cell(_over_patients(e), m) for e, m in zip(entries, _INTERVALS, strict=True))
                rows.append(Row(cells, heading=region_name(region), count=count_of(measured)))
        if rows:
            sections.append(Section(tuple(rows), style.label))
    if not sections:
        return None
    columns = tuple(Column(heading(metric, arrow=False)) for metric in _INTERVALS)
    return Table("Intervals by region.", columns, tuple(sections), first="Region", counts=True)


def shift_table(scores: SummaryTable, degradations: Mapping[str, SummaryTable]) -> Table | None:
    """Coverage and width of the intervals by degradation, in head and tumor; None where not measured on several."""
    kinds = {_OWN: scores, **degradations}
    measured = {name: kind for name, kind in kinds.items() if _is_measured_anywhere(kind, _INTERVALS[0])}
    if len(measured) < 2:
        return None
    regions = [r for r in ("inside", "outside") if any(_is_measured(k, r, _INTERVALS[0]) for k in measured.values())]
    regions = regions or headline_regions(scores)
    sections = []
    for style in method_styles(method for kind in measured.values() for method in kind.methods()).values():
        rows = []
        for name, kind in measured.items():
            places = [_Place(kind, region, metric) for metric in _INTERVALS for region in regions]
            entries = [place.entry(style.method) for place in places]
            counted_entry = next((entry for entry in entries if entry), None)
            if counted_entry:
                found = zip(entries, places, strict=True)
                cells = tuple(score_cell(_over_patients(entry), place.metric) for entry, place in found)
                rows.append(Row(cells, heading=name, count=count_of(counted_entry)))
        if rows:
            sections.append(Section(tuple(rows), style.label))
    return Table(
        "Intervals by degradation, estimated from the slice.",
        tuple(Column(region_name(region, short=True)) for _ in _INTERVALS for region in regions),
        tuple(sections),
        first="Degradation",
        counts=True,
        groups=tuple(ColumnGroup(heading(metric, arrow=False), len(regions)) for metric in _INTERVALS),
    )


def _is_measured_anywhere(scores: SummaryTable, metric: str) -> bool:
    return any(_is_measured(scores, region, metric) for region in scores.regions())


def _over_patients(entry: ScoreSummary | None) -> ScoreSummary | None:
    """The same score with mean and sd over patients, which is what intervals state, where patients are known."""
    if entry is None or entry.patient_mean is None:
        return entry
    return replace(entry, mean=entry.patient_mean, sd=entry.patient_sd, low=None, high=None)


def _score_of(scores: SummaryTable, method: Method, region: str, metric: str, roles: Roles) -> Cell:
    """One cell of a method, compared with the reference."""
    place = _Place(scores, region, metric)
    reference = None if method == roles.reference else place.entry(roles.reference)
    return score_cell(place.entry(method), metric, reference=reference)


def _counted_rows(scores: SummaryTable, region: str, metrics: Sequence[str], roles: Roles) -> list[Row]:
    """Lines of all methods that were measured, with their numbers of slices and patients."""
    return [
        _row(style, [_Place(scores, region, metric) for metric in metrics], roles, counts=True)
        for style in method_styles(scores.methods()).values()
        if any(scores.measured(style.method, region, metric) for metric in metrics)
    ]


def _row(style: MethodStyle, places: Iterable[_Place], roles: Roles, *, counts: bool = False) -> Row:
    """A method's line: one cell for each place."""
    places = list(places)
    entries = [place.entry(style.method) for place in places]
    first = next((entry for entry in entries if entry), None)
    row_count = count_of(first) if counts else None
    cells: list[Cell] = []
    for entry, place in zip(entries, places, strict=True):
        reference = None if style.method == roles.reference else place.entry(roles.reference)
        cells.append(score_cell(entry, place.metric, reference=reference, row_count=row_count))
    row = _named(style, tuple(cells), roles)
    return replace(row, count=row_count) if counts and first else row


def _named(style: MethodStyle, cells: tuple[Cell, ...], roles: Roles) -> Row:
    return Row(cells, method=style, key=style.method == roles.key_method, reference=style.method == roles.reference)


def _column(metric: str) -> Column:
    return Column(heading(metric, arrow=False), fact_of(metric).arrow if metric in METRIC_FACTS else "")
