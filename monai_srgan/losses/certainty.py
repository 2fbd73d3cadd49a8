# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How much a generator may invent, by how well the measurement is known."""

from __future__ import annotations

import torch
from torch import nn

from monai_srgan.physics import condition_noise_std, condition_sharpness, condition_transfer_std

__all__ = ["MeasurementCertainty"]


class MeasurementCertainty(nn.Module):
    """Weight of each image's adversarial and perceptual terms: small where invented detail costs more than it brings.

    ::

        1 / (1 + (noise / noise_std)^2 + (uncertainty / transfer_std)^2) / (1 + (excess / sharpness)^4)

    Noise and a doubtful estimate hide detail. A measurement that blurred less than the default one leaves interpolation
    little to lose; `excess` is its :func:`~monai_srgan.physics.condition_sharpness`, and the fourth power separates it
    from the scatter of estimates of the default. With the weights, a generator that
    is told the condition learns to be sharp where the measurement is known, and to return the mean of what is possible
    where it is not.

    Args:
        noise_std: standard deviation of the noise, in units of the image, that halves the weight.
        transfer_std: uncertainty of the transfer functions, root mean square over both axes, that halves it.
        sharpness: excess of the transfer functions over the default's that halves it.

    Raises:
        ValueError: if an argument is not positive.
    """

    def __init__(self, noise_std: float = 0.004, transfer_std: float = 0.07, sharpness: float = 0.06) -> None:
        super().__init__()
        self.noise_std, self.transfer_std, self.sharpness = float(noise_std), float(transfer_std), float(sharpness)
        for name, value in self.settings.items():
            if not value > 0:
                raise ValueError(f"{name} must be positive, got {value}")

    @property
    def settings(self) -> dict[str, float]:
        """The arguments that it was built with, by name."""
        return {"noise_std": self.noise_std, "transfer_std": self.transfer_std, "sharpness": self.sharpness}

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """The weights of a batch.

        Args:
            condition: ``(B, 36)`` of :func:`~monai_srgan.physics.condition_vector`.

        Returns:
            ``(B,)`` in (0, 1].
        """
        noise = condition_noise_std(condition) / self.noise_std
        doubt = condition_transfer_std(condition).square().mean(-1) / self.transfer_std**2
        excess = condition_sharpness(condition) / self.sharpness
        return 1 / (1 + noise.square() + doubt) / (1 + excess**4)
