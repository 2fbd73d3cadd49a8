# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The network that reads a measurement from an image's features."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from monai_srgan.estimation.features import EDGE_FEATURES, FINE_FEATURES, SPECTRUM_BINS
from monai_srgan.physics import TRANSFER_FREQUENCIES

__all__ = ["COMPONENTS", "KERNEL_FAMILIES", "MeasurementNet", "MeasurementOutput"]

KERNEL_FAMILIES = ("gaussian", "bicubic", "kspace")
"""Kernel families that are told apart."""

_SAMPLES = len(TRANSFER_FREQUENCIES)
_VALUES = 2 * _SAMPLES + 1
_LOG_VARIANCE = (-10.0, 3.0)
_FEATURES = SPECTRUM_BINS**2 + FINE_FEATURES + 2 * EDGE_FEATURES
COMPONENTS = 24
"""Number of principal components of the features that novelty is measured along."""

_USUAL = 0.999  # quantile of the training images whose novelty is 1
_LINES = 4  # of the spectrum nearest to an axis that make its profile


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


class _Member(nn.Module):
    """One regression on normalized features, with an initialization of its own."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        cells = SPECTRUM_BINS // 4
        self.map = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv2d(16, 24, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(24 * cells * cells, 96),
            nn.GELU(),
        )
        self.profile = nn.Sequential(nn.Linear(2 * SPECTRUM_BINS, 64), nn.GELU())
        self.fine = nn.Sequential(nn.Linear(FINE_FEATURES + 2 * EDGE_FEATURES, 96), nn.GELU())
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(96 + 64 + 96, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, 2 * _VALUES + len(KERNEL_FAMILIES)),
        )

    def forward(self, spectrum: torch.Tensor, fine: torch.Tensor, edges: torch.Tensor) -> MeasurementOutput:
        profiles = torch.cat([spectrum[:, :, :_LINES].mean(2), spectrum[:, :_LINES].mean(1)], dim=1)
        scales = self.fine(torch.cat([fine, edges.flatten(1)], dim=1))
        hidden = torch.cat([self.map(spectrum[:, None]), self.profile(profiles), scales], dim=1)
        mean, log_variance, family = self.head(hidden).split([_VALUES, _VALUES, len(KERNEL_FAMILIES)], dim=1)
        return MeasurementOutput(mean, log_variance.clamp(*_LOG_VARIANCE), family)


class MeasurementNet(nn.Module):
    """Regression of transfer functions, noise and kernel family on the features of an image, with uncertainty.

    A small convolutional network sees the log power spectrum, one linear layer its profiles along both axes and another
    one the features of the finest scale and of edges. A few such regressions differ in nothing but their initial
    weights; their average is more accurate than each, and where they disagree it is less certain (Lakshminarayanan,
    Pritzel and Blundell, *Simple and scalable predictive uncertainty estimation using deep ensembles*, 2017,
    https://arxiv.org/abs/1612.01474).

    Features are normalized by the statistics of the training set, which are buffers. They also tell how far an image
    lies from the training set (:meth:`novelty`), where the regression would extrapolate.

    Args:
        members: number of regressions.
        width: units of the last hidden layer.
        dropout: probability in training.
    """

    def __init__(self, members: int = 3, width: int = 256, dropout: float = 0.05) -> None:
        super().__init__()
        self.register_buffer("spectrum_mean", torch.zeros(SPECTRUM_BINS, SPECTRUM_BINS))
        self.register_buffer("spectrum_std", torch.ones(()))
        self.register_buffer("fine_mean", torch.zeros(FINE_FEATURES))
        self.register_buffer("fine_std", torch.ones(FINE_FEATURES))
        self.register_buffer("edges_mean", torch.zeros(EDGE_FEATURES))
        self.register_buffer("edges_std", torch.ones(EDGE_FEATURES))
        self.register_buffer("components", torch.zeros(COMPONENTS, _FEATURES))
        self.register_buffer("component_std", torch.ones(COMPONENTS))
        self.register_buffer("novelty_limits", torch.ones(2))
        self.members = nn.ModuleList(_Member(width, dropout) for _ in range(members))

    @torch.no_grad()
    def set_statistics(self, spectrum: torch.Tensor, fine: torch.Tensor, edges: torch.Tensor) -> None:
        """Normalize by the statistics of features of N images, shapes as in :meth:`forward`."""
        self.get_buffer("spectrum_mean").copy_(spectrum.mean(0))
        self.get_buffer("spectrum_std").copy_((spectrum - spectrum.mean(0)).std())
        self.get_buffer("fine_mean").copy_(fine.mean(0))
        self.get_buffer("fine_std").copy_(fine.std(0).clamp_min(1e-3))
        self.get_buffer("edges_mean").copy_(edges.flatten(0, 1).mean(0))
        self.get_buffer("edges_std").copy_(edges.flatten(0, 1).std(0).clamp_min(1e-3))
        flat = self._flat(*self._normalized(spectrum, fine, edges))
        _, values, components = torch.svd_lowrank(flat, q=COMPONENTS, niter=4)
        self.get_buffer("components").copy_(components.T)
        self.get_buffer("component_std").copy_(values / len(flat) ** 0.5)
        limits = torch.quantile(self._distances(flat), _USUAL, dim=0)
        self.get_buffer("novelty_limits").copy_(limits)

    @torch.no_grad()
    def novelty(self, spectrum: torch.Tensor, fine: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        """How unlike the training images are, ``(B,)``: 1 is exceeded by one training image in a thousand.

        The larger of two distances, each relative to that of the training images: that within the space of the first
        principal components of the features, in their standard deviations, and that from this space.
        """
        flat = self._flat(*self._normalized(spectrum, fine, edges))
        return (self._distances(flat) / self.get_buffer("novelty_limits")).amax(1)

    def forward(self, spectrum: torch.Tensor, fine: torch.Tensor, edges: torch.Tensor) -> MeasurementOutput:
        """Estimate.

        Args:
            spectrum: ``(B, 32, 32)``.
            fine: ``(B, 17)``.
            edges: ``(B, 2, 28)``.

        Returns:
            the mixture of all members: mean, logarithm of the variance, and logarithm of the mean probabilities. In
            training, the members one below the other, ``(members * B, ...)``, since each learns on its own.
        """
        features = self._normalized(spectrum, fine, edges)
        mean, log_variance, family = map(torch.stack, zip(*(member(*features) for member in self.members), strict=True))
        if self.training:
            return MeasurementOutput(mean.flatten(0, 1), log_variance.flatten(0, 1), family.flatten(0, 1))
        variance = log_variance.exp().mean(0) + mean.var(0, unbiased=False)
        return MeasurementOutput(mean.mean(0), variance.log(), family.softmax(2).mean(0).log())

    def _normalized(
        self, spectrum: torch.Tensor, fine: torch.Tensor, edges: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return (
            (spectrum - self.get_buffer("spectrum_mean")) / self.get_buffer("spectrum_std"),
            (fine - self.get_buffer("fine_mean")) / self.get_buffer("fine_std"),
            (edges - self.get_buffer("edges_mean")) / self.get_buffer("edges_std"),
        )

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
