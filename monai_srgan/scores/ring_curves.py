# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Power and coherence against frequency: the curves of one slice, and their mean over slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monai_srgan.metrics import FiniteMean
from monai_srgan.scores.methods import Method

__all__ = ["MeanRings", "RingCurve", "mean_rings"]


@dataclass(frozen=True, slots=True)
class RingCurve:
    """One method on one slice, ring by ring; see :class:`monai_srgan.metrics.RingComparison`.

    Attributes:
        source: identifies the slice, as in :class:`~monai_srgan.scores.ScoreRow`.
        method: the method.
        frequency: centers of the rings in cycles per pixel.
        power: of the method relative to the target, in dB; -inf for none, NaN for not measured.
        coherence: of the method with the target; NaN for not measured.
    """

    source: str
    method: Method
    frequency: tuple[float, ...]
    power: tuple[float, ...]
    coherence: tuple[float, ...]


@dataclass(frozen=True)
class MeanRings:
    """Means over slices of one method's curves, ring by ring. None means not measured, so there is no NaN.

    Attributes:
        frequency: centers of the rings in cycles per pixel.
        power: mean of the finite values in dB.
        power_n: number of slices in that mean.
        coherence: mean of the finite values.
        coherence_n: number of slices in that mean.
    """

    frequency: tuple[float, ...]
    power: tuple[float | None, ...]
    power_n: tuple[int, ...]
    coherence: tuple[float | None, ...]
    coherence_n: tuple[int, ...]

    @property
    def slices(self) -> int:
        """Largest number of slices behind a ring."""
        return max((*self.power_n, *self.coherence_n), default=0)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> MeanRings:
        """The curves of a ``summary.json``, where tuples are lists."""
        return cls(**{name: tuple(values) for name, values in content.items()})


def mean_rings(curves: Iterable[RingCurve]) -> dict[Method, MeanRings]:
    """Mean curves of every method, in the order of their first curve.

    Args:
        curves: of any number of slices and methods.

    Raises:
        ValueError: if curves of one method have different frequencies.
    """
    by_method: dict[Method, list[RingCurve]] = {}
    for curve in curves:
        by_method.setdefault(curve.method, []).append(curve)
    return {method: _mean(method, found) for method, found in by_method.items()}


def _mean(method: Method, curves: list[RingCurve]) -> MeanRings:
    frequency = curves[0].frequency
    if any(curve.frequency != frequency for curve in curves):
        raise ValueError(f"curves of {method} must have the same frequencies: compute all with one ring_width")
    power = [FiniteMean.of(ring) for ring in zip(*(curve.power for curve in curves), strict=True)]
    coherence = [FiniteMean.of(ring) for ring in zip(*(curve.coherence for curve in curves), strict=True)]
    return MeanRings(
        frequency=frequency,
        power=tuple(ring.mean if ring.count else None for ring in power),
        power_n=tuple(ring.count for ring in power),
        coherence=tuple(ring.mean if ring.count else None for ring in coherence),
        coherence_n=tuple(ring.count for ring in coherence),
    )
