# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The learning rate schedule of a run with an SRResNet phase and an adversarial phase."""

from __future__ import annotations

import math
from typing import Any

from ignite.engine import Events
from torch.optim import Optimizer

__all__ = ["TwoPhaseLearningRate"]


class TwoPhaseLearningRate:
    """Warm-up and cosine decay in the SRResNet phase; a constant rate with one drop in the adversarial phase.

    With peak ``p`` (the optimizer's own rate), warm-up ``w``, SRResNet phase ``n``, final fraction ``f`` and
    adversarial rate ``a``, the rate of iteration ``i`` (counted from 0) is::

        i < w            p * (i + 1) / w
        w <= i < n       p * (f + (1 - f) * (1 + cos(pi * (i - w) / (n - w))) / 2)
        n <= i           a, and a * adversarial_drop from iteration n + drop_after on

    The paper (Ledig et al., arXiv 1609.04802, section 3.2) uses a constant 1e-4 (``warmup=0``, ``final_fraction=1``),
    and 1e-5 in the second half of the adversarial phase.

    The rate is set at the start of each iteration and depends on the iteration alone. Unlike a torch scheduler, this
    handler has no state to save in a checkpoint, and its optimizer need not step in the first phase.

    Args:
        optimizer: optimizer whose rates are set.
        pretrain_iterations: length of the SRResNet phase in iterations.
        warmup: number of iterations of linear warm-up, at most ``pretrain_iterations``.
        final_fraction: rate at the end of the cosine, as a fraction of the peak, in [0, 1].
        adversarial_lr: rate ``a`` of the adversarial phase; None keeps the peak.
        drop_after: number of iterations of the adversarial phase before the drop; None for no drop.
        adversarial_drop: factor of the drop.

    Raises:
        ValueError: when ``warmup`` or ``final_fraction`` is out of range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        pretrain_iterations: int,
        warmup: int = 0,
        final_fraction: float = 1.0,
        adversarial_lr: float | None = None,
        drop_after: int | None = None,
        adversarial_drop: float = 0.1,
    ) -> None:
        if not 0 <= warmup <= pretrain_iterations:
            raise ValueError(f"warmup must be from 0 to pretrain_iterations = {pretrain_iterations}, got {warmup}")
        if not 0.0 <= final_fraction <= 1.0:
            raise ValueError(f"final_fraction must be in [0, 1], got {final_fraction}")
        self.optimizer = optimizer
        self.peaks = [float(group["lr"]) for group in optimizer.param_groups]
        self.pretrain_iterations = pretrain_iterations
        self.warmup = warmup
        self.final_fraction = final_fraction
        self.adversarial_lr = adversarial_lr
        self.drop_after = drop_after
        self.adversarial_drop = adversarial_drop

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.ITERATION_STARTED, self.set_rate)

    def set_rate(self, engine: Any) -> None:
        """Set the rate of the current iteration."""
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = self.rate(peak, engine.state.iteration - 1)

    def rate(self, peak: float, i: int) -> float:
        """The rate at iteration ``i``, counted from 0."""
        if i >= self.pretrain_iterations:
            rate = peak if self.adversarial_lr is None else self.adversarial_lr
            dropped = self.drop_after is not None and i >= self.pretrain_iterations + self.drop_after
            return rate * self.adversarial_drop if dropped else rate
        if i < self.warmup:
            return peak * (i + 1) / self.warmup
        done = (i - self.warmup) / (self.pretrain_iterations - self.warmup)
        return peak * (self.final_fraction + (1 - self.final_fraction) * 0.5 * (1 + math.cos(math.pi * done)))
