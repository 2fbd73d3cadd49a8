# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A weight that is 0 at first and then rises linearly."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Ramp"]


@dataclass(frozen=True)
class Ramp:
    """``weight * clip((iteration - start) / length, 0, 1)``, with iterations counted from 1; a step where length is 0.

    Args:
        start: iterations at weight 0.
        length: iterations from 0 to the full weight, which iteration ``start + length`` is the first to have.
        weight: the full weight.

    Raises:
        ValueError: when a number is negative.
    """

    start: int
    length: int
    weight: float

    def __post_init__(self) -> None:
        for name in ("start", "length", "weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} of a ramp must not be negative, got {getattr(self, name)}")

    def __call__(self, iteration: int) -> float:
        """The weight at an iteration."""
        if iteration <= self.start:
            return 0.0
        return self.weight * min(1.0, (iteration - self.start) / max(self.length, 1))
