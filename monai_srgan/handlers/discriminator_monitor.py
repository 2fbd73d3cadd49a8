# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Warnings about a discriminator that is stuck."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from ignite.engine import Events

from monai_srgan.engines.trainer import step_losses
from monai_srgan.processes import is_main_process

__all__ = ["DiscriminatorMonitor"]

logger = logging.getLogger(__name__)


class DiscriminatorMonitor:
    """Log the start of the adversarial phase, and warn when the discriminator is stuck.

    The discriminator is stuck when its mean probability of HR or SR over `window` iterations is within `margin` of 0 or
    1 (it has won, and the generator's gradient vanishes), or when the two are within `margin` of each other (it has
    learned nothing). The second warning starts two windows after iteration `start`, because a fresh discriminator
    cannot tell HR and SR apart. It warns once per window. The losses of the trainer are means over the processes of a
    job; rank 0 logs.

    Args:
        start: iteration at which the adversarial weight reaches its full value.
        window: number of iterations over which the probabilities are averaged.
        margin: distance from 0 and 1, or from each other, in probability.

    Raises:
        ValueError: when the window is below 1.
    """

    def __init__(self, start: int, window: int = 50, margin: float = 0.01) -> None:
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        self.start = start
        self.window = window
        self.margin = margin
        self._adversarial = False
        self._recent: deque[tuple[float, float]] = deque(maxlen=window)

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        if is_main_process():
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.check)

    def check(self, engine: Any) -> None:
        """Check the discriminator after an iteration."""
        losses = step_losses(engine.state.output)
        if "d_real" not in losses:
            return
        if not self._adversarial:
            self._adversarial = True
            logger.info("iteration %d: adversarial phase", engine.state.iteration)
        self._recent.append((losses["d_real"], losses["d_fake"]))
        if len(self._recent) < self.window:
            return
        real, fake = (sum(values) / self.window for values in zip(*self._recent, strict=True))
        # With label smoothing, a discriminator that has won gives HR the label, not 1; SR at 0 shows it.
        won = min(real, fake) < self.margin or max(real, fake) > 1 - self.margin
        had_time = engine.state.iteration > self.start + 2 * self.window
        if won or (had_time and abs(real - fake) < self.margin):
            logger.warning(
                "iteration %d: the discriminator is stuck, mean D(HR) = %.3f, D(SR) = %.3f over %d iterations",
                engine.state.iteration,
                real,
                fake,
                self.window,
            )
            self._recent.clear()
