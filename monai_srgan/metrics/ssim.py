# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""The SSIM map of Wang et al. 2004 (https://doi.org/10.1109/TIP.2003.819861).

Gaussian window of 11x11 pixels, sigma 1.5, K1 = 0.01, K2 = 0.03, population covariances. The map has the size of the
image; at the borders the image is continued by reflection with the edge pixel repeated. It equals scikit-image's map,
borders included, for ``structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
full=True)``.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from monai_srgan.metrics.banded import gaussian_weights
from monai_srgan.metrics.checks import as_data_range, as_pair, working_precision
from monai_srgan.metrics.windowed import windowed_sums

__all__ = [
    "SSIM_SETTINGS",
    "WEIGHTS",
    "check_window",
    "dissimilarity_map",
    "ssim_constants",
    "ssim_map",
    "window_centers",
]

_SIGMA = 1.5
_RADIUS = 5  # 3.5 sigma, rounded: the 11-pixel window of the paper and of scikit-image
_WINDOW = 2 * _RADIUS + 1
_K1, _K2 = 0.01, 0.03

WEIGHTS = gaussian_weights(_SIGMA, _RADIUS)
"""The window along one axis."""

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


def ssim_map(pred: torch.Tensor, target: torch.Tensor, data_range: float = 1.0) -> torch.Tensor:
    """SSIM of the window around every pixel.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, H and W at least 11; not clamped.
        target: reference of the same shape.
        data_range: the range L of the images.

    Returns:
        ``(B, C, H, W)`` float64, at most 1; differentiable.

    Raises:
        TypeError: if an image is not a floating point tensor.
        ValueError: if the shapes differ, a value is not finite, ``data_range`` is not positive, or the image is smaller
            than the window.
    """
    pred, target = as_pair(pred, target)
    pred, target = working_precision(pred, "pred"), working_precision(target, "target")
    return 1.0 - dissimilarity_map(pred, target, as_data_range(data_range))


def dissimilarity_map(pred: torch.Tensor, target: torch.Tensor, data_range: float) -> torch.Tensor:
    """``1 - SSIM`` by the formula in :mod:`monai_srgan.metrics.strip_sums`, which needs four blurs instead of five.

    Args:
        pred: ``(B, C, H, W)``, checked and in the working precision.
        target: likewise.
        data_range: the range L of the images.

    Raises:
        ValueError: if the image is smaller than the window.
    """
    check_window(pred)
    c1, c2 = ssim_constants(data_range)
    total, error = pred + target, pred - target
    mean_s, mean_d, ss, dd = _blur(torch.stack((total, error, total.square(), error.square()))).unbind()
    bias, var_d = mean_d.square(), dd - mean_d.square()
    a, v = mean_s.square() + 2 * c1, ss - mean_s.square() + 2 * c2
    return 2 * (a * var_d + bias * v) / ((a + bias) * (v + var_d))


def window_centers(region: torch.Tensor) -> torch.Tensor:
    """The pixels whose whole window lies in the region and in the image.

    Args:
        region: ``(B, C, H, W)`` bool.
    """
    outside = F.pad((~region).float(), (_RADIUS,) * 4, value=1.0)
    return F.max_pool2d(outside, _WINDOW, stride=1) == 0


def ssim_constants(data_range: float) -> tuple[float, float]:
    """The constants c1 and c2 for a range of the images."""
    return (_K1 * data_range) ** 2, (_K2 * data_range) ** 2


def check_window(image: torch.Tensor) -> None:
    """Check that an image is as large as the window.

    Raises:
        ValueError: if it is smaller.
    """
    if min(image.shape[-2:]) < _WINDOW:
        raise ValueError(
            f"the image must be at least as large as the SSIM window of {_WINDOW}x{_WINDOW} pixels, "
            f"got {tuple(image.shape[-2:])}: score PSNR, MSE and bias only, or pad the image"
        )


def _blur(x: torch.Tensor) -> torch.Tensor:
    """Separable Gaussian window over the last two dimensions, of the same size."""
    return windowed_sums(windowed_sums(x, WEIGHTS, -2), WEIGHTS, -1)
