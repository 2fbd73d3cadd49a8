# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Accelerated copies of trained networks for inference."""

from __future__ import annotations

import copy
import logging
from typing import Any, Literal, cast

import torch
from torch import nn

from monai_srgan.errors import about
from monai_srgan.inferers.folded import FoldedSRResNet, can_be_folded
from monai_srgan.networks import SRResNet
from monai_srgan.precision import has_fast_autocast, plain

__all__ = ["PRECISIONS", "AcceleratedNetwork", "Precision", "accelerate"]

Precision = Literal["fp32", "bf16", "fp16"]

PRECISIONS: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Inference precisions by name, with their dtypes."""

logger = logging.getLogger(__name__)


def accelerate(network: nn.Module, *, precision: Precision = "fp32", compile: bool = False) -> AcceleratedNetwork:
    """Copy a trained network for inference, where it runs faster and needs less memory.

    In a plain :class:`~monai_srgan.networks.SRResNet` batch norm is folded into the convolutions and operations run in
    place (:class:`~monai_srgan.inferers.FoldedSRResNet`). Any other module, such as a subclass, one with hooks or one
    with instance norm, runs unchanged in channels-last order and, in reduced precision, under autocast. In fp32 the
    values are those of ``network.eval()`` within rounding, about 2e-5 of the largest value. bf16 and fp16 round feature
    maps to 8 and 11 bits, but a global residual stays in float32. The network and the number of threads do not change.

    Args:
        network: trained generator, on the device where it will run. Later changes of its weights do not affect the
            copy.
        precision: "fp32"; "bf16" for GPUs, and CPUs with bfloat16 instructions; "fp16" for GPUs.
        compile: also run ``torch.compile``, which takes about half a minute for the first image and for each new size,
            and needs a C++ compiler on a CPU.

    Returns:
        a module from images ``(B, C, H, W)`` to float32 images ``(B, C', scale * H, scale * W)``, without gradients.

    Raises:
        ValueError: the precision is unknown, or unsupported on the network's device.
        TypeError: ``network`` is not a module.
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network must be a torch.nn.Module, got {type(network).__name__}")
    if precision not in PRECISIONS:
        message = f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}"
        raise about(ValueError(message), "precision")
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    if device.type == "cpu" and precision == "fp16":
        raise about(
            ValueError("precision 'fp16' needs a GPU, but the network is on the CPU: use 'bf16' or 'fp32'"), "precision"
        )
    if device.type == "cpu" and precision == "bf16" and not has_fast_autocast(device):
        logger.warning("this CPU has no bfloat16 instructions: precision 'bf16' is emulated and slower than 'fp32'")
    return AcceleratedNetwork(network, PRECISIONS[precision], compile)


class AcceleratedNetwork(nn.Module):
    """The result of :func:`accelerate`: a network in eval mode and channels-last order, without gradients or metadata.

    Args:
        network: the network to copy.
        dtype: dtype of weights and feature maps.
        compile: run the copy through ``torch.compile``.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype, compile: bool = False) -> None:
        super().__init__()
        self.dtype = dtype
        if can_be_folded(network):
            self.network: nn.Module = FoldedSRResNet(cast(SRResNet, network), dtype)
            self.autocast = False
        else:
            self.network = copy.deepcopy(network).eval().float()
            for parameter in self.network.parameters():  # TorchScript modules have no requires_grad_
                parameter.requires_grad_(False)
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
            self.autocast = dtype != torch.float32
        if compile:
            self.network.compile()
        super().train(False)

    def train(self, mode: bool = True) -> AcceleratedNetwork:
        """Stay in eval mode whatever `mode` is, since engines set modes."""
        del mode
        return self

    @torch.no_grad()
    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """``(B, C, H, W)`` floating point to ``(B, C', scale * H, scale * W)`` float32."""
        image = plain(x).to(dtype=torch.float32, memory_format=torch.channels_last)
        # Overrides an engine's autocast, which would round float32 results.
        with torch.autocast(image.device.type, dtype=self.dtype if self.autocast else None, enabled=self.autocast):
            return self.network(image, *args, **kwargs).float()
