# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Feature-wise scale and shift from a condition vector."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["FiLM"]


class FiLM(nn.Module):
    """Feature-wise linear modulation ``(1 + gamma(c)) * h + beta(c)`` of several layers at once.

    One hidden layer maps the condition c to gamma and beta of every layer (Perez et al. 2018, arXiv 1709.07871). The
    last layer starts at zero, so that the modulation starts as the identity.

    Args:
        size: length of the condition vector.
        layers: number of modulated layers.
        channels: feature maps of each layer.
        hidden: units of the hidden layer.
    """

    def __init__(self, size: int, layers: int, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.size = size
        self.layers = layers
        self.channels = channels
        self.hidden = nn.Linear(size, hidden)
        self.act = nn.LeakyReLU(0.2)
        self.out = nn.Linear(hidden, layers * 2 * channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """``(B, size)`` to ``(layers, 2, B, channels, 1, 1)``: the factor ``1 + gamma``, then the shift ``beta``."""
        values = self.out(self.act(self.hidden(condition)))
        values = values.reshape(-1, self.layers, 2, self.channels, 1, 1).permute(1, 2, 0, 3, 4, 5)
        unit = torch.tensor([1.0, 0.0], dtype=values.dtype, device=values.device)
        return values + unit.reshape(1, 2, 1, 1, 1, 1)
