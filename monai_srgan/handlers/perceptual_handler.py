# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The schedule of the perceptual term."""

from __future__ import annotations

from typing import Any

from ignite.engine import Events

from monai_srgan.handlers.ramp import Ramp

__all__ = ["PerceptualHandler"]


class PerceptualHandler:
    """Set ``engine.state.perceptual_weight`` by iteration: 0 at first, then a linear ramp to the full weight.

    Args:
        start: iterations without the feature term, during which the feature network does not run.
        ramp: iterations from weight 0 to the full weight.
        weight: full weight; it scales with the features' own size, see ``PerceptualFeatureLoss``.

    Raises:
        ValueError: when an argument is negative.
    """

    def __init__(self, start: int, ramp: int = 0, weight: float = 1.0) -> None:
        self.ramp = Ramp(start, ramp, weight)

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.ITERATION_STARTED, self.set_weight)

    def set_weight(self, engine: Any) -> None:
        """Set the weight of the iteration that begins."""
        engine.state.perceptual_weight = self.ramp(engine.state.iteration)
