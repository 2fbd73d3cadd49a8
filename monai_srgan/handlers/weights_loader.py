# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Loading of a network's weights at the start of a run."""

from __future__ import annotations

import logging
from pathlib import Path

from ignite.engine import Engine, Events
from torch import nn

from monai_srgan.networks.weights import read_network_weights

__all__ = ["WeightsLoader"]

logger = logging.getLogger(__name__)


class WeightsLoader:
    """Load a state dict into a network before the first iteration, all tensors or none.

    Unlike MONAI's CheckpointLoader, it explains why a file does not fit, and can blend the weights of two files.

    Args:
        network: network to load into, on any device.
        path: file with a state dict of the network.
        blend: share in [0, 1] of the weights of `path`; the rest come from `blend_path`. None for `path` alone.
        blend_path: file with another state dict of the network: the weights at ``blend=0``.

    Raises:
        FileNotFoundError: when the engine starts and a file does not exist.
        ValueError: when the engine starts, see :func:`monai_srgan.networks.read_network_weights`.
    """

    def __init__(
        self,
        network: nn.Module,
        path: str | Path,
        blend: float | None = None,
        blend_path: str | Path | None = None,
    ) -> None:
        self.network = network
        self.path = Path(path)
        self.blend = blend
        self.blend_path = blend_path

    def attach(self, engine: Engine) -> None:
        """Register with an engine."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:  # noqa: ARG002 - ignite passes the engine
        """Load the weights."""
        weights = read_network_weights(self.network, self.path, blend=self.blend, blend_path=self.blend_path)
        self.network.load_state_dict(weights)
        if self.blend is None:
            logger.info("weights from %s", self.path)
        else:
            logger.info("weights from %s (%g) and %s (%g)", self.path, self.blend, self.blend_path, 1 - self.blend)
