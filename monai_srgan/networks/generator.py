# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The generator of SRGAN."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from monai_srgan.networks.blocks import GeneratorResidualBlock, Norm, PixelShuffleUpsample, make_norm
from monai_srgan.networks.film import FiLM
from monai_srgan.networks.shuffle_conv import PixelShuffleConv2d
from monai_srgan.networks.slope_prelu import SlopePReLU

__all__ = ["SRResNet"]


class SRResNet(nn.Module):
    """The generator of SRGAN, called SRResNet on its own (Ledig et al., arXiv 1609.04802, section 2.1 and figure 4).

    k9n64 PReLU, 16 residual blocks, k3n64 norm, long skip connection, one pixel-shuffle step per factor of 2, k9. The
    defaults are those of the paper with slope 0.2: 1,549,462 parameters with 3 channels, 1,528,724 with 1 channel.
    ``num_blocks=7`` builds the 7-block generator found in some descriptions of this task.

    Deviations, each set by an argument: ``norm=None`` drops the normalization (as EDSR does: crops and whole slices
    then see the same network). ``global_residual="bicubic"`` makes the network predict the residual of bicubic
    interpolation; its last layer starts at zero, so that an untrained network is exactly bicubic interpolation.

    ``condition=n`` makes the network take a vector of n numbers beside the image, such as
    :func:`monai_srgan.physics.condition_vector` of how the image was measured: :class:`~monai_srgan.networks.FiLM`
    scales and shifts the features after the first layer and the output of every residual block. An untrained modulation
    is the identity, so that training can continue from the weights of an unconditioned network.

    With the default shape the receptive field has a radius of 39.5 LR pixels: in eval mode a tile with 40 LR pixels of
    context gives the same values as the whole image.

    Args:
        in_channels: channels of the LR image.
        out_channels: channels of the SR image; must equal ``in_channels`` with a global residual.
        scale: upscale factor, 2, 4 or 8.
        num_blocks: number of residual blocks.
        channels: number of feature maps in every layer.
        norm: "batch", "instance" or None.
        prelu_init: initial slope of every PReLU, which has one slope for all channels.
        output: output activation: None (raw values), "tanh" or "sigmoid".
        global_residual: None or "bicubic".
        condition: length of the condition vector; None for a network that sees the image alone.

    Raises:
        ValueError: an argument is out of range; the message names it.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        scale: int = 4,
        num_blocks: int = 16,
        channels: int = 64,
        norm: Norm = "batch",
        prelu_init: float = 0.2,
        output: Literal["tanh", "sigmoid"] | None = None,
        global_residual: Literal["bicubic"] | None = None,
        condition: int | None = None,
    ) -> None:
        super().__init__()
        steps = {2: 1, 4: 2, 8: 3}.get(scale)
        if steps is None:
            raise ValueError(f"scale must be 2, 4 or 8, got {scale}")
        counts = {
            "in_channels": in_channels,
            "out_channels": out_channels,
            "num_blocks": num_blocks,
            "channels": channels,
        }
        for name, value in counts.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if output not in (None, "tanh", "sigmoid"):
            raise ValueError(f"output must be None, 'tanh' or 'sigmoid', got {output!r}")
        if global_residual not in (None, "bicubic"):
            raise ValueError(f"global_residual must be None or 'bicubic', got {global_residual!r}")
        if global_residual and (in_channels != out_channels or output):
            raise ValueError(
                "global_residual needs in_channels == out_channels and output=None, "
                f"got {in_channels}, {out_channels} and output={output!r}"
            )
        if condition is not None and condition < 1:
            raise ValueError(f"condition must be at least 1 number, or None for no condition, got {condition}")
        self.in_channels = in_channels
        self.scale = scale
        self.residual = global_residual == "bicubic"
        self.head = nn.Sequential(nn.Conv2d(in_channels, channels, 9, padding=4), SlopePReLU(prelu_init))
        self.blocks = nn.Sequential(*(GeneratorResidualBlock(channels, norm, prelu_init) for _ in range(num_blocks)))
        self.fuse = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), make_norm(norm, channels))
        # The tail does the last shuffle: it is faster when the shuffled image is never stored.
        self.upsample = nn.Sequential(
            *(PixelShuffleUpsample(channels, prelu_init, shuffle=step < steps - 1) for step in range(steps))
        )
        self.tail = PixelShuffleConv2d(channels, out_channels, 9, cell=4 if steps > 1 else 2)
        self.film = None if condition is None else FiLM(condition, num_blocks + 1, channels)
        self.output = {None: nn.Identity, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[output]()
        if self.residual:
            for parameter in self.tail.parameters():
                nn.init.zeros_(parameter)

    @property
    def takes_condition(self) -> bool:
        """Whether the network was built with `condition`."""
        return self.film is not None

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Enlarge a batch of images.

        Args:
            x: LR images ``(B, in_channels, H, W)`` of any size, in [0, 1].
            condition: ``(B, n)``, or ``(1, n)`` for all images alike; None for zeros, which mean the measurement that
                the network takes for granted. Only for a network built with `condition`.

        Returns:
            SR images ``(B, out_channels, scale * H, scale * W)`` in the dtype of the input, not clipped.

        Raises:
            ValueError: the image or the condition has another shape, or the network takes no condition.
        """
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ValueError(f"expected LR images of shape (B, {self.in_channels}, H, W), got {list(x.shape)}")
        head = self.head(x)
        if self.film is None:
            if condition is not None:
                raise ValueError("this network takes no condition: build it with condition=n, or pass None")
            features = self.blocks(head)
        else:
            if condition is None:
                condition = torch.zeros(1, self.film.size, dtype=torch.float32, device=x.device)
            if condition.dim() != 2 or condition.shape[1] != self.film.size or condition.shape[0] not in (1, len(x)):
                raise ValueError(
                    f"expected a condition of shape (1, {self.film.size}) or ({x.shape[0]}, {self.film.size}), "
                    f"got {list(condition.shape)}"
                )
            film = self.film(condition.to(head.dtype))
            head = head * film[0, 0] + film[0, 1]
            features = head
            for i, block in enumerate(self.blocks):
                features = block(features, film[i + 1])
        sr = self.output(self.tail(self.upsample(head + self.fuse(features)))).to(x.dtype)
        if self.residual:
            sr = sr + F.interpolate(x, scale_factor=float(self.scale), mode="bicubic", align_corners=False)
        return sr
