# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of 8 bits that went through JPEG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

__all__ = ["through_jpeg"]

_LEVELS = 255


def through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """An image after it was saved as a JPEG file.

    Args:
        image: ``(X, Y)`` gray, clipped to [0, 1], and truncated to 8 bits.
        quality: 1 to 95, see Pillow.

    Returns:
        float32 of the same shape, in [0, 1].
    """
    file = io.BytesIO()
    Image.fromarray((_LEVELS * np.clip(image, 0, 1)).astype(np.uint8)).save(file, "JPEG", quality=quality)
    with Image.open(file) as picture:
        return np.asarray(picture, dtype=np.float32) / _LEVELS
