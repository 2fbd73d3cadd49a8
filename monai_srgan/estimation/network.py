# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The network that reads a measurement from an image's features."""

from __future__ import annotations

from typing import NamedTuple

import torch

from monai_srgan.estimation.feature_ensemble import FeatureEnsemble
from monai_srgan.estimation.features import AXIS_FEATURES, FINE_FEATURES, SPECTRUM_BINS
from monai_srgan.physics import TRANSFER_FREQUENCIES

__all__ = ["COMPONENTS", "KERNEL_FAMILIES", "MeasurementNet", "MeasurementOutput"]

KERNEL_FAMILIES = ("gaussian", "bicubic", "kspace")
"""Kernel families that are told apart."""

_SAMPLES = len(TRANSFER_FREQUENCIES)
_VALUES = 2 * _SAMPLES + 1
_LOG_VARIANCE = (-10.0, 3.0)
_PARTS = (_VALUES, _VALUES, len(KERNEL_FAMILIES))
_FEATURES = SPECTRUM_BINS**2 + FINE_FEATURES + 2 * AXIS_FEATURES
COMPONENTS = 24
"""Number of principal components of the features that novelty is measured along."""

_USUAL = 0.999  # quantile of the training images whose novelty is 1


class MeasurementOutput(NamedTuple):
    """Output for a batch of B slices.

    Attributes:
        mean: ``(B, 33)``: the two transfer functions (16 samples each) and ``sqrt(noise_std / 0.05)``.
        log_variance: ``(B, 33)``, of the mean's error.
        family: ``(B, 3)`` logits of :data:`KERNEL_FAMILIES`.
    """

    mean: torch.Tensor
    log_variance: torch.Tensor
    family: torch.Tensor


class MeasurementNet(FeatureEnsemble):
    """Regression of transfer functions, noise and kernel family on the features of an image, with uncertainty.

    The statistics of the training set also tell how far an image lies from it (:meth:`novelty`), where the regression
    would extrapolate.

    Args:
        members: number of regressions.
        width: units of the last hidden layer.
        dropout: probability in training.
    """

    def __init__(self, members: int = 3, width: int = 256, dropout: float = 0.05) -> None:
        super().__init__(sum(_PARTS), members, width, dropout)
        self.register_buffer("components", torch.zeros(COMPONENTS, _FEATURES))
        self.register_buffer("component_std", torch.ones(COMPONENTS))
        self.register_buffer("novelty_limits", torch.ones(2))

    @torch.no_grad()
    def set_statistics(self, spectrum: torch.Tensor, fine: torch.Tensor, axes: torch.Tensor) -> None:
        """Normalize, and measure novelty, by the statistics of features of N images.

        Args:
            spectrum: ``(N, 32, 32)``, N greater than 24.
            fine: ``(N, 17)``.
            axes: ``(N, 2, 43)``.
        """
        super().set_statistics(spectrum, fine, axes)
        flat = self._flat(*self.normalized(spectrum, fine, axes))
        _, values, components = torch.svd_lowrank(flat, q=COMPONENTS, niter=4)
        self.get_buffer("components").copy_(components.T)
        self.get_buffer("component_std").copy_(values / len(flat) ** 0.5)
        limits = torch.quantile(self._distances(flat), _USUAL, dim=0)
        self.get_buffer("novelty_limits").copy_(limits)

    @torch.no_grad()
    def novelty(self, spectrum: torch.Tensor, fine: torch.Tensor, axes: torch.Tensor) -> torch.Tensor:
        """How unlike the training images are, ``(B,)``: 1 is exceeded by one training image in a thousand.

        The larger of two distances, each relative to that of the training images: that within the space of the first
        principal components of the features, in their standard deviations, and that from this space.
        """
        flat = self._flat(*self.normalized(spectrum, fine, axes))
        return (self._distances(flat) / self.get_buffer("novelty_limits")).amax(1)

    def forward(self, spectrum: torch.Tensor, fine: torch.Tensor, axes: torch.Tensor) -> MeasurementOutput:
        """Estimate.

        Args:
            spectrum: ``(B, 32, 32)``.
            fine: ``(B, 17)``.
            axes: ``(B, 2, 43)``.

        Returns:
            the mixture of all members: mean, logarithm of the variance, and logarithm of the mean probabilities. In
            training, the members one below the other, ``(members * B, ...)``, since each learns on its own.
        """
        mean, log_variance, family = self.outputs(spectrum, fine, axes).split(_PARTS, dim=2)
        log_variance = log_variance.clamp(*_LOG_VARIANCE)
        if self.training:
            return MeasurementOutput(mean.flatten(0, 1), log_variance.flatten(0, 1), family.flatten(0, 1))
        variance = log_variance.exp().mean(0) + mean.var(0, unbiased=False)
        return MeasurementOutput(mean.mean(0), variance.log(), family.softmax(2).mean(0).log())

    @staticmethod
    def _flat(*features: torch.Tensor) -> torch.Tensor:
        """Normalized features as rows, each kind with the same weight."""
        return torch.cat([kind.flatten(1) / kind[0].numel() ** 0.5 for kind in features], dim=1)

    def _distances(self, flat: torch.Tensor) -> torch.Tensor:
        """Root mean squares within and outside the principal components, ``(B, 2)``."""
        along = flat @ self.get_buffer("components").T
        rest = flat - along @ self.get_buffer("components")
        within = (along / self.get_buffer("component_std")).square().mean(1).sqrt()
        return torch.stack([within, rest.square().mean(1).sqrt()], dim=1)
