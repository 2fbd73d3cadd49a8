# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""MSE, PSNR, SSIM and mean bias of a region: one value per image, NaN where the region is empty.

With the region's pixels :math:`R` (all channels), prediction :math:`p`, target :math:`t` and data range :math:`L`::

    MSE  = mean_R (p - t)^2          PSNR = 10 log10(L^2 / MSE)
    bias = mean_R (p - t)            SSIM = mean_R S(p, t)

where S is the SSIM map of :mod:`monai_srgan.metrics.ssim`.

Averages over regions that partition an image therefore add up: ``n_in * x_in + n_out * x_out = n * x_whole`` for MSE,
SSIM and bias. Deviation from scikit-image's scalar: it averages the map without the outer 5 pixels, which
``masked_ssim(..., strict=True)`` without a mask reproduces; the default averages the whole map, for that identity.

Nothing is clamped: a prediction outside [0, 1] is scored as it is. Maps and sums are in float64 (float32 on devices
without it).
NaN means *not measured*, so a prediction or target that is not finite is an error and never a NaN score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from monai_srgan.metrics.checks import as_data_range, as_image, as_pair, as_region, working_precision
from monai_srgan.metrics.ssim import WEIGHTS, check_window, dissimilarity_map, ssim_constants, window_centers
from monai_srgan.metrics.strip_sums import strip_sums

__all__ = [
    "METRICS",
    "RegionValues",
    "masked_bias",
    "masked_mean",
    "masked_mse",
    "masked_psnr",
    "masked_ssim",
    "region_scores",
]

METRICS = ("psnr", "ssim", "mse", "bias")
"""Names of the scores in :func:`region_scores`, beside ``pixels``."""

RegionValues = dict[tuple[str, str], torch.Tensor]
"""``{(region, metric): (B,) values}``, what every score of an evaluation returns: ``values["head", "psnr"]``."""


def masked_mean(values: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of a map over the pixels of a region.

    Args:
        values: ``(B, C, H, W)`` floating point.
        mask: region, ``(B, 1, H, W)`` or ``(B, C, H, W)``, bool or of values 0 and 1. None: the whole image.

    Returns:
        ``(B,)`` float64; NaN where the region is empty.

    Raises:
        TypeError: if `values` is not a floating point tensor.
        ValueError: if shapes disagree, a value is not finite, or the mask has values beside 0 and 1.
    """
    values = working_precision(as_image(values, "values"), "values")
    return _region_mean(values, as_region(mask, values))


def masked_mse(pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Mean squared error over the pixels of a region.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, any range; not clamped.
        target: reference of the same shape.
        mask: region, ``(B, 1, H, W)`` or ``(B, C, H, W)``, bool or of values 0 and 1. None: the whole image.

    Returns:
        ``(B,)`` float64; NaN where the region is empty.

    Raises:
        TypeError: if an image is not a floating point tensor.
        ValueError: if shapes disagree, a value is not finite, or the mask has values beside 0 and 1.
    """
    pred, target, region = _checked(pred, target, mask)
    return _region_mean((pred - target).square(), region)


def masked_psnr(
    pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None = None, data_range: float = 1.0
) -> torch.Tensor:
    """Peak signal-to-noise ratio over the pixels of a region, in dB: ``10 log10(data_range^2 / MSE)``.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point; not clamped.
        target: reference of the same shape.
        mask: region as in :func:`masked_mse`.
        data_range: the range L of the images, 1 for this package's [0, 1]; never guessed from the data.

    Returns:
        ``(B,)`` float64 dB; ``inf`` where prediction and target are identical, NaN where the region is empty.

    Raises:
        TypeError: as :func:`masked_mse`.
        ValueError: as :func:`masked_mse`, or if ``data_range`` is not positive.
    """
    return _psnr(masked_mse(pred, target, mask), as_data_range(data_range))


def masked_ssim(
    pred: torch.Tensor,
    target: torch.Tensor,
    mask: torch.Tensor | None = None,
    data_range: float = 1.0,
    strict: bool = False,
) -> torch.Tensor:
    """Structural similarity of a region: the image's SSIM map averaged over the region's pixels.

    Near the region's border the windows extend up to 5 pixels across it. ``strict=True`` averages only the windows that
    lie wholly inside the region and the image, so that nothing outside has any influence; small regions may then have
    no window at all.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, H and W at least 11; not clamped.
        target: reference of the same shape.
        mask: region as in :func:`masked_mse`.
        data_range: the range L of the images.
        strict: use only windows wholly inside the region. Without a mask this is scikit-image's scalar.

    Returns:
        ``(B,)`` float64, at most 1; NaN where the region is empty or, with ``strict``, where no window fits.

    Raises:
        TypeError: as :func:`masked_mse`.
        ValueError: as :func:`masked_psnr`, or if the image is smaller than the window.
    """
    pred, target, region = _checked(pred, target, mask)
    similarity = 1.0 - dissimilarity_map(pred, target, as_data_range(data_range))
    return _region_mean(similarity, window_centers(region) if strict else region)


def masked_bias(pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of ``pred - target`` over the pixels of a region: positive where the prediction is too bright.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point; not clamped.
        target: reference of the same shape.
        mask: region as in :func:`masked_mse`.

    Returns:
        ``(B,)`` float64 in units of the images; NaN where the region is empty.

    Raises:
        TypeError: as :func:`masked_mse`.
        ValueError: as :func:`masked_mse`.
    """
    pred, target, region = _checked(pred, target, mask)
    return _region_mean(pred - target, region)


def region_scores(
    pred: torch.Tensor, target: torch.Tensor, masks: Mapping[str, torch.Tensor], data_range: float = 1.0
) -> RegionValues:
    """PSNR, SSIM, MSE and bias of several regions, from one error map and one SSIM map.

    Several times faster than one call for each region and score. Gradients flow where the images require them, by a
    slower path.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, H and W at least 11; not clamped.
        target: reference of the same shape.
        masks: region name to mask, as in :func:`masked_mse` (see :func:`monai_srgan.metrics.region_masks`).
        data_range: the range L of the images.

    Returns:
        ``{(region, "psnr" | "ssim" | "mse" | "bias" | "pixels"): (B,) float64}``, region by region; ``pixels`` is the
        region's size in pixels, whatever the number of channels.

    Raises:
        TypeError: as :func:`masked_mse`.
        ValueError: as :func:`masked_ssim`.

    Example:
        >>> image = torch.rand(2, 1, 32, 32)
        >>> scores = region_scores(image + 0.1, image, {"whole": torch.ones(2, 1, 32, 32)})
        >>> [round(value, 3) for value in scores["whole", "psnr"].tolist()]
        [20.0, 20.0]
    """
    pred, target = as_pair(pred, target)
    peak = as_data_range(data_range)
    regions = {name: as_region(mask, pred, f"masks[{name!r}]") for name, mask in masks.items()}
    sums = _fast_sums(pred, target, list(regions.values()), peak)
    if sums is None or not bool(torch.isfinite(sums).all()):
        sums = _plain_sums(pred, target, list(regions.values()), peak)
    scores: RegionValues = {}
    for region, (bias, mse, dissimilarity, count) in zip(regions, sums, strict=True):
        scores[region, "psnr"] = _psnr(mse / count, peak)  # 0 / 0 = NaN: not measured
        scores[region, "ssim"] = 1.0 - dissimilarity / count
        scores[region, "mse"] = mse / count
        scores[region, "bias"] = bias / count
        scores[region, "pixels"] = count / pred.shape[1]
    return scores


def _fast_sums(
    pred: torch.Tensor, target: torch.Tensor, regions: Sequence[torch.Tensor], data_range: float
) -> torch.Tensor | None:
    """:func:`strip_sums` of each image, ``(regions, 4, B)``; None where numpy cannot work on the tensors."""
    if pred.device.type != "cpu" or (torch.is_grad_enabled() and (pred.requires_grad or target.requires_grad)):
        return None
    check_window(pred)
    dtype = torch.promote_types(torch.promote_types(pred.dtype, target.dtype), torch.float32)
    images = [image.detach().to(dtype).numpy() for image in (pred, target)]
    arrays = [region.numpy() for region in regions]
    sums = np.zeros((len(pred), len(regions), 4))
    for item, channel in np.ndindex(*pred.shape[:2]):
        p, t = (image[item, channel] for image in images)
        masks = [array[item, channel] for array in arrays]
        sums[item] += strip_sums(p, t, masks, WEIGHTS, ssim_constants(data_range))
    return torch.from_numpy(sums).permute(1, 2, 0)


def _plain_sums(
    pred: torch.Tensor, target: torch.Tensor, regions: Sequence[torch.Tensor], data_range: float
) -> torch.Tensor:
    """The same on any device, differentiable, and for any finite values."""
    pred, target = working_precision(pred, "pred"), working_precision(target, "target")
    error = pred - target
    maps = (error, error.square(), dissimilarity_map(pred, target, data_range), torch.ones_like(error))
    sums = [torch.stack([_region_sum(values, region) for values in maps]) for region in regions]
    return torch.stack(sums) if sums else torch.empty(0, len(maps), len(pred))


def _checked(
    pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Check the arguments; return plain tensors in the working precision, and the region in the images' shape."""
    pred, target = as_pair(pred, target)
    pred, target = working_precision(pred, "pred"), working_precision(target, "target")
    return pred, target, as_region(mask, pred)


def _region_mean(values: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    return _region_sum(values, region) / region.flatten(1).sum(dim=1)  # 0 / 0 = NaN: not measured


def _region_sum(values: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    # where() and not a product: values outside must not enter the sum at all
    return torch.where(region, values, 0.0).flatten(1).sum(dim=1)


def _psnr(mse: torch.Tensor, data_range: float) -> torch.Tensor:
    return 10.0 * torch.log10(data_range**2 / mse)
