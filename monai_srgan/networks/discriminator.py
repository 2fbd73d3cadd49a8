# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The discriminator of SRGAN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from monai_srgan.networks.blocks import DiscriminatorResidualBlock, Norm, make_norm

__all__ = ["SRGANDiscriminator"]

PAPER_CHANNELS = (64, 64, 128, 128, 256, 256, 512, 512)
RESIDUAL_CHANNELS = (64,) * 4 + (128,) * 4 + (256,) * 4 + (512,) * 4


class SRGANDiscriminator(nn.Module):
    """The discriminator of SRGAN (Ledig et al., arXiv 1609.04802, section 2.1 and figure 4), giving raw logits.

    k3n64s1 LeakyReLU, then n64s2, n128s1, n128s2, n256s1, n256s2, n512s1, n512s2 with batch norm and LeakyReLU(0.2),
    dense 1024, LeakyReLU, dense 1. The final sigmoid is part of the loss, which is numerically stable only on logits.

    ``block="residual"`` builds a variant found in some descriptions of this task: 16 residual blocks with increasing
    numbers of filters, LeakyReLU(0.2) and two dense layers.

    Args:
        image_size: height and width of the images in pixels, fixed as in the paper (96 there); None adds adaptive
            pooling before the dense layers and accepts any size from 32 on.
        in_channels: channels of the images.
        channels: filters per block, at least 5 entries (4 for residual blocks); None takes the paper's 8 (16 for
            residual blocks).
        block: "conv" or "residual".
        norm: "batch", "instance" or None; the first convolution has no normalization.
        dense: width of the first dense layer.
        pool_size: output size of the adaptive pooling along each axis; used only with ``image_size=None``.

    Raises:
        ValueError: an argument is out of range; the message names it.
    """

    def __init__(
        self,
        image_size: int | Sequence[int] | None = None,
        in_channels: int = 1,
        channels: Sequence[int] | None = None,
        block: Literal["conv", "residual"] = "conv",
        norm: Norm = "batch",
        dense: int = 1024,
        pool_size: int = 1,
    ) -> None:
        super().__init__()
        if block not in ("conv", "residual"):
            raise ValueError(f"block must be 'conv' or 'residual', got {block!r}")
        widths = (
            tuple(channels) if channels is not None else {"conv": PAPER_CHANNELS, "residual": RESIDUAL_CHANNELS}[block]
        )
        fewest = {"conv": 5, "residual": 4}[block]
        if len(widths) < fewest:
            raise ValueError(
                f"channels needs at least {fewest} entries with block={block!r}, for four halvings of the image, "
                f"got {widths}"
            )
        # Four halvings, evenly spread and ending with the last block: every second of 8 blocks, every fourth of 16.
        halving = {len(widths) - 1 - i * (len(widths) // 4) for i in range(4)}
        strides = [2 if i in halving else 1 for i in range(len(widths))]
        layers: list[nn.Module] = [nn.Conv2d(in_channels, widths[0], 3, padding=1), nn.LeakyReLU(0.2)]
        previous = widths[0]
        for i, (width, stride) in enumerate(zip(widths, strides, strict=True)):
            if block == "residual":
                layers.append(DiscriminatorResidualBlock(previous, width, stride, norm))
            elif i > 0:  # the first of the paper's blocks is the convolution above
                layers += [
                    nn.Conv2d(previous, width, 3, stride=stride, padding=1),
                    make_norm(norm, width),
                    nn.LeakyReLU(0.2),
                ]
            previous = width
        self.in_channels = in_channels
        self.image_size: tuple[int, int] | None = None
        self.features = nn.Sequential(*layers)
        if image_size is None:
            self.pool: nn.Module = nn.AdaptiveAvgPool2d(pool_size)
            cells = pool_size * pool_size
        else:
            height, width = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
            if min(height, width) < 32:
                raise ValueError(f"image_size must be at least 32, got {image_size}")
            self.image_size = (height, width)
            self.pool = nn.Identity()
            cells = -(-height // 16) * -(-width // 16)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(previous * cells, dense), nn.LeakyReLU(0.2), nn.Linear(dense, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Classify a batch of images as real or generated.

        Args:
            x: HR or SR images ``(B, in_channels, H, W)`` in [0, 1].

        Returns:
            Logits ``(B, 1)``: positive means "real".

        Raises:
            ValueError: the images do not have the size `image_size`, or are smaller than 32x32.
        """
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ValueError(f"expected images of shape (B, {self.in_channels}, H, W), got {tuple(x.shape)}")
        size = (int(x.shape[2]), int(x.shape[3]))
        if self.image_size is not None and size != self.image_size:
            raise ValueError(
                f"images must be {self.image_size} for this network, got {size}: crop them, or set image_size=None"
            )
        if min(size) < 32:
            raise ValueError(f"images must be at least 32x32, got {size}")
        return self.classifier(self.pool(self.features(x)))
