# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The trained regression behind :func:`~monai_srgan.estimation.estimate_measurement`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monai_srgan.estimation.features import MIN_SIZE, measurement_features
from monai_srgan.estimation.network import MeasurementNet, MeasurementOutput
from monai_srgan.networks.weights import read_state_dict
from monai_srgan.physics import TRANSFER_FREQUENCIES, condition_vector

__all__ = ["NOISE_UNIT", "MeasurementEstimator", "default_estimator"]

_SAMPLES = len(TRANSFER_FREQUENCIES)
NOISE_UNIT = 0.05


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

    def output(self, image: Any) -> MeasurementOutput:
        """The network's output for slices.

        Args:
            image: ``(B, X, Y)`` real, tensor or array, in units in which white is near 1, with at least 64 pixels along
                each axis.
        """
        found = [measurement_features(np.asarray(slice_)) for slice_ in image]
        spectrum = torch.from_numpy(np.stack([features.spectrum for features in found]))
        fine = torch.from_numpy(np.stack([features.fine for features in found]))
        edges = torch.from_numpy(np.stack([features.edges for features in found]))
        with torch.no_grad():
            return self.network(spectrum, fine, edges)

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
        output = self.output(image[:1])
        return output_condition(output)[0]


def output_condition(output: MeasurementOutput) -> torch.Tensor:
    """The condition vectors ``(B, 36)`` of a batch of outputs."""
    mean, std = output.mean.double().numpy(), torch.exp(0.5 * output.log_variance).double().numpy()
    vectors = []
    for values, error in zip(mean, std, strict=True):
        transfer, spread = values[:-1].reshape(2, _SAMPLES), np.sqrt(np.square(error[:-1]).reshape(2, -1).mean(1))
        noise = NOISE_UNIT * max(values[-1], 0.0) ** 2
        vectors.append(
            condition_vector(transfer, noise, transfer_std=(spread[0], spread[1]), noise_uncertainty=float(error[-1]))
        )
    return torch.stack(vectors)


@cache
def default_estimator() -> MeasurementEstimator:
    """The estimator that comes with the package; loaded once."""
    return MeasurementEstimator()
