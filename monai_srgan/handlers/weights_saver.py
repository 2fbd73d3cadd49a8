# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Saving of a network's weights at the end of a phase or of a run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from ignite.engine import Events
from torch import nn

from monai_srgan.files import writable_folder, write_tensors
from monai_srgan.networks.finite_weights import require_finite_state
from monai_srgan.processes import is_main_process

__all__ = ["WeightsSaver"]

logger = logging.getLogger(__name__)


class WeightsSaver:
    """Save ``network.state_dict()`` after a given epoch or at the end of the run.

    Evaluation and inference read the file as ``ckpt_path``. It loads with ``weights_only``, is written atomically, and
    has the same bytes for the same weights. In a job of many processes rank 0 writes it.

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
        """Save the weights.

        Raises:
            FloatingPointError: they are not finite; an earlier file is unchanged.
            OSError: see :func:`monai_srgan.files.write_atomically`.
        """
        weights = {k: v.detach().cpu().clone() for k, v in self.network.state_dict().items()}
        require_finite_state(weights, str(self.path))
        write_tensors(self.path, weights)
        logger.info("weights saved to %s", self.path)
