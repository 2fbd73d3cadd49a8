# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The paper's generator in textbook layers, the reference for the optimized implementation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["PlainSRResNet"]


def _norm(norm: str | None, channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()


class _Block(nn.Module):
    def __init__(self, channels: int, norm: str | None) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            _norm(norm, channels),
            nn.PReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            _norm(norm, channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


class _Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4 * channels, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.act = nn.PReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.shuffle(self.conv(x)))


class PlainSRResNet(nn.Module):
    """The generator of Ledig et al. (arXiv 1609.04802, figure 4), compatible with state dicts of ``SRResNet``.

    Args:
        num_blocks: number of residual blocks.
        channels: number of feature maps.
        norm: "batch" or None.
        scale: 2, 4 or 8.
        global_residual: "bicubic" or None.
    """

    def __init__(
        self,
        num_blocks: int = 16,
        channels: int = 64,
        norm: str | None = "batch",
        scale: int = 4,
        global_residual: str | None = None,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.residual = global_residual == "bicubic"
        self.head = nn.Sequential(nn.Conv2d(1, channels, 9, padding=4), nn.PReLU())
        self.blocks = nn.Sequential(*(_Block(channels, norm) for _ in range(num_blocks)))
        self.fuse = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), _norm(norm, channels))
        self.upsample = nn.Sequential(*(_Upsample(channels) for _ in range({2: 1, 4: 2, 8: 3}[scale])))
        self.tail = nn.Conv2d(channels, 1, 9, padding=4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, 1, H, W)`` to ``(B, 1, scale * H, scale * W)``."""
        head = self.head(x)
        sr = self.tail(self.upsample(head + self.fuse(self.blocks(head)))).to(x.dtype)
        if self.residual:
            sr = sr + F.interpolate(x, scale_factor=float(self.scale), mode="bicubic", align_corners=False)
        return sr
