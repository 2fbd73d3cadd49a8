# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A warm-up of the moving average, for short runs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EMAWarmup"]


@dataclass(frozen=True)
class EMAWarmup:
    """``max(1 - decay, 9 / (10 + iteration))``: momentum of a moving average that follows the weights closely at first.

    The average thus spans about the last ninth of the iterations so far, until `decay` limits it (the schedule of
    TensorFlow's ``ExponentialMovingAverage(num_updates=...)``). With a constant decay of 0.995 the average lags some
    200 iterations behind, which is half of a short run. Pass it to
    :class:`monai_srgan.handlers.IterationStateScheduler` as the schedule of "ema_momentum", the attribute that ignite's
    ``EMAHandler`` reads.

    Args:
        decay: final decay per iteration, in (0, 1).

    Raises:
        ValueError: when the decay is out of range.
    """

    decay: float

    def __post_init__(self) -> None:
        if not 0 < self.decay < 1:
            raise ValueError(f"decay must be in (0, 1), got {self.decay}")

    def __call__(self, iteration: int) -> float:
        """The momentum at an iteration, counted from 1: the share of the current weights in the new average."""
        return max(1 - self.decay, 9 / (10 + iteration))
