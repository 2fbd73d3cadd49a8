# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The schedule of the adversarial term."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from ignite.engine import Events

from monai_srgan.engines.trainer import step_losses
from monai_srgan.handlers.ramp import Ramp
from monai_srgan.processes import is_main_process

__all__ = ["AdversarialHandler"]

logger = logging.getLogger(__name__)


class AdversarialHandler:
    """Move a trainer from the SRResNet phase to SRGAN, and watch its discriminator.

    Sets ``engine.state.adversarial_weight`` at the start of every iteration: 0 in the first ``start`` iterations (the
    SRResNet phase; without it a GAN of this kind tends to collapse), then a linear ramp to ``weight``; likewise
    ``engine.state.feature_matching_weight``. Both are functions of the iteration alone, so that a resumed run continues
    them. Label smoothing belongs to ``AdversarialLoss``, the drop of the learning rate to ``TwoPhaseLearningRate``, the
    balance of the two players to the trainer's ``d_loss_floor``.

    It logs the change of phase, and warns when the discriminator's mean probability of HR or SR over ``window``
    iterations is within ``margin`` of 0 or 1, or when the two are within ``margin`` of each other later than two
    windows after the ramp. The trainer's outputs are means over the processes of a job, so that rank 0 speaks for all.

    Args:
        start: iterations of the SRResNet phase.
        ramp: iterations from weight 0 to the full weight.
        weight: full weight, 1e-3 in the paper (arXiv 1609.04802, equation 3).
        feature_matching_weight: full weight of the distance in the discriminator's features, which the paper has not.
        window: iterations over which the discriminator's outputs are averaged.
        margin: distance from 0 and 1, or from each other, that counts as stuck.

    Raises:
        ValueError: when an argument is out of range; the message names it.
    """

    def __init__(
        self,
        start: int,
        ramp: int = 0,
        weight: float = 1e-3,
        feature_matching_weight: float = 0.0,
        window: int = 50,
        margin: float = 0.01,
    ) -> None:
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        self.ramp = Ramp(start, ramp, weight)
        self.matching_ramp = Ramp(start, ramp, feature_matching_weight)
        self.margin = margin
        self._recent: deque[tuple[float, float]] = deque(maxlen=window)

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.ITERATION_STARTED, self.set_weight)
        if is_main_process():
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.watch)

    def set_weight(self, engine: Any) -> None:
        """Set the weights of the iteration that begins."""
        engine.state.adversarial_weight = self.ramp(engine.state.iteration)
        engine.state.feature_matching_weight = self.matching_ramp(engine.state.iteration)
        if engine.state.iteration == self.ramp.start + 1 and self.ramp.weight > 0:
            logger.info("iteration %d: the adversarial phase begins", engine.state.iteration)

    def watch(self, engine: Any) -> None:
        """Warn, once a window, about a discriminator that is stuck."""
        losses = step_losses(engine.state.output)
        if "d_real" not in losses:
            return
        self._recent.append((losses["d_real"], losses["d_fake"]))
        if len(self._recent) < (self._recent.maxlen or 0):
            return
        real, fake = (sum(values) / len(values) for values in zip(*self._recent, strict=True))
        # With label smoothing a discriminator that has won puts HR at the label, not at 1: SR at 0 is what tells.
        won = min(real, fake) < self.margin or max(real, fake) > 1 - self.margin
        # A fresh discriminator tells nothing apart yet: it is given two windows after the ramp to learn to.
        learnt = engine.state.iteration > self.ramp.start + self.ramp.length + 2 * len(self._recent)
        if won or (learnt and abs(real - fake) < self.margin):
            logger.warning(
                "iteration %d: the discriminator is stuck, D(HR) = %.3f, D(SR) = %.3f over %d iterations",
                engine.state.iteration,
                real,
                fake,
                len(self._recent),
            )
            self._recent.clear()
