# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Between numpy and torch where the two do not know the same arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["as_array", "as_tensor"]


def as_tensor(image: Any) -> Tensor:
    """`image` as a tensor of the same dtype; a MetaTensor stays one.

    ``torch.as_tensor`` refuses numpy arrays with negative strides (flipped views) or of another byte order (as read
    from big-endian files), and warns about those that are read-only. These are copied, others share their memory.

    Args:
        image: any shape; tensor, numpy array, or what ``torch.as_tensor`` takes.
    """
    if isinstance(image, np.ndarray):
        image = np.asarray(image, dtype=image.dtype.newbyteorder("="))
        # Strides are asked for by themselves: along an axis of one element numpy calls any of them contiguous.
        if not (image.flags.writeable and image.flags.c_contiguous) or min(image.strides, default=0) < 0:
            image = image.copy()
    return torch.as_tensor(image)


def as_array(image: Any) -> np.ndarray:
    """`image` as a numpy array on the CPU, without gradient; bfloat16, which numpy does not have, as float32."""
    if not isinstance(image, Tensor):
        return np.asarray(image)
    plain = image.detach().as_subclass(Tensor)
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).cpu().numpy()
