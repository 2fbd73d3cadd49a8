# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A network with its weights and inferer as one callable, for comparison with other methods."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from monai.inferers import Inferer
from torch import nn

from monai_srgan.errors import about
from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.inferers.measured import MeasuredInferer
from monai_srgan.inferers.tiled import TiledSRInferer
from monai_srgan.networks import weights_sha256
from monai_srgan.networks.weights import read_network_weights

__all__ = ["Predictor"]


class Predictor:
    """Callable that enlarges LR images with a network: ``predictor(image) = inferer(image, network)``.

    Serves as a baseline of :class:`~monai_srgan.engines.SREvaluator`. Weights are read on the first call, so that a
    config can define more methods than a run compares, even methods without weights. A network that takes a condition
    can be told how the images were measured, with certainty or as an assumption about each.

    Args:
        network: any module that enlarges images; set to eval mode.
        path: file with its state dict; None defers an error to the first call.
        blend: see :func:`monai_srgan.networks.read_network_weights`.
        blend_path: see :func:`monai_srgan.networks.read_network_weights`.
        inferer: runs the network, one instance per predictor; None creates a ``TiledSRInferer()``.
        device: device to move the network to; None leaves it in place.
        scale: enlargement of images whose assumed measurement is declined.

    Raises:
        FileNotFoundError: (on the first call) the file does not exist.
        ValueError: (on the first call) a file does not fit the network, or `path` is None.
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
        scale: int = 4,
    ) -> None:
        self.network = network.eval() if device is None else network.eval().to(device)
        self.inferer: Inferer = TiledSRInferer() if inferer is None else inferer
        self.path = path
        self.scale = scale
        self.blend: dict[str, Any] = {"blend": blend, "blend_path": blend_path}
        self._loaded = False

    @property
    def weights_sha256(self) -> str | None:
        """Fingerprint of the weights, see :func:`monai_srgan.networks.weights_sha256`; None before the first call."""
        return weights_sha256(self.network) if self._loaded else None

    @property
    def takes_condition(self) -> bool:
        """Whether the network can be told how the images were measured."""
        return bool(getattr(self.network, "takes_condition", False))

    def __call__(
        self,
        image: torch.Tensor,
        *,
        condition: torch.Tensor | None = None,
        measurements: Sequence[AssumedMeasurement] | None = None,
    ) -> torch.Tensor:
        """Enlarge a batch of images.

        Args:
            image: LR images in a shape that the inferer accepts, such as ``(B, C, h, w)``.
            condition: ``(1, n)`` or ``(B, n)``, passed to the network; None to leave it out.
            measurements: one assumption per image, by which a :class:`~monai_srgan.inferers.MeasuredInferer` runs the
                network, projects its result, or leaves the image to bicubic interpolation; None for none.

        Returns:
            ``(B, C, H, W)`` without gradient.

        Raises:
            ValueError: if the network takes no condition and there is one, or `condition` and `measurements` are both
                given.
        """
        if condition is not None and measurements is not None:
            raise ValueError("condition and measurements both say how the images were measured: give one of them")
        if not self._loaded:
            # An untrained network must not appear in a table beside trained ones.
            if self.path is None:
                raise about(
                    ValueError("path must be a file of weights, got None: give one, or do not compare this method"),
                    "srresnet_path",
                )
            self.network.load_state_dict(read_network_weights(self.network, self.path, **self.blend))
            self._loaded = True
        with torch.no_grad():
            if measurements is not None:
                return MeasuredInferer(self.inferer, scale=self.scale)(image, self.network, measurements=measurements)
            known = {} if condition is None else {"condition": condition}
            return self.inferer(image, self.network, **known)
