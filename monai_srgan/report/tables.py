# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of a report, each from the summary of the scores; what was not measured has no line or column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from monai_srgan.report.cells import (
    Cell,
    Column,
    Row,
    Scores,
    Section,
    Table,
    bold_best,
    count_of,
    entry_of,
    score_cell,
)
from monai_srgan.report.methods import MethodStyle, method_styles
from monai_srgan.report.wording import counted, fact_of, heading, in_region, ordered_regions, region_name
from monai_srgan.scores.facts import METRIC_FACTS
from monai_srgan.scores.methods import CONSISTENCY, variant_name

__all__ = [
    "consistency_table",
    "degradation_table",
    "headline_metrics",
    "headline_regions",
    "measured_metrics",
    "measured_regions",
    "overview_table",
    "region_table",
    "trust_table",
    "type_table",
]

_APART = ("redegraded_psnr", "coverage", "interval_width")  # each has a section of its own


def measured_regions(scores: Scores) -> list[str]:
    """Regions in which anything was measured, in the order of a report."""
    found = [region for regions in scores.values() for region in regions]
    return [region for region in ordered_regions(found) if measured_metrics(scores, region)]


def measured_metrics(scores: Scores, region: str) -> list[str]:
    """Scores of image quality that some method has in a region, in the order of tables."""
    found = dict.fromkeys(m for regions in scores.values() for m in regions.get(region, {}))
    ordered = [*(m for m in METRIC_FACTS if m in found), *(m for m in found if m not in METRIC_FACTS)]
    return [m for m in ordered if m not in _APART and any(entry_of(scores, name, region, m) for name in scores)]


def headline_metrics(scores: Scores, region: str) -> list[str]:
    """Fidelity, structure and likeness: PSNR, SSIM and ST-LPIPS (else HFEN), as far as measured."""
    found = measured_metrics(scores, region)
    likeness = next((m for m in ("st_lpips", "hfen") if m in found), None)
    return [m for m in ("psnr", "ssim", likeness) if m in found]


def headline_regions(scores: Scores) -> list[str]:
    """Head and tumour, as far as measured; where neither was, the first region that was."""
    regions = measured_regions(scores)
    wanted = [region for region in regions if region in ("head", "inside")]
    return wanted or regions[:1]


def overview_table(scores: Scores, *, key_method: str, reference: str) -> Table:
    """Means alone of the headline scores: a line per method, and for each score a column per region."""
    regions = measured_regions(scores)
    metrics = list(dict.fromkeys(m for region in regions for m in headline_metrics(scores, region)))
    pairs = [(metric, region) for metric in metrics for region in regions if metric in measured_metrics(scores, region)]
    rows = []
    full = {pair: max(count_of(entry_of(scores, m, pair[1], pair[0])) for m in scores) for pair in pairs}
    for style in method_styles(scores).values():
        cells = [
            score_cell(entry_of(scores, style.name, region, metric), metric, row_count=full[metric, region])
            for metric, region in pairs
        ]
        if any(cell.value is not None for cell in cells):
            short = tuple(replace(cell, sd="", interval="") for cell in cells)
            rows.append(_named(style, short, key_method, reference))
    return Table(
        "Means over slices.",
        tuple(Column(region_name(region, short=True)) for _, region in pairs),
        (Section(bold_best(rows, [metric for metric, _ in pairs])),),
        groups=tuple((heading(metric), sum(m == metric for m, _ in pairs)) for metric in metrics),
    )


def region_table(scores: Scores, region: str, *, key_method: str, reference: str) -> Table:
    """Every score of one region: a line per method."""
    metrics = measured_metrics(scores, region)
    rows = _counted_rows(scores, region, metrics, key_method, reference)
    return Table(
        f"{region_name(region)}.",
        tuple(map(_column, metrics)),
        (Section(bold_best(rows, metrics)),),
        counts=True,
    )


def type_table(types: Mapping[str, Scores], region: str, *, key_method: str, reference: str) -> Table | None:
    """Every score of one region, with a section per tumour type; None where nothing was measured."""
    found = {metric for scores in types.values() for metric in measured_metrics(scores, region)}
    metrics = [*(m for m in METRIC_FACTS if m in found), *sorted(found - set(METRIC_FACTS))]
    sections = []
    for name, scores in types.items():
        rows = _counted_rows(scores, region, metrics, key_method, reference)
        if rows:
            counts = [count_of(entry_of(scores, method, region, m)) for method in scores for m in metrics]
            n, patients = max(counts)
            text = f"{name[:1].upper()}{name[1:]}: {counted(n, 'slice')} of {counted(patients, 'patient')}"
            sections.append(Section(bold_best(rows, metrics), text))
    if not sections:
        return None
    return Table(f"{region_name(region)}.", tuple(map(_column, metrics)), tuple(sections), counts=True)


def degradation_table(
    scores: Scores, degradations: Mapping[str, Scores], region: str, metric: str, *, key_method: str, reference: str
) -> Table | None:
    """One score in one region: a column per degradation, the run's own first; None where nothing was measured."""
    kinds: dict[str, Scores] = {"This run’s": scores, **degradations}
    rows = [
        _row(style, [(kind, region, metric) for kind in kinds.values()], key_method, reference)
        for style in method_styles(name for kind in degradations.values() for name in kind).values()
        if any(entry_of(kind, style.name, region, metric) for kind in degradations.values())
    ]
    if not rows:
        return None
    return Table(
        f"{heading(metric, in_region(region))}.",
        tuple(Column(name) for name in kinds),
        (Section(bold_best(rows, [metric] * len(kinds))),),
    )


def consistency_table(scores: Scores, *, key_method: str, reference: str) -> Table | None:
    """Re-degraded PSNR, and PSNR in head and tumour, without and with the projection; None where not measured."""
    regions = [r for r in ("head", "inside") if "psnr" in measured_metrics(scores, r)]
    columns = [("whole", "redegraded_psnr"), *((region, "psnr") for region in regions)]
    rows = []
    for style in method_styles(scores).values():
        names = (style.name, variant_name(style.name, CONSISTENCY))
        entries = [[entry_of(scores, name, region, metric) for name in names] for region, metric in columns]
        if CONSISTENCY in style.variant or entries[0] == [None, None]:
            continue
        cells = [score_cell(e, m) for (_, m), pair in zip(columns, entries, strict=True) for e in pair]
        rows.append(_named(style, tuple(cells), key_method, reference))
    if not rows:
        return None
    groups = (heading("redegraded_psnr"), *(heading("psnr", in_region(region)) for region in regions))
    return Table(
        "Without and with the projection; mean ± sd over slices, 95 % interval over patients.",
        tuple(Column(label) for _ in columns for label in ("without", "with")),
        (Section(tuple(rows)),),
        groups=tuple((text, 2) for text in groups),
    )


def trust_table(scores: Scores) -> Table | None:
    """Coverage and width of the intervals by region, means over patients; None where no method has any."""
    metrics = ("coverage", "interval_width")
    sections = []
    for style in method_styles(scores).values():
        rows = []
        for region in ordered_regions(scores[style.name]):
            entries = [entry_of(scores, style.name, region, metric) for metric in metrics]
            measured = next((entry for entry in entries if entry), None)
            if measured:
                cells = tuple(score_cell(_over_patients(e), m) for e, m in zip(entries, metrics, strict=True))
                rows.append(Row(cells, heading=region_name(region), count=_count(measured)))
        if rows:
            sections.append(Section(tuple(rows), style.label))
    if not sections:
        return None
    columns = tuple(Column(heading(metric, arrow=False)) for metric in metrics)
    return Table("Intervals by region.", columns, tuple(sections), first="Region", counts=True)


def _over_patients(entry: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The same score with mean and sd over patients, where these are known; what intervals state is such a mean."""
    if entry is None or entry.get("patient_mean") is None:
        return entry
    return {**entry, "mean": entry["patient_mean"], "sd": entry["patient_sd"], "low": None, "high": None}


def _counted_rows(scores: Scores, region: str, metrics: Sequence[str], key_method: str, reference: str) -> list[Row]:
    """Lines of all methods that were measured, with their numbers of slices and patients."""
    return [
        _row(style, [(scores, region, metric) for metric in metrics], key_method, reference, counts=True)
        for style in method_styles(scores).values()
        if any(entry_of(scores, style.name, region, metric) for metric in metrics)
    ]


def _row(
    style: MethodStyle,
    places: Iterable[tuple[Scores, str, str]],
    key_method: str,
    reference: str,
    *,
    counts: bool = False,
) -> Row:
    """A method's line: one cell for each summary, region and score."""
    places = list(places)
    entries = [entry_of(scores, style.name, region, metric) for scores, region, metric in places]
    first = next((entry for entry in entries if entry), None)
    row_count = count_of(first) if counts else None
    cells: list[Cell] = []
    for entry, (scores, region, metric) in zip(entries, places, strict=True):
        other = None if style.name == reference else entry_of(scores, reference, region, metric)
        cells.append(score_cell(entry, metric, reference=other, row_count=row_count))
    row = _named(style, tuple(cells), key_method, reference)
    return replace(row, count=_count(first)) if counts and first else row


def _named(style: MethodStyle, cells: tuple[Cell, ...], key_method: str, reference: str) -> Row:
    return Row(cells, method=style, key=style.name == key_method, reference=style.name == reference)


def _count(entry: Mapping[str, Any]) -> str:
    n, patients = count_of(entry)
    return f"{n:,} ({patients:,})"


def _column(metric: str) -> Column:
    return Column(heading(metric, arrow=False), fact_of(metric).arrow if metric in METRIC_FACTS else "")
