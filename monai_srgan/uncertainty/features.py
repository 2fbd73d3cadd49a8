# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Features of a pixel, known at inference, that predict the size of its error."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from monai_srgan.precision import plain

__all__ = ["FEATURES", "WINDOW", "pixel_features"]

FEATURES = ("spread", "activity")
"""Names of the features of :func:`pixel_features`, in their order."""

WINDOW = 9
"""Side of the window in HR pixels: about two LR pixels, the finest scale that an LR image resolves."""

_FLOOR = 1e-5  # of [0, 1]: smaller values are float32 rounding and must not decide the bin of a pixel


def pixel_features(mean: torch.Tensor, spread: torch.Tensor, window: int = WINDOW) -> torch.Tensor:
    """Spread and activity around each pixel, both in units of the image.

    ``spread`` is the mean of the self-ensemble's spread over a window; ``activity`` is the root mean square of the
    image's deviation from its local mean, ``sqrt(box((x - box(x))^2))``. At the borders, the window contains only
    pixels of the image. Both commute with flips and rotations.

    Args:
        mean: mean of the self-ensemble, ``(B, C, H, W)`` or ``(B, C, H, W, D)`` with slices along D, in units of
            the normalized image: [0, 1] from air to the 99.9th percentile.
        spread: its spread, of the same shape and unit.
        window: side of the window in pixels, odd.

    Returns:
        ``(2, *mean.shape)`` float32 of at least 1e-5, in the order of :data:`FEATURES`.

    Raises:
        ValueError: if the shapes do not match or `window` is not odd.
    """
    if mean.ndim not in (4, 5) or mean.shape != spread.shape:
        raise ValueError(
            "mean and spread must have the same shape (B, C, H, W) or (B, C, H, W, D), "
            f"got {tuple(mean.shape)} and {tuple(spread.shape)}"
        )
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window must be an odd number of pixels, at least 1, got {window}")
    image, deviation = _slices(mean), _slices(spread)
    detail = image - _box(image, window)
    features = torch.stack([_box(deviation, window), _box(detail.square(), window).sqrt()]).clamp_(min=_FLOOR)
    if mean.ndim == 4:
        return features.reshape(2, *mean.shape)
    batch, channels, height, width, depth = mean.shape
    return features.reshape(2, batch, depth, channels, height, width).movedim(2, -1)


def _slices(image: torch.Tensor) -> torch.Tensor:
    """Every slice and channel as a separate image, ``(N, 1, H, W)`` float32."""
    image = plain(image).float()
    image = image if image.ndim == 4 else image.movedim(-1, 1)
    return image.reshape(-1, 1, *image.shape[-2:])


def _box(image: torch.Tensor, window: int) -> torch.Tensor:
    return F.avg_pool2d(image, window, stride=1, padding=window // 2, count_include_pad=False)
