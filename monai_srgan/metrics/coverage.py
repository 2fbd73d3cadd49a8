# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""Coverage and width of intervals around every pixel.

With the region's pixels :math:`R` (all channels), mean :math:`m`, half-width :math:`h` and target :math:`t`::

    coverage = mean_R [|t - m| <= h]          interval width = mean_R 2 h
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from monai_srgan.metrics.functional import masked_bias

__all__ = ["interval_scores"]


def interval_scores(
    mean: torch.Tensor, half_width: torch.Tensor, target: torch.Tensor, masks: Mapping[str, torch.Tensor]
) -> dict[str, dict[str, torch.Tensor]]:
    """Coverage and mean width of intervals on several regions.

    Args:
        mean: middle of the intervals, ``(B, C, H, W)`` floating point.
        half_width: half of their width, of the same shape, 0 or more.
        target: reference of the same shape.
        masks: region name to mask, ``(B, 1, H, W)`` or ``(B, C, H, W)``, bool or of values 0 and 1.

    Returns:
        ``{"coverage": {region: (B,)}, "interval_width": {region: (B,)}}`` float64 on the CPU; the width in units of the
        images. NaN where the region is empty.

    Raises:
        TypeError: if an image is not a floating point tensor.
        ValueError: if shapes disagree, a value is not finite, a width is negative, or a mask has values beside 0 and 1.
    """
    for name, image in (("half_width", half_width), ("target", target)):
        if image.shape != mean.shape:
            raise ValueError(f"{name} must have the shape of mean, {tuple(mean.shape)}, got {tuple(image.shape)}")
        if not bool(torch.isfinite(image).all()):
            raise ValueError(f"{name} has NaN or infinite values, and NaN is reserved for empty regions")
    if bool((half_width < 0).any()):
        raise ValueError(f"half_width must be 0 or more, got {float(half_width.min()):g}")
    middle, half = mean.as_subclass(torch.Tensor), half_width.as_subclass(torch.Tensor)
    covered = ((target.as_subclass(torch.Tensor) - middle).abs() <= half).to(middle.dtype)
    nothing = torch.zeros_like(middle)
    # the mean over a region of any map is its bias against nothing
    return {
        "coverage": {name: masked_bias(covered, nothing, mask).cpu() for name, mask in masks.items()},
        "interval_width": {name: masked_bias(2 * half, nothing, mask).cpu() for name, mask in masks.items()},
    }
