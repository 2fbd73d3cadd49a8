# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""Coverage and width of prediction intervals.

With the region's pixels :math:`R` (all channels), mean :math:`m`, half-width :math:`h` and target :math:`t`::

    coverage = mean_R [|t - m| <= h]          interval width = mean_R 2 h
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from monai_srgan.metrics.functional import RegionValues, masked_mean

__all__ = ["interval_scores"]


def interval_scores(
    mean: torch.Tensor, half_width: torch.Tensor, target: torch.Tensor, masks: Mapping[str, torch.Tensor]
) -> RegionValues:
    """Coverage and mean width of intervals on several regions.

    Args:
        mean: center of the intervals, ``(B, C, H, W)`` floating point.
        half_width: half of their width, of the same shape, 0 or more; NaN in all pixels of an image without intervals.
        target: reference of the same shape.
        masks: region name to mask, ``(B, 1, H, W)`` or ``(B, C, H, W)``, bool or of values 0 and 1.

    Returns:
        ``{(region, "coverage" | "interval_width"): (B,) float64 on the CPU}``, the width in units of the images. NaN
        where the region is empty or the image has no intervals.

    Raises:
        TypeError: if an image is not a floating point tensor.
        ValueError: if shapes disagree, a value is not finite, a width is negative, or a mask has values beside 0 and 1.
    """
    for name, image in (("half_width", half_width), ("target", target)):
        if image.shape != mean.shape:
            raise ValueError(f"{name} must have the shape of mean, {tuple(mean.shape)}, got {tuple(image.shape)}")
    without = half_width.as_subclass(torch.Tensor).flatten(1).isnan().all(dim=1)
    known = torch.where(without.reshape(-1, *[1] * (mean.ndim - 1)), 0.0, half_width.as_subclass(torch.Tensor))
    for name, image in (("half_width", known), ("target", target)):
        if not bool(torch.isfinite(image).all()):
            raise ValueError(f"{name} has NaN or infinite values, and NaN is reserved for images without intervals")
    if bool((known < 0).any()):
        raise ValueError(f"half_width must be 0 or more, got {float(known.min()):g}")
    center = mean.as_subclass(torch.Tensor)
    covered = ((target.as_subclass(torch.Tensor) - center).abs() <= known).to(center.dtype)
    none = without.cpu()
    scores: RegionValues = {}
    for region, mask in masks.items():
        for name, image in (("coverage", covered), ("interval_width", 2 * known)):
            scores[region, name] = masked_mean(image, mask).cpu().masked_fill(none, torch.nan)
    return scores
