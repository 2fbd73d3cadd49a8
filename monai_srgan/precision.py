# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision by device type, for engines and inferers."""

from __future__ import annotations

from typing import Any

import torch
from monai.data import MetaTensor

__all__ = ["autocast", "autocast_dtype", "has_fast_autocast", "plain"]


def autocast_dtype(device: torch.device, amp_kwargs: dict[str, Any]) -> torch.dtype:
    """The autocast dtype for a device: the requested one, else bfloat16 if supported, else float16.

    Args:
        device: where the networks run.
        amp_kwargs: arguments of ``torch.autocast``; "dtype" is the requested dtype.
    """
    if "dtype" in amp_kwargs:
        return amp_kwargs["dtype"]
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16


def has_fast_autocast(device: torch.device) -> bool:
    """Whether mixed precision is faster than float32: on CUDA, and on CPUs with bfloat16 instructions.

    Other CPUs emulate bfloat16, which is slower than float32.

    Args:
        device: where the networks run.
    """
    if device.type != "cpu":
        return device.type == "cuda"
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def autocast(device: torch.device, enabled: bool, amp_kwargs: dict[str, Any] | None = None) -> torch.autocast:
    """A ``torch.autocast`` context for any device; MONAI's engines support only CUDA.

    Args:
        device: where the networks run.
        enabled: False returns a context that does nothing.
        amp_kwargs: further arguments of ``torch.autocast``, such as "dtype".
    """
    kwargs = dict(amp_kwargs or {})
    kwargs["dtype"] = autocast_dtype(device, kwargs)
    return torch.autocast(device.type, enabled=enabled, **kwargs)


def plain(image: torch.Tensor, channels_last: bool = False) -> torch.Tensor:
    """The tensor without metadata, which every operation of a network would otherwise propagate.

    Args:
        image: tensor or MetaTensor.
        channels_last: convert a 4-D tensor to channels-last memory format.
    """
    tensor = image.as_tensor() if isinstance(image, MetaTensor) else image
    return tensor.contiguous(memory_format=torch.channels_last) if channels_last and tensor.ndim == 4 else tensor
