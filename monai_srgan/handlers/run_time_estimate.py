# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""An early estimate of a run's duration."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any

from ignite.engine import Events

from monai_srgan.processes import is_main_process

__all__ = ["RunTimeEstimate"]

logger = logging.getLogger(__name__)


class RunTimeEstimate:
    """Log how long the rest of a training run will take, measured over its first iterations.

    The first iteration of a run is not measured, since it allocates memory. Validation is not part of the estimate.

    Args:
        pretrain_iterations: number of iterations of the SRResNet phase.
        measured: number of iterations to measure.
        adversarial_cost: time of an iteration of the adversarial phase, in iterations of the SRResNet phase: about 3
            with the bundle's networks and losses.

    Raises:
        ValueError: when `measured` is below 1.
    """

    def __init__(self, pretrain_iterations: int, measured: int = 9, adversarial_cost: float = 3.0) -> None:
        if measured < 1:
            raise ValueError(f"measured must be at least 1, got {measured}")
        self.pretrain_iterations = pretrain_iterations
        self.measured = measured
        self.adversarial_cost = adversarial_cost
        self._measured: list[int] = []
        self._seconds = 0.0
        self._began = 0.0

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        if is_main_process():
            engine.add_event_handler(Events.GET_BATCH_STARTED, self.start)
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.measure)

    def start(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Start the clock of one iteration."""
        self._began = perf_counter()

    def measure(self, engine: Any) -> None:
        """Stop the clock, and log the estimate after the last iteration measured."""
        state = engine.state
        self._measured.append(state.iteration)
        if 1 < len(self._measured) <= self.measured + 1:
            self._seconds += perf_counter() - self._began
        if len(self._measured) == self.measured + 1:
            last = state.max_epochs * state.epoch_length
            seconds = self._seconds / self.cost(self._measured[0], state.iteration) * self.cost(state.iteration, last)
            logger.info(
                "about %s for the remaining %d iterations, measured over the first %d; validation comes on top",
                duration(seconds),
                last - state.iteration,
                self.measured + 1,
            )

    def cost(self, after: int, until: int) -> float:
        """Time from the end of one iteration to the end of another, in iterations of the SRResNet phase."""
        adversarial = max(until - self.pretrain_iterations, 0) - max(after - self.pretrain_iterations, 0)
        return until - after + (self.adversarial_cost - 1) * adversarial


def duration(seconds: float) -> str:
    """A duration in words, rounded: "40 s", "4 min" or "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
