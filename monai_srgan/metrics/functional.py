# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""MSE, PSNR, SSIM and mean bias of a region: one value per image, NaN where the region is empty.

With the region's pixels :math:`R` (all channels), prediction :math:`p`, target :math:`t` and data range :math:`L`::

    MSE  = mean_R (p - t)^2          PSNR = 10 log10(L^2 / MSE)
    bias = mean_R (p - t)            SSIM = mean_R S(p, t)

where S is the SSIM map of Wang et al. 2004 (https://doi.org/10.1109/TIP.2003.819861): Gaussian window of 11x11 pixels,
sigma 1.5, K1 = 0.01, K2 = 0.03, population covariances. The map has the image's own size; at the borders the image is
continued by reflection with the edge pixel repeated. It is scikit-image's map, borders included, for
``structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True)``.

Averages over regions that partition an image therefore add up: ``n_in * x_in + n_out * x_out = n * x_whole`` for MSE,
SSIM and bias. Deviation from scikit-image's scalar: that averages the map without its outer 5 pixels, which
``masked_ssim(..., strict=True)`` without a mask reproduces; the default averages the whole map, for that identity.

Nothing is clamped: a prediction outside [0, 1] is scored as it is. Maps and sums are in float64 (float32 on devices
without it).
NaN means *not measured*, so a prediction or target that is not finite is an error and never a NaN score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn import functional as F

from monai_srgan.metrics.banded import gaussian_weights
from monai_srgan.metrics.strip_sums import strip_sums
from monai_srgan.metrics.windowed import windowed_sums

__all__ = [
    "METRICS",
    "SSIM_SETTINGS",
    "masked_bias",
    "masked_mse",
    "masked_psnr",
    "masked_ssim",
    "region_scores",
    "ssim_map",
]

METRICS = ("psnr", "ssim", "mse", "bias")
"""Names of the scores in :func:`region_scores`, beside ``pixels``."""

_SIGMA = 1.5
_RADIUS = 5  # 3.5 sigma, rounded: the 11-pixel window of the paper and of scikit-image
_WINDOW = 2 * _RADIUS + 1
_K1, _K2 = 0.01, 0.03
_WEIGHTS = gaussian_weights(_SIGMA, _RADIUS)

SSIM_SETTINGS: dict[str, object] = {
    "window": "gaussian",
    "window_size": _WINDOW,
    "sigma": _SIGMA,
    "K1": _K1,
    "K2": _K2,
    "use_sample_covariance": False,
    "border": "reflect, edge pixel repeated",
    "average": "map over the region's pixels",
}
"""The settings of the SSIM, to be published with every value."""


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
    return _psnr(masked_mse(pred, target, mask), _checked_range(data_range))


def masked_ssim(
    pred: torch.Tensor,
    target: torch.Tensor,
    mask: torch.Tensor | None = None,
    data_range: float = 1.0,
    strict: bool = False,
) -> torch.Tensor:
    """Structural similarity of a region: the image's SSIM map averaged over the region's pixels.

    Near the region's border the windows look up to 5 pixels across it. ``strict=True`` averages only the windows that
    lie wholly inside the region (and inside the image), so that nothing outside has any influence; small regions then
    have no window at all.

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
    similarity = _ssim_map(pred, target, _checked_range(data_range))
    return _region_mean(similarity, _window_centres(region) if strict else region)


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


def ssim_map(pred: torch.Tensor, target: torch.Tensor, data_range: float = 1.0) -> torch.Tensor:
    """SSIM of the window around every pixel (see the module's text for the settings).

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, H and W at least 11.
        target: reference of the same shape.
        data_range: the range L of the images.

    Returns:
        ``(B, C, H, W)`` float64, at most 1; differentiable.

    Raises:
        TypeError: as :func:`masked_mse`.
        ValueError: as :func:`masked_psnr`, or if the image is smaller than the window.
    """
    pred, target, _ = _checked(pred, target, None)
    return _ssim_map(pred, target, _checked_range(data_range))


def region_scores(
    pred: torch.Tensor, target: torch.Tensor, masks: Mapping[str, torch.Tensor], data_range: float = 1.0
) -> dict[str, dict[str, torch.Tensor]]:
    """All scores on several regions from one error map and one SSIM map.

    Several times faster than one call for each region and score. Gradients flow where they are asked for, by a slower
    way.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, H and W at least 11; not clamped.
        target: reference of the same shape.
        masks: region name to mask, as in :func:`masked_mse` (see :func:`monai_srgan.metrics.region_masks`).
        data_range: the range L of the images.

    Returns:
        ``{region: {"psnr" | "ssim" | "mse" | "bias" | "pixels": (B,) float64}}``; ``pixels`` is the region's size in
        pixels, whatever the number of channels.

    Raises:
        TypeError: as :func:`masked_mse`.
        ValueError: as :func:`masked_ssim`.
    """
    pred, target = _checked_images(pred, target)
    peak = _checked_range(data_range)
    regions = {name: _checked_mask(mask, pred, f"masks[{name!r}]") for name, mask in masks.items()}
    sums = _fast_sums(pred, target, list(regions.values()), peak)
    if sums is None or not bool(torch.isfinite(sums).all()):
        sums = _plain_sums(pred, target, list(regions.values()), peak)
    bias, mse, dissimilarity, count = sums.unbind(dim=1)
    mse = mse / count  # 0 / 0 = NaN: not measured
    values = {
        "psnr": _psnr(mse, peak),
        "ssim": 1.0 - dissimilarity / count,
        "mse": mse,
        "bias": bias / count,
        "pixels": count / pred.shape[1],
    }
    return {name: {metric: value[i] for metric, value in values.items()} for i, name in enumerate(regions)}


def _fast_sums(
    pred: torch.Tensor, target: torch.Tensor, regions: Sequence[torch.Tensor], data_range: float
) -> torch.Tensor | None:
    """:func:`strip_sums` of each image, ``(regions, 4, B)``; None where numpy cannot work on the tensors."""
    if pred.device.type != "cpu" or (torch.is_grad_enabled() and (pred.requires_grad or target.requires_grad)):
        return None
    _check_window(pred)
    dtype = torch.promote_types(torch.promote_types(pred.dtype, target.dtype), torch.float32)
    images = [image.detach().to(dtype).numpy() for image in (pred, target)]
    arrays = [region.numpy() for region in regions]
    sums = np.zeros((len(pred), len(regions), 4))
    for item, channel in np.ndindex(*pred.shape[:2]):
        p, t = (image[item, channel] for image in images)
        masks = [array[item, channel] for array in arrays]
        sums[item] += strip_sums(p, t, masks, _WEIGHTS, _constants(data_range))
    return torch.from_numpy(sums).permute(1, 2, 0)


def _plain_sums(
    pred: torch.Tensor, target: torch.Tensor, regions: Sequence[torch.Tensor], data_range: float
) -> torch.Tensor:
    """The same on any device, differentiable, and for any finite values."""
    pred, target = _working(pred, target)
    error = pred - target
    maps = (error, error.square(), _dissimilarity_map(pred, target, data_range), torch.ones_like(error))
    sums = [torch.stack([_region_sum(values, region) for values in maps]) for region in regions]
    return torch.stack(sums) if sums else torch.empty(0, len(maps), len(pred))


def _checked(
    pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Guard the arguments; return plain tensors in the working precision and the region as bool of the images' shape.

    Raises:
        TypeError: see :func:`masked_mse`.
        ValueError: see :func:`masked_mse`.
    """
    pred, target = _working(*_checked_images(pred, target))
    return pred, target, _checked_mask(mask, pred, "mask")


def require_floating(image: object, name: str) -> None:
    """See that an image is a floating point tensor.

    Args:
        image: the image.
        name: what it is called, for the error.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(image, torch.Tensor) or not image.is_floating_point():
        found = image.dtype if isinstance(image, torch.Tensor) else type(image).__name__
        raise TypeError(f"{name} must be a floating point tensor, got {found}: convert it with .float()")


def _checked_images(pred: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Guard type and shape; return plain tensors on the device of the prediction."""
    for name, image in (("pred", pred), ("target", target)):
        require_floating(image, name)
        if image.ndim != 4:
            raise ValueError(
                f"{name} must have shape (B, C, H, W), got {tuple(image.shape)}: add the batch dimension with [None]"
            )
    if pred.shape != target.shape:
        raise ValueError(f"pred and target must have the same shape, got {tuple(pred.shape)} and {tuple(target.shape)}")
    # MetaTensor's bookkeeping costs more than the arithmetic
    pred, target = pred.as_subclass(torch.Tensor), target.as_subclass(torch.Tensor).to(pred.device)
    return pred.resolve_neg(), target.resolve_neg()


def _working(pred: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The images in the working precision; values that are not finite are refused."""
    dtype = torch.float32 if pred.device.type == "mps" else torch.float64  # MPS has no float64
    pred, target = pred.to(dtype), target.to(dtype)
    for name, image in (("pred", pred), ("target", target)):
        if not bool(torch.isfinite(image).all()):
            raise ValueError(f"{name} has NaN or infinite values, and a NaN score is reserved for empty regions")
    return pred, target


def _checked_mask(mask: torch.Tensor | None, image: torch.Tensor, name: str) -> torch.Tensor:
    if mask is None:
        return torch.ones(image.shape, dtype=torch.bool, device=image.device)
    if not isinstance(mask, torch.Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(mask).__name__}: convert it with torch.as_tensor")
    mask = mask.as_subclass(torch.Tensor).to(image.device)
    b, c, h, w = image.shape
    if tuple(mask.shape) not in ((b, 1, h, w), (b, c, h, w)):
        raise ValueError(
            f"{name} must have shape {(b, 1, h, w)} or {(b, c, h, w)} to match the images, got {tuple(mask.shape)}"
        )
    if mask.dtype != torch.bool:
        if not bool(((mask == 0) | (mask == 1)).all()):
            raise ValueError(f"{name} must be bool or hold only 0 and 1: threshold a soft mask first, e.g. mask >= 0.5")
        mask = mask == 1
    return mask.expand(image.shape)


def _checked_range(data_range: float) -> float:
    if not 0 < data_range < math.inf:
        raise ValueError(f"data_range must be positive and finite, got {data_range}: it is 1 for images in [0, 1]")
    return float(data_range)


def _region_mean(values: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    return _region_sum(values, region) / region.flatten(1).sum(dim=1)  # 0 / 0 = NaN: not measured


def _region_sum(values: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    # where() and not a product: what lies outside must not enter the sum at all
    return torch.where(region, values, 0.0).flatten(1).sum(dim=1)


def _psnr(mse: torch.Tensor, data_range: float) -> torch.Tensor:
    return 10.0 * torch.log10(data_range**2 / mse)


def _window_centres(region: torch.Tensor) -> torch.Tensor:
    """The pixels whose whole window lies in the region and in the image."""
    outside = F.pad((~region).float(), (_RADIUS,) * 4, value=1.0)
    return F.max_pool2d(outside, _WINDOW, stride=1) == 0


def _constants(data_range: float) -> tuple[float, float]:
    return (_K1 * data_range) ** 2, (_K2 * data_range) ** 2


def _check_window(image: torch.Tensor) -> None:
    if min(image.shape[-2:]) < _WINDOW:
        raise ValueError(
            f"the image must be at least as large as the SSIM window of {_WINDOW}x{_WINDOW} pixels, "
            f"got {tuple(image.shape[-2:])}: score PSNR, MSE and bias only, or pad the image"
        )


def _ssim_map(pred: torch.Tensor, target: torch.Tensor, data_range: float) -> torch.Tensor:
    return 1.0 - _dissimilarity_map(pred, target, data_range)


def _dissimilarity_map(pred: torch.Tensor, target: torch.Tensor, data_range: float) -> torch.Tensor:
    """``1 - SSIM`` by the formula in the text of :mod:`monai_srgan.metrics.strip_sums`: four blurs instead of five."""
    _check_window(pred)
    c1, c2 = _constants(data_range)
    total, error = pred + target, pred - target
    mean_s, mean_d, ss, dd = _blur(torch.stack((total, error, total.square(), error.square()))).unbind()
    bias, var_d = mean_d.square(), dd - mean_d.square()
    a, v = mean_s.square() + 2 * c1, ss - mean_s.square() + 2 * c2
    return 2 * (a * var_d + bias * v) / ((a + bias) * (v + var_d))


def _blur(x: torch.Tensor) -> torch.Tensor:
    """Separable Gaussian window over the last two dimensions, of the same size."""
    return windowed_sums(windowed_sums(x, _WEIGHTS, -2), _WEIGHTS, -1)
