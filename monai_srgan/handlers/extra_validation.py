# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Validation at the ends of the phases, whatever the interval."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ignite.engine import Events

__all__ = ["ExtraValidation"]


class ExtraValidation:
    """Validate after given epochs too, where MONAI's ``ValidationHandler`` with its interval does not.

    Without it the last epoch, and the end of the SRResNet phase, are scored only where the interval divides them.

    Args:
        validator: evaluator to run.
        epochs: epochs after which to validate.
        interval: interval of the ``ValidationHandler`` beside this handler: its epochs are left to it.
    """

    def __init__(self, validator: Any, epochs: Collection[int], interval: int) -> None:
        self.validator = validator
        self.epochs = set(epochs)
        self.interval = interval

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        """Validate now, if this is one of the epochs."""
        epoch = engine.state.epoch
        if epoch in self.epochs and epoch % self.interval:
            self.validator.run(epoch)
