# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Conversion between numpy and torch for arrays that only one of them supports."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["as_array", "as_tensor"]


def as_tensor(image: Any) -> Tensor:
    """Convert `image` to a tensor of the same dtype; a MetaTensor stays one.

    ``torch.as_tensor`` refuses numpy arrays with negative strides (flipped views) or another byte order (from
    big-endian files), and warns about read-only arrays. These are copied, all others share their memory.

    Args:
        image: any shape; tensor, numpy array, or anything else that ``torch.as_tensor`` accepts.
    """
    if isinstance(image, np.ndarray):
        image = np.asarray(image, dtype=image.dtype.newbyteorder("="))
        # Check strides too: numpy calls any stride contiguous along an axis of one element.
        if not (image.flags.writeable and image.flags.c_contiguous) or min(image.strides, default=0) < 0:
            image = image.copy()
    return torch.as_tensor(image)


def as_array(image: Any) -> np.ndarray:
    """Convert `image` to a numpy array without gradient; bfloat16, which numpy does not have, becomes float32."""
    if not isinstance(image, Tensor):
        return np.asarray(image)
    plain = image.detach().as_subclass(Tensor)
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).cpu().numpy()
