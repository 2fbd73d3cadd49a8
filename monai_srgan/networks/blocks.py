# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Building blocks of the networks."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from monai_srgan.networks.slope_prelu import SlopePReLU

__all__ = ["DiscriminatorResidualBlock", "GeneratorResidualBlock", "Norm", "PixelShuffleUpsample", "icnr_", "make_norm"]

Norm = Literal["batch", "instance"] | None


def make_norm(norm: Norm, channels: int) -> nn.Module:
    """Normalization layer for ``channels`` feature maps, or an identity.

    Args:
        norm: "batch", "instance" (affine) or None.
        channels: number of feature maps.

    Raises:
        ValueError: ``norm`` has another value.
    """
    if norm is None:
        return nn.Identity()
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    raise ValueError(f"norm must be 'batch', 'instance' or None, got {norm!r}")


@torch.no_grad()
def icnr_(conv: nn.Conv2d, factor: int) -> None:
    """Initialize a convolution before ``PixelShuffle(factor)`` so that its cells start constant (ICNR).

    All ``factor**2`` kernels of an output channel start equal, so that the shuffled image starts as a nearest-neighbor
    enlargement without a checkerboard pattern (Aitken et al., arXiv 1707.02937, section 3).

    Args:
        conv: convolution with ``C * factor**2`` output channels; changed in place.
        factor: upscale factor of the shuffle.
    """
    cells = factor * factor
    if conv.out_channels % cells:
        raise ValueError(f"out_channels must be divisible by factor**2 = {cells}, got {conv.out_channels}")
    kernel = torch.empty(conv.out_channels // cells, *conv.weight.shape[1:])
    nn.init.kaiming_normal_(kernel, a=0.2, nonlinearity="leaky_relu")
    conv.weight.copy_(kernel.repeat_interleave(cells, dim=0))
    if conv.bias is not None:
        conv.bias.zero_()


class GeneratorResidualBlock(nn.Module):
    """``x + norm(conv(prelu(norm(conv(x)))))`` with 3x3 kernels (Ledig et al. 2017, section 2.1, figure 4).

    Args:
        channels: number of feature maps in and out.
        norm: "batch", "instance" or None.
        prelu_init: initial value of the learned slope.
    """

    def __init__(self, channels: int, norm: Norm, prelu_init: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            make_norm(norm, channels),
            SlopePReLU(prelu_init),
            nn.Conv2d(channels, channels, 3, padding=1),
            make_norm(norm, channels),
        )

    def forward(self, x: torch.Tensor, film: torch.Tensor | None = None) -> torch.Tensor:
        """``(B, C, H, W)`` to the same shape; `film` scales and shifts the residual by ``(2, B or 1, C, 1, 1)``."""
        if film is None:
            return x + self.body(x)
        return x + (self.body(x) * film[0] + film[1])


class PixelShuffleUpsample(nn.Module):
    """Enlarge by 2: 3x3 convolution to four times the channels, pixel shuffle, PReLU (figure 4 of the paper).

    The PReLU has one slope and therefore commutes with the shuffle. It runs first, before the shuffle moves pixels in
    memory.

    Args:
        channels: number of feature maps in and out.
        prelu_init: initial value of the learned slope.
        shuffle: False leaves the shuffle to the next layer, a ``PixelShuffleConv2d``.
    """

    def __init__(self, channels: int, prelu_init: float, shuffle: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4 * channels, 3, padding=1)
        self.act = SlopePReLU(prelu_init)
        self.shuffle = nn.PixelShuffle(2) if shuffle else nn.Identity()
        icnr_(self.conv, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)`` to ``(B, C, 2H, 2W)``, or ``(B, 4 * C, H, W)`` without the shuffle."""
        return self.shuffle(self.act(self.conv(x)))


class DiscriminatorResidualBlock(nn.Module):
    """Two 3x3 convolutions with LeakyReLU(0.2) and a skip connection, a 1x1 convolution where the shape changes.

    Args:
        in_channels: number of input feature maps.
        out_channels: number of output feature maps.
        stride: stride of the first convolution, 1 or 2.
        norm: "batch", "instance" or None.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1),
            make_norm(norm, out_channels),
            nn.LeakyReLU(0.2),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            make_norm(norm, out_channels),
        )
        same = in_channels == out_channels and stride == 1
        self.skip = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, stride=stride)
        self.act = nn.LeakyReLU(0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)`` to ``(B, C', ceil(H / stride), ceil(W / stride))``."""
        return self.act(self.body(x) + self.skip(x))
