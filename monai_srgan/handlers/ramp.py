# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A linear ramp, the schedule of a loss weight."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Ramp"]


@dataclass(frozen=True)
class Ramp:
    """``weight * clip((iteration - start) / length, 0, 1)``, iterations counted from 1; a step where the length is 0.

    Pass it to :class:`monai_srgan.handlers.IterationStateScheduler`.

    Args:
        start: number of iterations at weight 0.
        length: number of iterations from 0 to the full weight; iteration ``start + length`` is the first to have it.
        weight: full weight.

    Raises:
        ValueError: when an argument is negative or not finite.
    """

    start: int
    length: int = 0
    weight: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "length", "weight"):
            value = getattr(self, name)
            if value < 0:
                raise ValueError(f"{name} must not be negative, got {value}")
            if not math.isfinite(value):
                raise ValueError(f"{name} must be finite, got {value}")

    def __call__(self, iteration: int) -> float:
        """The weight at an iteration."""
        if iteration <= self.start:
            return 0.0
        return self.weight * min(1.0, (iteration - self.start) / max(self.length, 1))
