# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision on any device for MONAI engines, whose own `amp` is for CUDA alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SimpleInferer

__all__ = ["AutocastInferer"]


class AutocastInferer(SimpleInferer):
    """Run the network under ``torch.autocast`` of the input's device; outputs come back in that low precision.

    Args:
        dtype: ``"bfloat16"``, ``"float16"``, or None for full precision.
    """

    def __init__(self, dtype: str | None = "bfloat16") -> None:
        super().__init__()
        if dtype not in ("bfloat16", "float16", None):
            raise ValueError(f"dtype must be 'bfloat16', 'float16' or None, got {dtype!r}")
        self.dtype = None if dtype is None else getattr(torch, dtype)

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return ``network(inputs)``."""
        with torch.autocast(inputs.device.type, dtype=self.dtype, enabled=self.dtype is not None):
            return network(inputs, *args, **kwargs)
