# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The trained regression behind :func:`~monai_srgan.estimation.estimate_measurement`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from monai_srgan.estimation.features import MIN_SIZE, measurement_features
from monai_srgan.estimation.network import MeasurementNet, MeasurementOutput
from monai_srgan.networks.weights import read_state_dict
from monai_srgan.physics import NOISE_UNIT, TRANSFER_FREQUENCIES, condition_vector

__all__ = ["MeasurementEstimator", "SliceEstimates", "default_estimator"]

_SAMPLES = len(TRANSFER_FREQUENCIES)


class SliceEstimates(NamedTuple):
    """What the network says of a batch of slices.

    Attributes:
        output: transfer functions, noise and family, with uncertainty.
        novelty: ``(B,)``, see :meth:`MeasurementNet.novelty`.
    """

    output: MeasurementOutput
    novelty: torch.Tensor


class MeasurementEstimator:
    """Transfer functions and noise of an image, by :class:`MeasurementNet` on :func:`measurement_features`.

    Args:
        path: state dict of the network; None for the one that comes with the package.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is not a state dict of the network.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.network = MeasurementNet()
        if path is None:
            with resources.as_file(resources.files("monai_srgan.estimation") / "measurement_net.pt") as file:
                state = read_state_dict(file, hint="Reinstall the package.")
        else:
            state = read_state_dict(path, hint="Train the network first, or leave path out.")
        self.network.load_state_dict(state)
        self.network.eval()

    def estimate(self, image: Any) -> SliceEstimates:
        """Estimate each slice on its own.

        Args:
            image: ``(B, X, Y)`` real, tensor or array, in units in which white is near 1, with at least 64 pixels along
                each axis.
        """
        found = [measurement_features(np.asarray(slice_)) for slice_ in image]
        spectrum = torch.from_numpy(np.stack([features.spectrum for features in found]))
        fine = torch.from_numpy(np.stack([features.fine for features in found]))
        edges = torch.from_numpy(np.stack([features.edges for features in found]))
        with torch.no_grad():
            return SliceEstimates(self.network(spectrum, fine, edges), self.network.novelty(spectrum, fine, edges))

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
        return _condition(self.estimate(image[:1]).output)


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
