# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the names of points go, so that they cover neither each other nor the points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["place_labels"]

_Box = tuple[float, float, float, float]
_SIGN = 4.5  # half of a point's sign, with some air
_AIR = 1.0  # on either side of a line
_LINE = 10.0  # height of a line of text of 8 points
_WIDTH = 4.6  # of a letter, on average


def place_labels(
    points: Mapping[str, tuple[float, float]],
    labels: Mapping[str, str],
    size: tuple[float, float],
    lines: Sequence[tuple[float, ...]] = (),
) -> dict[str, tuple[float, float]]:
    """Left end and middle height of each label, in points (1/72 inch) from the lower left corner.

    Each label in turn takes, of a few places around its point, the one that covers least; the nearer one of equals.

    Args:
        points: name to position, in points.
        labels: name to text.
        size: width and height of the area, in points.
        lines: left, bottom, right and top of upright or level lines to be kept free, in points.
    """
    signs = {n: (x - _SIGN, y - _SIGN, x + _SIGN, y + _SIGN) for n, (x, y) in points.items()}
    covered = [*signs.values(), *((a - _AIR, b - _AIR, c + _AIR, d + _AIR) for a, b, c, d in lines)]
    taken: list[_Box] = []
    placed = {}
    for name, (x, y) in points.items():
        width = _WIDTH * len(labels[name])
        best: tuple[float, _Box] | None = None
        for number, (dx, dy) in enumerate(_offsets(width)):
            box = (x + dx, y + dy - _LINE / 2, x + dx + width, y + dy + _LINE / 2)
            cost = sum(_overlap(box, other) for other in [*taken, *covered])
            cost += 3 * (width * _LINE - _overlap(box, (0, 0, *size))) + 0.1 * number
            if best is None or cost < best[0]:
                best = (cost, box)
        if best is not None:
            taken.append(best[1])
            placed[name] = (best[1][0], (best[1][1] + best[1][3]) / 2)
    return placed


def _offsets(width: float) -> list[tuple[float, float]]:
    """Left end and middle height around the point, the nearest first."""
    right, left, middle = _SIGN + 2, -_SIGN - 2 - width, -width / 2
    near = [(right, 0.0), (left, 0.0), (middle, 11.0), (middle, -11.0)]
    rows = [step * sign for step in (12.0, 24.0, 36.0, 48.0, 60.0) for sign in (1, -1)]
    return [*near, *((side, dy) for dy in rows for side in (right, left))]


def _overlap(a: _Box, b: _Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
