# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision on any device for MONAI engines, whose own `amp` is for CUDA alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SimpleInferer

from monai_srgan.precision import autocast

__all__ = ["AutocastInferer"]


class AutocastInferer(SimpleInferer):
    """Run the network under ``torch.autocast`` of the input's device; outputs come back in that low precision.

    Args:
        enabled: False runs the network in full precision.
        dtype: dtype of the autocast; None is bfloat16, or float16 on GPUs without it.
    """

    def __init__(self, enabled: bool = True, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.enabled = enabled
        self.dtype = dtype

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return ``network(inputs)``."""
        with autocast(inputs.device, self.enabled, {} if self.dtype is None else {"dtype": self.dtype}):
            return network(inputs, *args, **kwargs)
