# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The part of the estimate's network that sees pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from monai_srgan.precision import autocast

__all__ = ["TileEncoder"]

_FOLD = 2  # pixels along each axis that are folded into channels: nothing is lost, and convolutions see a quarter
_CHANNELS = 64
_HEADS = 4


class TileEncoder(nn.Module):
    """Describe the tiles of images by averages of convolutional activations over all pixels of all tiles.

    One average is plain; the others are weighted by attention, because few pixels, such as isolated edges, show the
    response of the measurement.

    Args:
        features: number of values that describe an image.
        dropout: probability in training.
        amp: whether convolutions run in bfloat16 in training.
    """

    def __init__(self, features: int, dropout: float, amp: bool = False) -> None:
        super().__init__()
        self.amp = amp
        self.body = nn.Sequential(
            nn.PixelUnshuffle(_FOLD),
            nn.Conv2d(_FOLD**2, 32, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(32, 48, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(48, _CHANNELS, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1),
            nn.GELU(),
        )
        self.attention = nn.Conv2d(_CHANNELS, _HEADS, 1)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear((_HEADS + 1) * _CHANNELS, features), nn.GELU())

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        """Values ``(B, features)`` for tiles ``(B, T, N, N)``."""
        batch, count = tiles.shape[:2]
        with autocast(tiles.device, self.amp and self.training):
            activations = self.body(tiles.flatten(0, 1)[:, None]).float()
        weights = self.attention(activations)
        activations = _pixels(activations, batch, count)
        weights = F.softmax(_pixels(weights, batch, count), dim=2)
        averages = torch.einsum("bhn,bcn->bhc", weights, activations).flatten(1)
        return self.head(torch.cat([averages, activations.mean(dim=2)], dim=1))


def _pixels(activations: torch.Tensor, batch: int, count: int) -> torch.Tensor:
    """``(B * T, C, N, N)`` as ``(B, C, T * N * N)``."""
    return activations.unflatten(0, (batch, count)).transpose(1, 2).flatten(2)
