# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A trained network made quick for inference."""

from __future__ import annotations

import copy
import logging
from typing import Any, Literal, cast

import torch
from torch import nn

from monai_srgan.inferers.folded import FoldedSRResNet, can_be_folded
from monai_srgan.networks import SRResNet
from monai_srgan.precision import has_fast_autocast, plain

__all__ = ["PRECISIONS", "AcceleratedNetwork", "Precision", "accelerate"]

Precision = Literal["fp32", "bf16", "fp16"]

PRECISIONS: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Names of the precisions of inference and their dtypes."""

logger = logging.getLogger(__name__)


def accelerate(network: nn.Module, *, precision: Precision = "fp32", compile: bool = False) -> AcceleratedNetwork:
    """Make a copy of a trained network that does nothing but inference, and that quicker and in less memory.

    A plain :class:`~monai_srgan.networks.SRResNet` loses its batch norm to the convolutions and works in place
    (:class:`~monai_srgan.inferers.FoldedSRResNet`); any other module, such as a subclass, one with hooks or one with
    instance norm, is run as it is in channels-last order and, in reduced precision, under autocast. In fp32 the values
    are those of ``network.eval()`` within 1e-4 for images in [0, 1]; bf16 and fp16 round feature maps to 8 and 11 bits,
    while a global residual stays in float32. Neither the network nor the number of threads is changed.

    Args:
        network: trained generator, on the device where it will run. Later changes of its weights do not reach the copy.
        precision: "fp32"; "bf16" on GPUs, and on CPUs with bfloat16 instructions; "fp16" on GPUs.
        compile: also run ``torch.compile``, which takes about half a minute at the first image and again when sizes
            change, and needs a C++ compiler on a CPU.

    Returns:
        a module of images ``(B, C, H, W)`` to float32 images ``(B, C', scale * H, scale * W)``, without gradients.

    Raises:
        ValueError: when the precision is unknown, or not for the network's device.
        TypeError: when ``network`` is no module.
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network must be a torch.nn.Module, got {type(network).__name__}")
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    if device.type == "cpu" and precision == "fp16":
        raise ValueError("precision 'fp16' needs a GPU, the network is on the CPU: take 'bf16' or 'fp32'")
    if device.type == "cpu" and precision == "bf16" and not has_fast_autocast(device):
        logger.warning("this CPU has no bfloat16 instructions: precision 'bf16' is emulated and slower than 'fp32'")
    return AcceleratedNetwork(network, PRECISIONS[precision], compile)


class AcceleratedNetwork(nn.Module):
    """What :func:`accelerate` returns: a network in eval mode and channels-last order, without gradients or meta data.

    Args:
        network: copied.
        dtype: of weights and feature maps.
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
            for parameter in self.network.parameters():  # a TorchScript module has no requires_grad_ of its own
                parameter.requires_grad_(False)
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
            self.autocast = dtype != torch.float32
        if compile:
            self.network.compile()
        super().train(False)

    def train(self, mode: bool = True) -> AcceleratedNetwork:
        """Stay in eval mode, whatever the mode asked for: engines set modes."""
        del mode
        return self

    @torch.no_grad()
    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """``(B, C, H, W)`` floating point to ``(B, C', scale * H, scale * W)`` float32."""
        image = plain(x).to(dtype=torch.float32, memory_format=torch.channels_last)
        # An engine's own autocast would round what is meant to be float32.
        with torch.autocast(image.device.type, dtype=self.dtype if self.autocast else None, enabled=self.autocast):
            return self.network(image, *args, **kwargs).float()
