# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Write a network's weights to one plain file at the end of a phase or of a run."""

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
    """Write ``network.state_dict()``, loadable with ``weights_only``, after one epoch or at the end of the run.

    The file is what ``ckpt_path`` of evaluation and inference takes. It is written beside and renamed.
    In a job of many processes rank 0 writes it.

    Args:
        network: network to write, such as the EMA model.
        path: the file; its folder is made when the run starts, so that a folder that cannot be written fails early.
        epoch: epoch after which to write, 1 or later; None is the end of the run.

    Raises:
        ValueError: when ``epoch`` is below 1.
        OSError: when the run starts and the folder cannot be written to.
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
        """Make the folder and make sure that it can be written to."""
        writable_folder(self.path.parent)

    def write(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Write the weights now."""
        weights = {k: v.detach().cpu().clone() for k, v in self.network.state_dict().items()}
        write_atomically(self.path, partial(torch.save, weights))
        logger.info("weights written to %s", self.path)
