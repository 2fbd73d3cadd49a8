# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Label placement: the names of points overlap neither each other nor the points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["Box", "Label", "place_labels"]

_MARKER = 4.5  # half of a point's marker, with some margin
_MARGIN = 1.0  # on either side of a line
_HEIGHT = 10.0  # of a line of text of 8 points
_WIDTH = 4.6  # of a letter, on average


@dataclass(frozen=True)
class Box:
    """A rectangle, or a horizontal or vertical line; y points up."""

    left: float
    bottom: float
    right: float
    top: float

    def grown(self, margin: float) -> Box:
        """The rectangle with a margin on all sides."""
        return Box(self.left - margin, self.bottom - margin, self.right + margin, self.top + margin)

    def overlap(self, other: Box) -> float:
        """Area that two rectangles share."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)


@dataclass(frozen=True)
class Label:
    """A text at a place in points (1/72 inch) from the lower left corner."""

    text: str
    x: float
    y: float


def place_labels(points: Sequence[Label], size: tuple[float, float], lines: Sequence[Box] = ()) -> list[Label]:
    """Place each label at the position around its point that overlaps least; the nearest of equal ones.

    Args:
        points: labels at the positions of their points.
        size: width and height of the area, in points.
        lines: horizontal or vertical lines to be kept free, in points.

    Returns:
        the labels in the same order, at the left end and middle height of their text.
    """
    area = Box(0, 0, *size)
    covered = [Box(p.x, p.y, p.x, p.y).grown(_MARKER) for p in points] + [line.grown(_MARGIN) for line in lines]
    placed = []
    for point in points:
        candidates = _candidates(point)
        costs = [_cost(label, covered, area) + 0.1 * rank for rank, label in enumerate(candidates)]
        best = candidates[costs.index(min(costs))]
        placed.append(best)
        covered.append(_text_box(best))
    return placed


def _cost(label: Label, covered: Sequence[Box], area: Box) -> float:
    """Overlap with what is there, and three times what lies outside of the area."""
    box = _text_box(label)
    outside = _WIDTH * len(label.text) * _HEIGHT - box.overlap(area)
    return sum(box.overlap(other) for other in covered) + 3 * outside


def _text_box(label: Label) -> Box:
    width = _WIDTH * len(label.text)
    return Box(label.x, label.y - _HEIGHT / 2, label.x + width, label.y + _HEIGHT / 2)


def _candidates(point: Label) -> list[Label]:
    """Positions of the text around its point, the nearest first."""
    width = _WIDTH * len(point.text)
    right, left, middle = _MARKER + 2, -_MARKER - 2 - width, -width / 2
    near = [(right, 0.0), (left, 0.0), (middle, 11.0), (middle, -11.0)]
    rows = [step * sign for step in (12.0, 24.0, 36.0, 48.0, 60.0) for sign in (1, -1)]
    offsets = [*near, *((side, dy) for dy in rows for side in (right, left))]
    return [replace(point, x=point.x + dx, y=point.y + dy) for dx, dy in offsets]
