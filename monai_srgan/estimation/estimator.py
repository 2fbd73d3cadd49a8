# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The trained regression behind :func:`~monai_srgan.estimation.estimate_measurement`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import nn

from monai_srgan.estimation.features import MIN_SIZE, measurement_features
from monai_srgan.estimation.network import MeasurementNet, MeasurementOutput
from monai_srgan.estimation.outlier_net import OutlierNet
from monai_srgan.networks.fingerprint import weights_sha256
from monai_srgan.networks.weights import read_state_dict
from monai_srgan.physics import NOISE_UNIT, TRANSFER_FREQUENCIES, condition_vector

__all__ = ["MeasurementEstimator", "SliceEstimates", "default_estimator"]

Network = TypeVar("Network", bound=nn.Module)

_SAMPLES = len(TRANSFER_FREQUENCIES)


class SliceEstimates(NamedTuple):
    """What the network says of a batch of slices.

    Attributes:
        output: transfer functions, noise and family, with uncertainty.
        novelty: ``(B,)``, see :meth:`MeasurementNet.novelty`.
        outlier: ``(B,)``, probability of an image that was processed, see :class:`OutlierNet`.
    """

    output: MeasurementOutput
    novelty: torch.Tensor
    outlier: torch.Tensor


class MeasurementEstimator:
    """Transfer functions and noise of an image, by :class:`MeasurementNet` on :func:`measurement_features`.

    Args:
        path: state dict of the network; None for the one that comes with the package.
        outlier_path: state dict of the :class:`OutlierNet`; None for the one that comes with the package.

    Raises:
        FileNotFoundError: a file does not exist.
        ValueError: a file is not a state dict of its network.
    """

    def __init__(self, path: str | Path | None = None, outlier_path: str | Path | None = None) -> None:
        self.network = _loaded(MeasurementNet(), "measurement_net.pt", path)
        self.outlier_network = _loaded(OutlierNet(), "outlier_net.pt", outlier_path)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights of both networks."""
        return " ".join(map(weights_sha256, (self.network, self.outlier_network)))

    def estimate(self, image: Any) -> SliceEstimates:
        """Estimate each slice on its own.

        Args:
            image: ``(B, X, Y)`` real, tensor or array, in units in which white is near 1, with at least 64 pixels along
                each axis.
        """
        features = _features(image)
        with torch.no_grad():
            return SliceEstimates(
                self.network(*features),
                self.network.novelty(*features),
                torch.sigmoid(self.outlier_network(*features)[:, 0]),
            )

    def condition(self, image: torch.Tensor) -> torch.Tensor:
        """The estimate for one LR image as :func:`~monai_srgan.physics.condition_vector`.

        Args:
            image: ``(C, X, Y)`` in units in which white is near 1; the first channel is looked at.

        Returns:
            float32 ``(36,)``.

        Raises:
            ValueError: if the image has less than 64 pixels along an axis.
        """
        if min(image.shape[1:]) < MIN_SIZE:
            raise ValueError(
                f"image must have at least {MIN_SIZE} pixels along each axis, got {tuple(image.shape[1:])}: "
                "a measurement cannot be estimated from less"
            )
        with torch.no_grad():
            return _condition(self.network(*_features(image[:1])))


def _loaded(network: Network, name: str, path: str | Path | None) -> Network:
    """A network with the weights of a file, or with those of the package."""
    if path is None:
        with resources.as_file(resources.files("monai_srgan.estimation") / name) as file:
            state = read_state_dict(file, hint="Reinstall the package.")
    else:
        state = read_state_dict(path, hint="Train the network first, or leave path out.")
    network.load_state_dict(state)
    return network.eval()


def _features(image: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Spectrum, fine scale and axes of slices ``(B, X, Y)``."""
    found = [measurement_features(np.asarray(slice_)) for slice_ in image]
    parts = zip(*((f.spectrum, f.fine, f.axes) for f in found), strict=True)
    spectrum, fine, axes = (torch.from_numpy(np.stack(part)) for part in parts)
    return spectrum, fine, axes


def _condition(output: MeasurementOutput) -> torch.Tensor:
    """The condition vector of the only slice of a batch."""
    values = output.mean[0].double().numpy()
    std = torch.exp(0.5 * output.log_variance[0]).double().numpy()
    first, second = np.sqrt(np.square(std[:-1]).reshape(2, _SAMPLES).mean(1))
    return condition_vector(
        values[:-1].reshape(2, _SAMPLES),
        NOISE_UNIT * max(values[-1], 0.0) ** 2,
        transfer_std=(float(first), float(second)),
        noise_uncertainty=float(std[-1]),
    )


@cache
def default_estimator() -> MeasurementEstimator:
    """The estimator that comes with the package; loaded once."""
    return MeasurementEstimator()
