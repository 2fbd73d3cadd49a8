# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The generator reduced to what inference needs: folded norm and modulation, in-place operations, strips of rows."""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import fuse_conv_bn_eval
from torch.nn.utils.parametrize import is_parametrized

from monai_srgan.networks import SRResNet
from monai_srgan.networks.blocks import GeneratorResidualBlock, PixelShuffleUpsample
from monai_srgan.networks.shuffle_conv import PixelShuffleConv2d

__all__ = ["FoldedSRResNet", "can_be_folded"]

# Smaller strips spend more on their overlap, larger ones exceed the processor's cache.
_STRIP_ROWS, _STRIP_PIXELS = 32, 8192
# Receptive radius of the upsampling layers in LR rows: a 3x3 kernel per scale, then 9x9 at full size: 1 + 1/2 + 4/4.
_HALO = 3


def can_be_folded(network: nn.Module) -> bool:
    """Whether a network is an unmodified :class:`~monai_srgan.networks.SRResNet` with batch norm or no norm.

    Subclasses, replaced layers, hooks and parametrizations can compute things that folding would miss.

    Args:
        network: any module.
    """
    if type(network) is not SRResNet:
        return False
    hooks = ("_forward_hooks", "_forward_pre_hooks")
    if any(getattr(m, hook) for m in network.modules() for hook in hooks) or any(map(_is_changed, network.modules())):
        return False
    bodies = [block.body for block in network.blocks if isinstance(block, GeneratorResidualBlock)]
    if len(bodies) < len(network.blocks) or any(len(body) != len(fields(_BlockLayers)) for body in bodies):
        return False
    if len(network.head) != 2 or len(network.fuse) != 2:  # convolution and slope, convolution and norm
        return False
    if not all(isinstance(step, PixelShuffleUpsample) for step in network.upsample):
        return False
    blocks = _block_layers(network)
    _, head_slope = network.head
    _, fuse_norm = network.fuse
    norms = [norm for block in blocks for norm in (block.norm1, block.norm2)] + [fuse_norm]
    slopes = [head_slope, *(block.slope for block in blocks)]
    slopes += [step.act for step in network.upsample if isinstance(step, PixelShuffleUpsample)]
    return (
        all(type(norm) is nn.Identity or (isinstance(norm, _BatchNorm) and _has_statistics(norm)) for norm in norms)
        and all(isinstance(slope, nn.PReLU) and slope.weight.numel() == 1 for slope in slopes)
        and type(network.tail) is PixelShuffleConv2d
    )


@dataclass(frozen=True, eq=False)
class _BlockLayers:
    """The layers of a residual block by name."""

    conv1: nn.Module
    norm1: nn.Module
    slope: nn.Module
    conv2: nn.Module
    norm2: nn.Module


def _block_layers(network: SRResNet) -> list[_BlockLayers]:
    return [_BlockLayers(*cast(GeneratorResidualBlock, block).body) for block in network.blocks]


def _is_changed(module: nn.Module) -> bool:
    # A parametrized module has a class of its own, and a wrapped convolution is no plain one either.
    return is_parametrized(module) or (
        isinstance(module, nn.Conv2d) and type(module) not in (nn.Conv2d, PixelShuffleConv2d)
    )


def _has_statistics(norm: _BatchNorm) -> bool:
    return norm.running_mean is not None and norm.running_var is not None and norm.affine


class FoldedSRResNet(nn.Module):
    """A trained :class:`~monai_srgan.networks.SRResNet` without the parts that only training needs.

    Batch norm is folded into the preceding convolution, slopes are plain numbers, activations and sums run in place,
    the kernel of the last layer is laid out once, and weights are in channels-last order. The upsampling layers, whose
    feature maps are 16 times as large as those of the trunk, run over strips of rows that overlap by their receptive
    radius, so that the trunk determines the memory. A condition is folded into the second convolution of each block, so
    that it costs nothing per pixel. Values are those of ``network.eval()`` up to rounding. The network itself does not
    change.

    Args:
        network: generator with batch norm or no norm.
        dtype: dtype of weights and feature maps; the image and its global residual keep their own dtype.

    Raises:
        ValueError: the network is not an unmodified ``SRResNet`` with batch norm or no norm, see
            :func:`can_be_folded`. Instance norm, for example, depends on statistics of the image.
    """

    def __init__(self, network: SRResNet, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        if not can_be_folded(network):
            raise ValueError(
                "network must be an unmodified SRResNet with batch norm or no norm (no subclass, hooks or replaced "
                f"layers), got {type(network).__name__}: accelerate() runs other networks without folding"
            )
        network = copy.deepcopy(network).eval().requires_grad_(False)
        self.scale = network.scale
        self.residual = network.residual
        self.dtype = dtype
        self.cell = network.tail.cell
        self.channels = network.tail.out_channels
        self.head, head_slope = network.head
        self.head_slope = _slope(head_slope)
        blocks = _block_layers(network)
        self.firsts = nn.ModuleList(_folded(block.conv1, block.norm1) for block in blocks)
        self.slopes = [_slope(block.slope) for block in blocks]
        self.seconds = nn.ModuleList(_folded(block.conv2, block.norm2) for block in blocks)
        self.fuse = _folded(*network.fuse)
        steps = [cast(PixelShuffleUpsample, step) for step in network.upsample]
        self.upsample = nn.ModuleList(step.conv for step in steps)
        self.upsample_slopes = [_slope(step.act) for step in steps]
        self.tail = _cell_convolution(network)
        self.output = network.output
        self.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
        self.film = network.film  # stays in float32: a few numbers per image

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """``(B, C, H, W)`` to ``(B, C', scale * H, scale * W)``, in the input's dtype; see ``SRResNet.forward``."""
        if condition is not None and len(condition) > 1:
            if len(condition) != len(x):
                raise ValueError(f"expected a condition of 1 or {len(x)} rows, got {list(condition.shape)}")
            return torch.cat([self(x[i : i + 1], condition[i : i + 1]) for i in range(len(x))])
        features = self._trunk(
            x.to(dtype=self.dtype, memory_format=torch.channels_last), self._modulation(condition, x.device)
        )
        if self.residual:
            sr = F.interpolate(x, scale_factor=float(self.scale), mode="bicubic", align_corners=False)
        else:
            sr = x.new_zeros(x.shape[0], self.channels, self.scale * x.shape[2], self.scale * x.shape[3])
        height, width = x.shape[2:]
        strips = max(1, height // max(_STRIP_ROWS, _STRIP_PIXELS // width))
        for i in range(strips):
            top, bottom = height * i // strips, height * (i + 1) // strips
            first, last = max(0, top - _HALO), min(height, bottom + _HALO)
            strip = self._enlarge(features[:, :, first:last]).to(x.dtype)
            core = strip[:, :, self.scale * (top - first) : self.scale * (bottom - first)]
            sr[:, :, self.scale * top : self.scale * bottom].add_(core)
        return sr

    def _modulation(self, condition: torch.Tensor | None, device: torch.device) -> torch.Tensor | None:
        """Factors and shifts ``(layers, 2, C)`` for all images; None for a network without condition."""
        if self.film is None:
            if condition is not None:
                raise ValueError("this network takes no condition: build it with condition=n, or pass None")
            return None
        if condition is None:
            condition = torch.zeros(1, self.film.size, device=device)
        with torch.autocast(device.type, enabled=False):
            return self.film(condition.float()).flatten(2).to(self.dtype)

    def _trunk(self, image: torch.Tensor, film: torch.Tensor | None) -> torch.Tensor:
        head = F.leaky_relu_(self.head(image), self.head_slope)
        if film is not None:
            head.mul_(film[0, 0, :, None, None]).add_(film[0, 1, :, None, None])
        features = head
        for i, (first, slope, second) in enumerate(zip(self.firsts, self.slopes, self.seconds, strict=True)):
            hidden = F.leaky_relu_(first(features), slope)
            if film is None:
                features = second(hidden).add_(features)
            else:
                factor, shift = film[i + 1]
                weight = second.weight * factor[:, None, None, None]
                bias = second.bias * factor + shift
                features = F.conv2d(hidden, weight, bias, padding=1).add_(features)
        return self.fuse(features).add_(head)

    def _enlarge(self, features: torch.Tensor) -> torch.Tensor:
        for step, (convolution, slope) in enumerate(zip(self.upsample, self.upsample_slopes, strict=True), start=1):
            features = F.leaky_relu_(convolution(features), slope)
            if step < len(self.upsample):
                features = F.pixel_shuffle(features, 2)
        return self.output(F.pixel_shuffle(self.tail(features), self.cell))


def _slope(prelu: nn.Module) -> float:
    return float(prelu.get_parameter("weight"))


def _folded(convolution: nn.Module, norm: nn.Module) -> nn.Module:
    return fuse_conv_bn_eval(cast(nn.Conv2d, convolution), norm) if isinstance(norm, _BatchNorm) else convolution


def _cell_convolution(network: SRResNet) -> nn.Conv2d:
    """The tail as the strided convolution that computes it."""
    tail = network.tail
    weight = tail.cell_weight()
    bias = tail.bias.repeat_interleave(tail.cell**2)  # type: ignore[union-attr]  # the tail has a bias
    convolution = nn.Conv2d(
        weight.shape[1], weight.shape[0], weight.shape[-1], stride=tail.cell // 2, padding=tail.reach
    )
    convolution.weight = nn.Parameter(weight, requires_grad=False)
    convolution.bias = nn.Parameter(bias, requires_grad=False)
    return convolution
