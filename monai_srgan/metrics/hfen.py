# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""High-frequency error norm: the relative error of edges and fine detail.

With the region's pixels :math:`R` (all channels), prediction :math:`p` and target :math:`t`::

    HFEN = ||LoG(p) - LoG(t)||_R / ||LoG(t)||_R         (Euclidean norms over the pixels of R)

Ravishankar & Bresler 2011 (https://doi.org/10.1109/TMI.2010.2090538), section IV: LoG is the rotationally symmetric
Laplacian of a Gaussian, 15x15 pixels, sigma 1.5 pixels; here with the weights of MATLAB's ``fspecial("log", 15, 1.5)``,
whose sum is 0. Deviations: the paper does not divide by the target's norm; most later work does, which makes images of
different contrast comparable. The paper has no regions. At the borders the image is continued by reflection with the
edge pixel repeated, as for SSIM; pixels up to 7 away from the region have an influence.

0 is perfect, an image without any detail has 1, and noise raises the value beyond 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from monai_srgan.metrics.checks import check_floating
from monai_srgan.metrics.functional import RegionValues, masked_mean, masked_mse
from monai_srgan.metrics.windowed import windowed_sums

__all__ = ["HFEN", "masked_hfen"]

_SIGMA = 1.5
_RADIUS = 7
_SIZE = 2 * _RADIUS + 1
_ROUNDING = 64  # units in the last place of the image's maximum: above the rounding error of a flat image


def masked_hfen(pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """High-frequency error norm over the pixels of a region.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, H and W at least 15, any range; not clamped.
        target: reference of the same shape.
        mask: region, ``(B, 1, H, W)`` or ``(B, C, H, W)``, bool or of values 0 and 1. None: the whole image.

    Returns:
        ``(B,)`` float64, 0 or more; NaN where the region is empty, or where the target is flat in it, so that its
        norm is 0.

    Raises:
        TypeError: if an image is not a floating point tensor.
        ValueError: if shapes disagree, the image is smaller than the filter, a value is not finite, or the mask has
            values beside 0 and 1.
    """
    edges = _log_filtered(target, "target")
    return _ratio(_log_filtered(pred, "pred"), edges, mask, _floor(target, edges.dtype))


class HFEN:
    """High-frequency error norm of every region, a score for :class:`~monai_srgan.engines.SREvaluator`.

    Example::

        SREvaluator(..., scores=[HFEN()])
    """

    def __call__(
        self,
        pred: torch.Tensor,
        target: torch.Tensor,
        masks: Mapping[str, torch.Tensor],
        image: torch.Tensor | None = None,  # noqa: ARG002 - other scores compare with the LR input
    ) -> RegionValues:
        """Score a batch; see :func:`masked_hfen` for the definition and the errors.

        Args:
            pred: prediction, ``(B, C, H, W)`` floating point.
            target: reference of the same shape.
            masks: region name to mask, as in :func:`masked_hfen`.
            image: not used.

        Returns:
            ``{(region, "hfen"): (B,) float64 on the CPU}``.
        """
        filtered, edges = _log_filtered(pred, "pred"), _log_filtered(target, "target")
        floor = _floor(target, edges.dtype)
        return {(region, "hfen"): _ratio(filtered, edges, mask, floor).cpu() for region, mask in masks.items()}


def _ratio(filtered: torch.Tensor, edges: torch.Tensor, mask: torch.Tensor | None, floor: torch.Tensor) -> torch.Tensor:
    error = masked_mse(filtered, edges, mask)
    size = masked_mean(edges.square(), mask)
    return torch.sqrt(error / torch.where(size > floor, size, math.nan))


def _floor(target: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The mean square of LoG(t), per image, up to which a target counts as flat."""
    maximum = target.as_subclass(torch.Tensor).detach().abs().flatten(1).amax(dim=1).to(dtype)
    return (_ROUNDING * torch.finfo(dtype).eps * maximum).square()


def _log_filtered(image: torch.Tensor, name: str) -> torch.Tensor:
    """LoG of an image, of the same size, float64 (float32 on devices without it).

    The filter is the sum of three products of a column and a row: twice a Gaussian by its second derivative, and a
    constant that makes the sum of all weights 0.
    """
    check_floating(image, name)
    if image.ndim != 4 or min(image.shape[-2:]) < _SIZE:
        raise ValueError(
            f"{name} must have shape (B, C, H, W) with H and W at least {_SIZE}, the size of the LoG filter, "
            f"got {tuple(image.shape)}"
        )
    x = image.as_subclass(torch.Tensor)
    x = x.to(torch.float32 if x.device.type == "mps" else torch.float64)
    gauss, second, constant = _windows()
    filtered = windowed_sums(windowed_sums(x, second, -2), gauss, -1)
    filtered += windowed_sums(windowed_sums(x, gauss, -2), second, -1)
    return filtered - windowed_sums(windowed_sums(x, [1.0] * _SIZE, -2), constant, -1)


def _windows() -> tuple[list[float], list[float], list[float]]:
    offsets = range(-_RADIUS, _RADIUS + 1)
    samples = [math.exp(-0.5 * (i / _SIGMA) ** 2) for i in offsets]
    gauss = [sample / sum(samples) for sample in samples]
    second = [(i**2 - _SIGMA**2) / _SIGMA**4 * weight for i, weight in zip(offsets, gauss, strict=True)]
    # the products of the other two sum up to 2 * sum(second), which is spread over the whole window
    return gauss, second, [2 * sum(second) / _SIZE**2] * _SIZE
