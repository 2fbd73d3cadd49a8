# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A network with its weights and inferer as one callable, to be compared with other methods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from monai.inferers import Inferer
from torch import nn

from monai_srgan.inferers.tiled import TiledSRInferer
from monai_srgan.networks import weights_sha256
from monai_srgan.networks.weights import read_network_weights

__all__ = ["Predictor"]


class Predictor:
    """Callable that enlarges LR images by a network: ``predictor(image) = inferer(image, network)``.

    What a :class:`~monai_srgan.engines.SREvaluator` takes as a baseline. Weights are read when first called, so that a
    table may name more methods than a run compares, even such as have no file.

    Args:
        network: any module that enlarges images; put into eval mode.
        path: file with its state dict; None where there is none, and then the method cannot be called.
        blend: see :func:`monai_srgan.networks.read_network_weights`.
        blend_path: see there.
        inferer: how the network is run, one of its own for each predictor; None for ``TiledSRInferer()``.
        device: where to put the network; None to leave it where it is.

    Raises:
        FileNotFoundError: on the first call, when there is no such file.
        ValueError: on the first call, when a file does not fit or none was given.
    """

    def __init__(
        self,
        network: nn.Module,
        path: str | Path | None,
        *,
        blend: float | None = None,
        blend_path: str | Path | None = None,
        inferer: Inferer | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.network = network.eval() if device is None else network.eval().to(device)
        self.inferer: Callable[..., torch.Tensor] = TiledSRInferer() if inferer is None else inferer
        self.path = path
        self.blend: dict[str, Any] = {"blend": blend, "blend_path": blend_path}
        self._loaded = False

    @property
    def weights_sha256(self) -> str | None:
        """Fingerprint of the weights, see :func:`monai_srgan.networks.weights_sha256`; None before the first call."""
        return weights_sha256(self.network) if self._loaded else None

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Enlarge.

        Args:
            image: LR images of a shape that the inferer takes, such as ``(B, C, h, w)``.

        Returns:
            ``(B, C, H, W)`` without gradient.
        """
        if not self._loaded:
            # a network that nobody has trained must not stand in a table beside those that are
            if self.path is None:
                raise ValueError(
                    "a method to be compared has no file of weights: pass --srresnet_path FILE, or leave it out of "
                    "--compare"
                )
            self.network.load_state_dict(read_network_weights(self.network, self.path, **self.blend))
            self._loaded = True
        with torch.no_grad():
            return self.inferer(image, self.network)
