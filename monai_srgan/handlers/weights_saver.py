# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Saving of a network's weights at the end of a phase or of a run."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Events
from torch import nn

from monai_srgan.files import writable_folder, write_atomically
from monai_srgan.processes import is_main_process

__all__ = ["WeightsSaver"]

logger = logging.getLogger(__name__)


class WeightsSaver:
    """Save ``network.state_dict()`` after a given epoch or at the end of the run.

    Evaluation and inference read the file as ``ckpt_path``. It loads with ``weights_only`` and is written atomically;
    in a job of many processes, by rank 0.

    Args:
        network: network to save, such as the EMA model.
        path: the file. Its folder is created at the start of the run, so that a folder without write permission stops
            the run early.
        epoch: epoch after which to save, at least 1; None for the end of the run.

    Raises:
        ValueError: when ``epoch`` is below 1.
        OSError: when the run starts and the folder is not writable.
    """

    def __init__(self, network: nn.Module, path: str | Path, epoch: int | None = None) -> None:
        if epoch is not None and epoch < 1:
            raise ValueError(f"epoch must be at least 1, or None for the end of the run, got {epoch}")
        self.network = network
        self.path = Path(path)
        self.epoch = epoch

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        if not is_main_process():
            return
        engine.add_event_handler(Events.STARTED, self.prepare)
        if self.epoch is None:
            engine.add_event_handler(Events.COMPLETED, self.write)
        else:
            engine.add_event_handler(Events.EPOCH_COMPLETED(once=self.epoch), self.write)

    def prepare(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Create the folder and check that it is writable."""
        writable_folder(self.path.parent)

    def write(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Save the weights."""
        weights = {k: v.detach().cpu().clone() for k, v in self.network.state_dict().items()}
        write_atomically(self.path, partial(torch.save, weights))
        logger.info("weights saved to %s", self.path)
