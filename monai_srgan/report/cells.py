# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of a report's tables: cells with a mean, its uncertainty and its difference to the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monai_srgan.report.methods import MethodStyle
from monai_srgan.report.wording import counted, fact_of, minus, p_text, signed
from monai_srgan.scores import METRIC_FACTS, ScoreSummary

__all__ = ["Cell", "Column", "ColumnGroup", "Count", "Row", "Section", "Table", "bold_best", "count_of", "score_cell"]


@dataclass(frozen=True, order=True)
class Count:
    """Number of slices and patients behind a score."""

    slices: int = 0
    patients: int = 0

    def __str__(self) -> str:
        """As it stands in a table: "30 (12)"."""
        return f"{self.slices:,} ({self.patients:,})"


@dataclass(frozen=True)
class Cell:
    """One score of one method, as text; "" is not shown.

    Attributes:
        mean: "31.42", or "–" where nothing was measured.
        sd: standard deviation over slices.
        interval: of the mean, over patients: "30.1 to 32.0".
        difference: difference from the reference, with sign.
        p_value: of the difference: "p < 0.001".
        note: a remark, such as another number of slices.
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
    """Head of a column: its label, and "↑" or "↓" for the direction of better values."""

    label: str
    arrow: str = ""


@dataclass(frozen=True)
class ColumnGroup:
    """Head above neighboring columns: its label and their number."""

    label: str
    span: int


@dataclass(frozen=True)
class Row:
    """A line of a table, headed by a method or by a text.

    Attributes:
        cells: one per column.
        method: method of the scores; None where there is a heading.
        heading: head of the line, used where there is no method.
        count: slices and patients behind the line; None where they are not shown.
        key: whether it is the method that the report is about.
        reference: whether it is the method that the others are compared with.
    """

    cells: tuple[Cell, ...]
    method: MethodStyle | None = None
    heading: str = ""
    count: Count | None = None
    key: bool = False
    reference: bool = False


@dataclass(frozen=True)
class Section:
    """Lines below a common heading, "" for none."""

    rows: tuple[Row, ...]
    heading: str = ""


@dataclass(frozen=True)
class Table:
    """A table for the page.

    Attributes:
        caption: what it shows.
        columns: heads of the columns of cells.
        sections: lines.
        groups: heads that span several columns.
        first: head of the first column.
        counts: whether lines show their number of slices.
    """

    caption: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    groups: tuple[ColumnGroup, ...] = ()
    first: str = "Method"
    counts: bool = False


def score_cell(
    entry: ScoreSummary | None,
    metric: str,
    *,
    reference: ScoreSummary | None = None,
    row_count: Count | None = None,
) -> Cell:
    """A cell of one score.

    Args:
        entry: the summary of the score, None for not measured.
        metric: name of the score.
        reference: the reference's summary, to show whether this one is worse; None where it is the reference.
        row_count: slices and patients of the line; another number is noted.
    """
    if entry is None:
        return Cell()
    fact = fact_of(metric)
    mean, low, high = entry.mean, entry.low, entry.high
    notes = []
    if mean is not None and entry.infinite:
        notes.append(f"and {entry.infinite} identical")
    if row_count is not None and count_of(entry) != row_count:
        notes.append(f"n = {entry.n} ({counted(entry.patients, 'patient')})")
    cell = Cell(
        mean="identical" if mean is None else minus(fact.text(mean)),
        sd="" if entry.sd is None else fact.text(entry.sd).lstrip("+"),
        interval="" if low is None or high is None else minus(f"{fact.text(low)} to {fact.text(high)}"),
        note=", ".join(notes),
        value=mean,
    )
    if reference is None or entry.difference is None or metric not in METRIC_FACTS:
        return cell
    text = signed(fact, entry.difference)
    if fact.better == "neither" or not text.strip("+-−±0."):
        worse = False  # nor is a difference highlighted that rounds to zero
    elif fact.better == "zero":
        worse = mean is not None and reference.mean is not None and abs(mean) > abs(reference.mean)
    else:
        worse = entry.difference < 0 if fact.better == "high" else entry.difference > 0
    return replace(cell, difference=text, p_value=p_text(entry.p_value), worse=worse)


def count_of(entry: ScoreSummary | None) -> Count:
    """Slices and patients behind a score."""
    return Count() if entry is None else Count(entry.n, entry.patients)


def bold_best(rows: Sequence[Row], metrics: Sequence[str]) -> tuple[Row, ...]:
    """The rows with the best cell of each column marked, together with all cells that print the same value.

    Args:
        rows: lines of a table.
        metrics: the columns' scores; nothing is marked in the column of a score that does not rate, or that is not in
            ``METRIC_FACTS``.
    """
    table = [list(row.cells) for row in rows]
    for index, metric in enumerate(metrics):
        values = [line[index].value for line in table]
        measured = [value for value in values if value is not None]
        if len(measured) < 2 or metric not in METRIC_FACTS or METRIC_FACTS[metric].better == "neither":
            continue
        fact = METRIC_FACTS[metric]
        rank = {"high": lambda v: -v, "low": lambda v: v, "zero": abs}[fact.better]
        best = fact.text(min(measured, key=rank)).lstrip("+-")
        for line, value in zip(table, values, strict=True):
            if value is not None and fact.text(value).lstrip("+-") == best:
                line[index] = replace(line[index], best=True)
    return tuple(replace(row, cells=tuple(line)) for row, line in zip(rows, table, strict=True))
