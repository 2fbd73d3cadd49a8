# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Loss of the network that estimates how an image was measured."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from monai_srgan.estimation import MeasurementOutput

__all__ = ["MeasurementLoss"]


class MeasurementLoss(nn.Module):
    """Gaussian negative log-likelihood of the values, their squared error, and cross-entropy of the kernel family.

    ::

        mean((log_variance + (mean - value)^2 / exp(log_variance)) / 2)
            + error_weight * mean((mean - value)^2) + family_weight * cross_entropy(family)

    The likelihood alone learns to widen the variance of what is hard to predict before it learns the mean.

    Args:
        error_weight: weight of the squared error.
        family_weight: weight of the cross-entropy.

    Raises:
        ValueError: if a weight is negative.
    """

    def __init__(self, error_weight: float = 4.0, family_weight: float = 0.1) -> None:
        super().__init__()
        for name, weight in {"error_weight": error_weight, "family_weight": family_weight}.items():
            if not weight >= 0:
                raise ValueError(f"{name} must not be negative, got {weight}")
        self.error_weight = error_weight
        self.family_weight = family_weight

    def forward(self, output: MeasurementOutput, target: torch.Tensor) -> torch.Tensor:
        """The loss of a batch.

        Args:
            output: of :class:`~monai_srgan.estimation.MeasurementNet`, whose members are compared with the same target.
            target: ``(B, 34)``: the 33 values of ``output.mean``, then the index of the kernel family.
        """
        target = target.repeat(len(output.mean) // len(target), 1)
        values, family = target[:, :-1], target[:, -1].long()
        squares = (output.mean - values).square()
        likelihood = 0.5 * (output.log_variance + squares * torch.exp(-output.log_variance)).mean()
        return (
            likelihood
            + self.error_weight * squares.mean()
            + self.family_weight * F.cross_entropy(output.family, family)
        )
