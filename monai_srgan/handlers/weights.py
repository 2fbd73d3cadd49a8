# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Load a network's weights when an engine starts."""

from __future__ import annotations

import logging
from pathlib import Path

from ignite.engine import Engine, Events
from torch import nn

from monai_srgan.networks.weights import read_state_dict

__all__ = ["WeightsLoader"]

logger = logging.getLogger(__name__)


class WeightsLoader:
    """Load a state dict into a network before the first iteration, every tensor or none.

    MONAI's CheckpointLoader does the same; this one says which file does not fit and what to do.

    Args:
        network: network to fill, on any device.
        path: file with a state dict of this very network.

    Raises:
        FileNotFoundError: when the engine starts and there is no such file.
        ValueError: when the engine starts and the file is no state dict, or that of a network of another shape.
    """

    def __init__(self, network: nn.Module, path: str | Path) -> None:
        self.network = network
        self.path = Path(path)

    def attach(self, engine: Engine) -> None:
        """Load at the engine's start."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:  # noqa: ARG002  (ignite passes its engine)
        """Load now."""
        state = read_state_dict(
            self.path, hint="Train first, or pass --ckpt_path FILE with a state dict of network_def."
        )
        own = self.network.state_dict()
        missing = sorted(own.keys() - state.keys())
        unknown = sorted(state.keys() - own.keys())
        shapes = [
            f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
            for name in sorted(own.keys() & state.keys())
            if state[name].shape != own[name].shape
        ]
        faults = [
            f"{len(names)} {what} (such as {names[0]})"
            for what, names in (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
            if names
        ]
        if faults:
            raise ValueError(
                f"ckpt_path {self.path} does not fit network_def ({type(self.network).__name__}): tensors "
                f"{', '.join(faults)}. Give network_def the arguments that the weights were trained with."
            )
        self.network.load_state_dict(state)
        logger.info("weights from %s", self.path)
