# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of a report's tables: cells with a mean, its uncertainty and its difference to the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monai_srgan.report.methods import MethodStyle
from monai_srgan.report.wording import counted, fact_of, minus, p_text, signed
from monai_srgan.scores.facts import METRIC_FACTS

__all__ = ["Cell", "Column", "Row", "Scores", "Section", "Table", "bold_best", "count_of", "entry_of", "score_cell"]

Scores = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]
"""What :func:`monai_srgan.scores.summarise_rows` gives: ``{method: {region: {metric: {...}}}}``."""


@dataclass(frozen=True)
class Cell:
    """One score of one method, as text; "" is left out.

    Attributes:
        mean: "31.42", or "–" where nothing was measured.
        sd: standard deviation over slices.
        interval: of the mean, over patients: "30.1 to 32.0".
        difference: to the reference, with sign.
        p_value: of the difference: "p < 0.001".
        note: what else must be said, such as another number of slices.
        best: whether it is the best of its column.
        worse: whether it is worse than the reference.
        value: the mean as a number, None where nothing was measured.
    """

    mean: str = "–"
    sd: str = ""
    interval: str = ""
    difference: str = ""
    p_value: str = ""
    note: str = ""
    best: bool = False
    worse: bool = False
    value: float | None = None


@dataclass(frozen=True)
class Column:
    """Head of a column: its label, and "↑" or "↓" for where better values lie."""

    label: str
    arrow: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a table: a method's, or one with a plain heading.

    Attributes:
        cells: one per column.
        method: whose scores these are; None where the heading says it.
        heading: text of the line's head; used where there is no method.
        count: slices and patients behind the line: "30 (12)".
        key: whether it is the method that the report is about.
        reference: whether the others are compared with it.
    """

    cells: tuple[Cell, ...]
    method: MethodStyle | None = None
    heading: str = ""
    count: str = ""
    key: bool = False
    reference: bool = False


@dataclass(frozen=True)
class Section:
    """Lines that belong together below a heading of their own, "" for none."""

    rows: tuple[Row, ...]
    heading: str = ""


@dataclass(frozen=True)
class Table:
    """A table for the page.

    Attributes:
        caption: what it shows.
        columns: heads of the columns of cells.
        sections: lines.
        groups: heads above the columns, each with the number of columns below it.
        first: head of the first column.
        counts: whether lines have their number of slices.
    """

    caption: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    groups: tuple[tuple[str, int], ...] = ()
    first: str = "Method"
    counts: bool = False


def entry_of(scores: Scores, method: str, region: str, metric: str) -> Mapping[str, Any] | None:
    """The summary of one score; None where it is not in the table or nothing was measured."""
    entry = scores.get(method, {}).get(region, {}).get(metric)
    return None if entry is None or (_number(entry, "mean") is None and not entry.get("infinite")) else entry


def score_cell(
    entry: Mapping[str, Any] | None,
    metric: str,
    *,
    reference: Mapping[str, Any] | None = None,
    row_count: tuple[int, int] | None = None,
) -> Cell:
    """A cell of one score.

    Args:
        entry: the summary of the score, None for not measured.
        metric: name of the score.
        reference: the reference's summary, to tell whether this one is worse; None where it is the reference.
        row_count: slices and patients of the line; another number is noted.
    """
    if entry is None:
        return Cell()
    fact = fact_of(metric)
    mean, sd, low, high = (_number(entry, key) for key in ("mean", "sd", "low", "high"))
    notes = []
    if mean is not None and entry.get("infinite"):
        notes.append(f"and {entry['infinite']} identical")
    if row_count is not None and count_of(entry) != row_count:
        notes.append(f"n = {entry.get('n')} ({counted(int(entry.get('patients') or 0), 'patient')})")
    cell = Cell(
        mean="identical" if mean is None else minus(fact.text(mean)),
        sd="" if sd is None else fact.text(sd).lstrip("+"),
        interval="" if low is None or high is None else minus(f"{fact.text(low)} to {fact.text(high)}"),
        note=", ".join(notes),
        value=mean,
    )
    difference = _number(entry, "difference")
    if reference is None or difference is None or metric not in METRIC_FACTS:
        return cell
    bias, reference_bias = mean, _number(reference, "mean")
    text = signed(fact, difference)
    if not text.strip("+-−±0."):
        worse = False  # a difference that is too small to be written is none to be pointed at
    elif fact.better == "zero":
        worse = bias is not None and reference_bias is not None and abs(bias) > abs(reference_bias)
    else:
        worse = difference < 0 if fact.better == "high" else difference > 0
    return replace(cell, difference=text, p_value=p_text(_number(entry, "p_value")), worse=worse)


def count_of(entry: Mapping[str, Any] | None) -> tuple[int, int]:
    """Slices and patients behind a score."""
    return (0, 0) if entry is None else (int(entry.get("n") or 0), int(entry.get("patients") or 0))


def bold_best(rows: Sequence[Row], metrics: Sequence[str]) -> tuple[Row, ...]:
    """The rows with the best cell of each column marked, and all that are written like it.

    Args:
        rows: lines of a table.
        metrics: the columns' scores; a name that is not in ``METRIC_FACTS`` marks nothing.
    """
    table = [list(row.cells) for row in rows]
    for index, metric in enumerate(metrics):
        values = [line[index].value for line in table]
        measured = [value for value in values if value is not None]
        if len(measured) < 2 or metric not in METRIC_FACTS:
            continue
        fact = METRIC_FACTS[metric]
        rank = {"high": lambda v: -v, "low": lambda v: v, "zero": abs}[fact.better]
        best = fact.text(min(measured, key=rank)).lstrip("+-")
        for line, value in zip(table, values, strict=True):
            if value is not None and fact.text(value).lstrip("+-") == best:
                line[index] = replace(line[index], best=True)
    return tuple(replace(row, cells=tuple(line)) for row, line in zip(rows, table, strict=True))


def _number(entry: Mapping[str, Any], key: str) -> float | None:
    value = entry.get(key)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
