# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision on any device for MONAI engines, whose `amp` option covers only CUDA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SimpleInferer

from monai_srgan.precision import autocast

__all__ = ["AutocastInferer"]


class AutocastInferer(SimpleInferer):
    """Run the network under ``torch.autocast`` for the input's device; outputs keep the reduced precision.

    Args:
        enabled: False runs the network in full precision.
        dtype: autocast dtype; None selects bfloat16, or float16 on GPUs without bfloat16.
    """

    def __init__(self, enabled: bool = True, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.enabled = enabled
        self.dtype = dtype

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return ``network(inputs, *args, **kwargs)``."""
        with autocast(inputs.device, self.enabled, {} if self.dtype is None else {"dtype": self.dtype}):
            return network(inputs, *args, **kwargs)
