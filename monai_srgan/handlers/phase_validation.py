# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Validation at a regular interval and at the end of each training phase."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ignite.engine import Events
from monai.handlers import ValidationHandler

__all__ = ["PhaseValidation"]


class PhaseValidation(ValidationHandler):
    """MONAI's ``ValidationHandler`` that also validates after given epochs, such as the last one of each phase.

    With the interval alone, the last epoch of a phase is validated only if the interval divides it.

    Args:
        validator: evaluator to run.
        interval: number of epochs between validations.
        phase_ends: epochs after which to validate in addition.
    """

    def __init__(self, validator: Any, interval: int, phase_ends: Collection[int]) -> None:
        super().__init__(interval=interval, validator=validator)
        self.phase_ends = frozenset(phase_ends)

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.EPOCH_COMPLETED(event_filter=self.is_due), self)

    def is_due(self, engine: Any, epoch: int) -> bool:  # noqa: ARG002 - ignite's signature
        """Whether to validate after an epoch."""
        return epoch % self.interval == 0 or epoch in self.phase_ends
