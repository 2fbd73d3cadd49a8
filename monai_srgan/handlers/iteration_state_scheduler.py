# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A schedule of a value in the trainer's state, such as the weight of a loss term."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ignite.engine import Events
from ignite.handlers.state_param_scheduler import LambdaStateScheduler

__all__ = ["IterationStateScheduler"]


class IterationStateScheduler(LambdaStateScheduler):
    """Set ``engine.state.<param_name>`` to ``lambda_obj(iteration)`` at the start of every iteration, counted from 1.

    ignite's ``LambdaStateScheduler`` counts its own calls, starting from 0 in a resumed run unless the checkpoint holds
    the counter. This one reads the engine's iteration: it has no state of its own, and a resumed run continues the
    schedule.

    Args:
        lambda_obj: callable from the iteration to the value, such as :class:`monai_srgan.handlers.Ramp`.
        param_name: attribute of ``engine.state``, such as "adversarial_weight".
        save_history: whether to keep all values in ``engine.state.param_history``.

    Example::

        IterationStateScheduler(Ramp(start=1000, length=100, weight=0.01), "adversarial_weight")
    """

    def __init__(self, lambda_obj: Callable[[int], float], param_name: str, save_history: bool = False) -> None:
        super().__init__(lambda_obj, param_name, save_history=save_history)

    def attach(self, engine: Any, event: Any = Events.ITERATION_STARTED) -> None:
        """Register with a trainer."""
        self.create_new = not hasattr(engine.state, self.param_name)  # else ignite warns
        super().attach(engine, event)

    def __call__(self, engine: Any) -> None:
        """Set the value of the current iteration."""
        self.event_index = engine.state.iteration - 1  # ignite adds 1
        super().__call__(engine)
