# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""An early estimate of a run's duration."""

from __future__ import annotations

import logging
from typing import Any

from ignite.engine import Events
from ignite.handlers import Timer

from monai_srgan.processes import is_main_process

__all__ = ["RunTimeEstimate"]

logger = logging.getLogger(__name__)


class RunTimeEstimate:
    """Log how long the rest of a training run will take, measured over its first iterations.

    The first iteration of a run, which allocates memory, is not measured. Validation is not part of the estimate.

    Args:
        pretrain_iterations: number of iterations of the SRResNet phase.
        after: number of iterations after which to log the estimate, at least 2.
        adversarial_cost: time of an iteration of the adversarial phase, in iterations of the SRResNet phase: about 3
            with the bundle's networks and losses.

    Raises:
        ValueError: when `after` is below 2.
    """

    def __init__(self, pretrain_iterations: int, after: int = 10, adversarial_cost: float = 3.0) -> None:
        if after < 2:
            raise ValueError(f"after must be at least 2, got {after}")
        self.pretrain_iterations = pretrain_iterations
        self.after = after
        self.adversarial_cost = adversarial_cost
        self._timer = Timer()
        self._completed = 0

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        if is_main_process():
            self._timer.attach(engine, resume=Events.GET_BATCH_STARTED, pause=Events.ITERATION_COMPLETED)
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.report)

    def report(self, engine: Any) -> None:
        """Restart the timer after the first iteration of this run, and log the estimate when it is due."""
        self._completed += 1
        if self._completed == 1:
            self._timer.reset().pause()
        if self._completed != self.after:
            return
        iteration, last = engine.state.iteration, engine.state.max_epochs * engine.state.epoch_length
        measured = self.cost(iteration - self.after + 1, iteration)
        logger.info(
            "about %s for the remaining %d iterations, measured over the first %d, plus validation",
            duration(self._timer.value() / measured * self.cost(iteration, last)),
            last - iteration,
            self.after,
        )

    def cost(self, after: int, until: int) -> float:
        """Time between the ends of two iterations, in iterations of the SRResNet phase."""
        adversarial = max(until - self.pretrain_iterations, 0) - max(after - self.pretrain_iterations, 0)
        return until - after + (self.adversarial_cost - 1) * adversarial


def duration(seconds: float) -> str:
    """A duration in words, rounded: "40 s", "4 min" or "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
