# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Small networks on the features of an image, several of which are averaged."""

from __future__ import annotations

import torch
from torch import nn

from monai_srgan.estimation.features import AXIS_FEATURES, FINE_FEATURES, SPECTRUM_BINS

__all__ = ["FeatureEnsemble"]

_LINES = 4  # of the spectrum nearest to an axis that make its profile


class _Member(nn.Module):
    """One network on normalized features, with an initialization of its own."""

    def __init__(self, outputs: int, width: int, dropout: float) -> None:
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
        self.fine = nn.Sequential(nn.Linear(FINE_FEATURES + 2 * AXIS_FEATURES, 96), nn.GELU())
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(96 + 64 + 96, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, outputs),
        )

    def forward(self, spectrum: torch.Tensor, fine: torch.Tensor, axes: torch.Tensor) -> torch.Tensor:
        profiles = torch.cat([spectrum[:, :, :_LINES].mean(2), spectrum[:, :_LINES].mean(1)], dim=1)
        scales = self.fine(torch.cat([fine, axes.flatten(1)], dim=1))
        return self.head(torch.cat([self.map(spectrum[:, None]), self.profile(profiles), scales], dim=1))


class FeatureEnsemble(nn.Module):
    """Networks that differ in nothing but their initial weights, on the features of an image.

    A small convolutional network sees the log power spectrum, one linear layer its profiles along both axes and another
    one those of the finest scale and of both axes. The average of a few is more accurate than each, and where they
    disagree it is less certain (Lakshminarayanan, Pritzel and Blundell, *Simple and scalable predictive uncertainty
    estimation using deep ensembles*, 2017, https://arxiv.org/abs/1612.01474).

    Features are normalized by the statistics of the training set, which are buffers.

    Args:
        outputs: number of outputs of each network.
        members: number of networks.
        width: units of the last hidden layer.
        dropout: probability in training.
    """

    def __init__(self, outputs: int, members: int, width: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("spectrum_mean", torch.zeros(SPECTRUM_BINS, SPECTRUM_BINS))
        self.register_buffer("spectrum_std", torch.ones(()))
        self.register_buffer("fine_mean", torch.zeros(FINE_FEATURES))
        self.register_buffer("fine_std", torch.ones(FINE_FEATURES))
        self.register_buffer("axes_mean", torch.zeros(AXIS_FEATURES))
        self.register_buffer("axes_std", torch.ones(AXIS_FEATURES))
        self.members = nn.ModuleList(_Member(outputs, width, dropout) for _ in range(members))

    @torch.no_grad()
    def set_statistics(self, spectrum: torch.Tensor, fine: torch.Tensor, axes: torch.Tensor) -> None:
        """Normalize by the statistics of features of N images.

        Args:
            spectrum: ``(N, 32, 32)``.
            fine: ``(N, 17)``.
            axes: ``(N, 2, 43)``.
        """
        self.get_buffer("spectrum_mean").copy_(spectrum.mean(0))
        self.get_buffer("spectrum_std").copy_((spectrum - spectrum.mean(0)).std())
        self.get_buffer("fine_mean").copy_(fine.mean(0))
        self.get_buffer("fine_std").copy_(fine.std(0).clamp_min(1e-3))
        self.get_buffer("axes_mean").copy_(axes.flatten(0, 1).mean(0))
        self.get_buffer("axes_std").copy_(axes.flatten(0, 1).std(0).clamp_min(1e-3))

    def outputs(self, spectrum: torch.Tensor, fine: torch.Tensor, axes: torch.Tensor) -> torch.Tensor:
        """Outputs of all members, ``(members, B, outputs)``; shapes as in :meth:`set_statistics`."""
        features = self.normalized(spectrum, fine, axes)
        return torch.stack([member(*features) for member in self.members])

    def normalized(
        self, spectrum: torch.Tensor, fine: torch.Tensor, axes: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features with zero mean and unit variance over the training set."""
        return (
            (spectrum - self.get_buffer("spectrum_mean")) / self.get_buffer("spectrum_std"),
            (fine - self.get_buffer("fine_mean")) / self.get_buffer("fine_std"),
            (axes - self.get_buffer("axes_mean")) / self.get_buffer("axes_std"),
        )
