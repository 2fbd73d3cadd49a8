# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Ways to make a low-resolution slice, those of the bars for unknown measurements and others.

Images are ``(1, 1, H, W)`` float64, 1 being the slice's 99.9th percentile; H and W are divisible by 4. All results lie
on the grid of :mod:`monai_srgan.physics` except those of :func:`nearest`, whose pixels are half an HR pixel off.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from monai_srgan.physics import (
    BicubicDownsample,
    GaussianDownsample,
    KSpaceDownsample,
    PerAxisDownsample,
    WindowedKSpaceDownsample,
)

__all__ = ["BARRED", "OTHERS", "SCALE", "Degradation"]

Degradation = Callable[[Tensor, np.random.Generator], Tensor]

SCALE = 4
"""Ratio of the two grids."""

_EDGE = 0.5 / SCALE  # of LR's band, in cycles per HR pixel


def gaussian(hr: Tensor, sigma: float = 1.5) -> Tensor:
    """Gaussian blur of `sigma` HR pixels, then cubic decimation: the bundle's default with 1.5."""
    return GaussianDownsample(SCALE, sigma)(hr)


def anisotropic_gaussian(hr: Tensor, sigma_x: float, sigma_y: float) -> Tensor:
    """Gaussian blur with another sigma along each axis, then cubic decimation."""
    return PerAxisDownsample(GaussianDownsample(SCALE, sigma_x), GaussianDownsample(SCALE, sigma_y))(hr)


def antialiased_bicubic(hr: Tensor) -> Tensor:
    """MATLAB's imresize."""
    return BicubicDownsample(SCALE)(hr)


def box_average(hr: Tensor) -> Tensor:
    """Mean of each cell of 4 x 4 pixels."""
    return F.avg_pool2d(hr, SCALE)


def nearest(hr: Tensor) -> Tensor:
    """The third pixel of each cell along both axes."""
    return F.interpolate(hr, scale_factor=1 / SCALE, mode="nearest-exact")


def bilinear(hr: Tensor) -> Tensor:
    """Linear interpolation at the cell centers without a filter, as MONAI's Resize does by default."""
    return F.interpolate(hr, scale_factor=1 / SCALE, mode="bilinear", align_corners=False)


def pillow(hr: Tensor, method: Image.Resampling) -> Tensor:
    """Pillow's reduction of a float image, whose filter is widened by the scale."""
    rows, columns = (size // SCALE for size in hr.shape[-2:])
    picture = Image.fromarray(hr[0, 0].numpy().astype(np.float32)).resize((columns, rows), method)
    return torch.from_numpy(np.array(picture)).to(hr)[None, None]


def k_space(hr: Tensor) -> Tensor:
    """Truncation of k-space to a quarter along each axis."""
    return KSpaceDownsample(SCALE)(hr)


def hamming_k_space(hr: Tensor) -> Tensor:
    """Truncation of k-space with a Hamming window over what is kept."""
    return KSpaceDownsample(SCALE, taper=1.0, pedestal=0.08)(hr)


def elliptical_k_space(hr: Tensor) -> Tensor:
    """Truncation of k-space without its corners: an ellipse in the rectangle of LR."""
    return WindowedKSpaceDownsample(SCALE)(hr)


def zero_filled(hr: Tensor, filled_x: float, filled_y: float) -> Tensor:
    """Truncation to a fraction of LR's band along each axis; the rest of LR's k-space is zero."""
    return PerAxisDownsample(KSpaceDownsample(SCALE, support=filled_x), KSpaceDownsample(SCALE, support=filled_y))(hr)


def partial_fourier(hr: Tensor, measured: float) -> Tensor:
    """Magnitude from a fraction above 0.5 of the phase-encoding lines; the others, on one side, are zero."""
    _, f_y = _frequencies(hr)
    image = _filtered(hr, f_y >= -(2 * measured - 1) * _EDGE)
    return torch.hypot(k_space(image.real), k_space(image.imag))


def rician(lr: Tensor, level: float, rng: np.random.Generator) -> Tensor:
    """Magnitude of the image with Gaussian noise of standard deviation `level` in both channels."""
    real, imaginary = torch.from_numpy(rng.normal(scale=level, size=(2, *lr.shape)))
    return torch.hypot(lr + real, imaginary)


def eight_bits(lr: Tensor) -> Tensor:
    """Rounded to 256 levels between 0 and 1, and clipped."""
    return (lr.clamp(0, 1) * 255).round() / 255


def _frequencies(hr: Tensor) -> tuple[Tensor, Tensor]:
    """Frequencies in cycles per pixel along the two axes, ``(H, 1)`` and ``(1, W)``."""
    rows, columns = (torch.fft.fftfreq(size, dtype=hr.dtype) for size in hr.shape[-2:])
    return rows[:, None], columns[None, :]


def _filtered(hr: Tensor, kept: Tensor) -> Tensor:
    """The complex image of the kept frequencies, `kept` being bool and ``(H, W)`` after broadcasting."""
    return torch.fft.ifft2(torch.fft.fft2(hr) * kept)


BARRED: dict[str, Degradation] = {
    "default": lambda hr, _: gaussian(hr),
    "sigma 1.0": lambda hr, _: gaussian(hr, 1.0),
    "sigma 2.0": lambda hr, _: gaussian(hr, 2.0),
    "antialiased bicubic": lambda hr, _: antialiased_bicubic(hr),
    "k-space truncation": lambda hr, _: k_space(hr),
    "k-space truncation + 2 % noise": lambda hr, rng: rician(k_space(hr), 0.02, rng),
    "default + 2 % noise": lambda hr, rng: rician(gaussian(hr), 0.02, rng),
}
"""Degradations for which a mean gain is required."""

OTHERS: dict[str, Degradation] = {
    "sigma 0.5": lambda hr, _: gaussian(hr, 0.5),
    "sigma 2.5": lambda hr, _: gaussian(hr, 2.5),
    "sigma 3.0": lambda hr, _: gaussian(hr, 3.0),
    "sigma 1.0 x 2.0": lambda hr, _: anisotropic_gaussian(hr, 1.0, 2.0),
    "box average": lambda hr, _: box_average(hr),
    "nearest": lambda hr, _: nearest(hr),
    "bilinear": lambda hr, _: bilinear(hr),
    "antialiased bilinear": lambda hr, _: pillow(hr, Image.Resampling.BILINEAR),
    "Lanczos": lambda hr, _: pillow(hr, Image.Resampling.LANCZOS),
    "k-space, Hamming window": lambda hr, _: hamming_k_space(hr),
    "k-space, ellipse": lambda hr, _: elliptical_k_space(hr),
    "k-space, 0.8 x 0.6 of LR filled": lambda hr, _: zero_filled(hr, 0.8, 0.6),
    "k-space, partial Fourier 6/8": lambda hr, _: partial_fourier(hr, 0.75),
    "k-space truncation + 5 % noise": lambda hr, rng: rician(k_space(hr), 0.05, rng),
    "k-space truncation + 8 % noise": lambda hr, rng: rician(k_space(hr), 0.08, rng),
    "default + 5 % noise": lambda hr, rng: rician(gaussian(hr), 0.05, rng),
    "default + 8 % noise": lambda hr, rng: rician(gaussian(hr), 0.08, rng),
    "default, 8 bits": lambda hr, _: eight_bits(gaussian(hr)),
}
"""Degradations for which no slice may be worse than bicubic interpolation, unless it is declined."""
