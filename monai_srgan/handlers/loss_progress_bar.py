# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A progress bar with the losses of a trainer, or the slices of an evaluator."""

from __future__ import annotations

from typing import Any

from ignite.engine import Events
from ignite.handlers.tqdm_logger import ProgressBar

from monai_srgan.engines.trainer import step_losses
from monai_srgan.processes import is_main_process

__all__ = ["LossProgressBar"]


class LossProgressBar:
    """ignite's progress bar as a MONAI handler: one bar an epoch, with every float of the engine's output.

    In a job of many processes rank 0 shows it.

    Args:
        description: text before the bar; "[epoch/epochs]" follows it.
        every: iterations between updates of the bar.
    """

    def __init__(self, description: str = "training", every: int = 1) -> None:
        self.description = description
        self.every = every

    def attach(self, engine: Any) -> None:
        """Register with an engine."""
        if not is_main_process():
            return
        bar = ProgressBar(persist=True, desc=self.description, ncols=None)
        bar.attach(engine, event_name=Events.ITERATION_COMPLETED(every=self.every), output_transform=self.floats)

    @staticmethod
    def floats(output: Any) -> dict[str, str]:
        """The named floats of an engine's output, short enough for a line."""
        return {k.removesuffix("_loss"): f"{v:.4g}" for k, v in step_losses(output).items()}
