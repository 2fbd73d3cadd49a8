# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Progress of a trainer with its losses, or of an evaluator: a bar on a terminal, a line per epoch in a log file."""

from __future__ import annotations

import logging
import sys
from typing import Any

from ignite.engine import Events
from ignite.handlers.tqdm_logger import ProgressBar

from monai_srgan.engines.trainer import step_losses
from monai_srgan.processes import is_main_process

__all__ = ["LossProgressBar"]

logger = logging.getLogger(__name__)


class LossProgressBar:
    """ignite's progress bar as a MONAI handler, with every float of the engine's output.

    On a terminal and in a notebook it shows one bar per epoch. Elsewhere, such as in a log file, it logs one line at
    the end of each epoch. Rank 0 shows the progress of a job of many processes.

    Args:
        description: text before the bar; "[epoch/epochs]" follows it where there are several epochs.
        every: number of iterations between updates of the bar.
    """

    def __init__(self, description: str = "training", every: int = 1) -> None:
        self.description = description
        self.every = every

    def attach(self, engine: Any) -> None:
        """Register with an engine."""
        if not is_main_process():
            return
        bar = ProgressBar(persist=True, desc=self.description, ncols=None)
        if sys.stderr.isatty() or bar.pbar_cls.__module__ == "tqdm.notebook":
            event = Events.ITERATION_COMPLETED(every=self.every)
            bar.attach(engine, event_name=event, output_transform=self.floats)
        else:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.log_epoch)

    def log_epoch(self, engine: Any) -> None:
        """Log the epoch and the losses of its last iteration; of a single epoch, how many batches are done."""
        state = engine.state
        if state.max_epochs == 1:
            logger.info("%s: %d of %d", self.description, state.iteration, state.epoch_length)
            return
        losses = "".join(f", {name} {value}" for name, value in self.floats(state.output).items())
        epoch = f"{self.description} [{state.epoch}/{state.max_epochs}]"
        logger.info("%s: iteration %d%s", epoch, state.iteration, losses)

    @staticmethod
    def floats(output: Any) -> dict[str, str]:
        """The named floats of an engine's output, with four digits."""
        return {k.removesuffix("_loss"): f"{v:.4g}" for k, v in step_losses(output).items()}
