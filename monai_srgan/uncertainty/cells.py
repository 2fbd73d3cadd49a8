# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Groups of measurements, each with intervals of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from monai_srgan.physics import TRANSFER_FREQUENCIES, condition_noise_std, condition_vector

__all__ = ["NYQUIST", "MeasurementCell", "MeasurementNumbers", "populated_cells"]

_AXES = 2
_FLOOR, _NOISE_GAIN = 0.1, 10.0  # detail has about a tenth of the amplitude that white noise of sigma 1 has

NYQUIST = 0.5
"""Nyquist limit of the LR grid, in cycles per LR pixel."""

_BANDWIDTH = (0.0, 1.0)


@dataclass(frozen=True)
class MeasurementNumbers:
    """The two numbers of a measurement on which the size of the errors depends most.

    Args:
        noise: standard deviation of the noise in units of the image.
        bandwidth: fraction of the LR grid's band that a Wiener filter recovers, in [0, 1]: the mean of ``H^2 / (H^2 +
            0.1^2 + (10 noise)^2)`` over the frequencies up to Nyquist and both axes, with the transfer function H. It
            is 0.98 for the default degradation, 0.92 with 2 % noise, and 0.5 for half of k-space.
    """

    noise: float
    bandwidth: float

    @classmethod
    def of_condition(cls, condition: torch.Tensor) -> MeasurementNumbers:
        """The numbers of a condition ``(36,)``, see :func:`~monai_srgan.physics.condition_vector`."""
        zero = condition_vector(np.zeros((_AXES, len(TRANSFER_FREQUENCIES))), 0.0)
        values = (condition - zero).double().numpy()
        count = len(TRANSFER_FREQUENCIES)
        noise = float(condition_noise_std(condition.double()))
        squares = np.square(values[: _AXES * count].reshape(_AXES, count)[:, TRANSFER_FREQUENCIES <= NYQUIST])
        gains = squares / (squares + _FLOOR**2 + (_NOISE_GAIN * noise) ** 2)
        return cls(noise, float(gains.mean()))


@dataclass(frozen=True)
class MeasurementCell:
    """The measurements whose numbers lie in two ranges; the lower bound belongs to a range, the upper one does not.

    Args:
        noise: range of :attr:`MeasurementNumbers.noise`.
        bandwidth: range of :attr:`MeasurementNumbers.bandwidth`; an upper bound of 1 belongs to it.

    Raises:
        ValueError: if a range is not two numbers ``0 <= low < high``.
    """

    noise: tuple[float, float]
    bandwidth: tuple[float, float]

    def __post_init__(self) -> None:
        for name in ("noise", "bandwidth"):
            pair = tuple(float(value) for value in getattr(self, name))
            if len(pair) != 2 or not 0 <= pair[0] < pair[1] < math.inf:
                raise ValueError(f"{name} must be a range [low, high] with 0 <= low < high, got {list(pair)}")
            object.__setattr__(self, name, pair)

    def __contains__(self, numbers: MeasurementNumbers) -> bool:
        """Whether the cell holds a measurement of these numbers."""
        bandwidth = self.bandwidth[0] <= numbers.bandwidth and (
            numbers.bandwidth < self.bandwidth[1] or self.bandwidth[1] >= _BANDWIDTH[1]
        )
        return bandwidth and self.noise[0] <= numbers.noise < self.noise[1]

    def overlaps(self, other: MeasurementCell) -> bool:
        """Whether a measurement may lie in both cells."""
        pairs = ((self.noise, other.noise), (self.bandwidth, other.bandwidth))
        return all(max(a[0], b[0]) < min(a[1], b[1]) for a, b in pairs)

    @property
    def description(self) -> str:
        """The ranges in words."""
        noise = " to ".join(f"{100 * value:g}" for value in self.noise)
        return f"noise {noise} %, bandwidth {' to '.join(f'{100 * value:g}' for value in self.bandwidth)} %"


def populated_cells(
    patients: Iterable[tuple[str, MeasurementNumbers]],
    noise_edges: Sequence[float],
    bandwidth_edges: Sequence[float],
    min_patients: int,
) -> tuple[MeasurementCell, ...]:
    """Cells of a grid that have enough patients.

    A cell with too few patients is joined with the neighbor of the same noise that has fewer, until there are enough.
    Cells without any patient are never joined, since nothing is known about them; what still has too few patients is
    left out. The partition depends on patients and measurements alone, never on errors.

    Args:
        patients: patient and numbers of every slice.
        noise_edges: increasing bounds of the ranges of the noise, from the lowest to the highest.
        bandwidth_edges: increasing bounds between the ranges of the bandwidth, in (0, 1).
        min_patients: smallest number of patients of a cell, at least 1.

    Raises:
        ValueError: if the edges do not increase or are out of range, or `min_patients` is below 1.
    """
    _check_edges(noise_edges, bandwidth_edges)
    if min_patients < 1:
        raise ValueError(f"min_patients must be at least 1, got {min_patients}")
    known = list(patients)
    cells: list[MeasurementCell] = []
    for noise in pairwise(noise_edges):
        row = [MeasurementCell(noise, pair) for pair in pairwise((_BANDWIDTH[0], *bandwidth_edges, _BANDWIDTH[1]))]
        cells += _joined([(cell, {name for name, numbers in known if numbers in cell}) for cell in row], min_patients)
    return tuple(cells)


def _joined(row: list[tuple[MeasurementCell, set[str]]], min_patients: int) -> list[MeasurementCell]:
    """Join the neighbors of a row until every cell has enough patients or no neighbor."""
    row = [(cell, names) for cell, names in row if names]
    while row:
        place = min(range(len(row)), key=lambda i: len(row[i][1]))
        cell, names = row[place]
        if len(names) >= min_patients:
            break
        near = [i for i in (place - 1, place + 1) if 0 <= i < len(row) and _touch(cell, row[i][0])]
        if not near:
            del row[place]
            continue
        other = min(near, key=lambda i: len(row[i][1]))
        first, last = sorted((place, other))
        union = MeasurementCell(cell.noise, (row[first][0].bandwidth[0], row[last][0].bandwidth[1]))
        row[first : last + 1] = [(union, names | row[other][1])]
    return [cell for cell, _ in row]


def _touch(a: MeasurementCell, b: MeasurementCell) -> bool:
    return a.bandwidth[1] == b.bandwidth[0] or b.bandwidth[1] == a.bandwidth[0]


def _check_edges(noise_edges: Sequence[float], bandwidth_edges: Sequence[float]) -> None:
    if len(noise_edges) < 2 or noise_edges[0] < 0 or any(low >= high for low, high in pairwise(noise_edges)):
        raise ValueError(f"noise_edges must be two or more increasing numbers >= 0, got {list(noise_edges)}")
    bounds = (_BANDWIDTH[0], *bandwidth_edges, _BANDWIDTH[1])
    if any(low >= high for low, high in pairwise(bounds)):
        raise ValueError(f"bandwidth_edges must be increasing numbers in (0, 1), got {list(bandwidth_edges)}")
