# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Fourier spectra of images whose opposite borders do not match.

The transform continues an image periodically. Where tissue reaches the border, as the neck does in sagittal slices, the
jump to the opposite border fills both axes of the spectrum, alike in every image of that slice: without a window,
bicubic interpolation of such slices seems to correlate with the original by 0.5 up to the Nyquist frequency. A Tukey
window that falls to 0 over the outer eighth of each side removes that (the correlation is then below 0.05) and leaves
most of the head as it is, which a Hann window would not.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from scipy.signal.windows import tukey

__all__ = ["FrequencyGrid", "frequency_grid", "spectral_power", "windowed_spectrum"]

_TAPERED = 0.25  # share of an axis over which the window rises and falls, half at each end


@dataclass(frozen=True)
class FrequencyGrid:
    """Frequencies of the half spectrum of a real image ``(H, W)``, on the CPU.

    Attributes:
        first: ``(H, 1)`` float64, frequency along the first axis in cycles per pixel, in [-0.5, 0.5].
        second: ``(1, W // 2 + 1)`` float64, along the second axis, in [0, 0.5].
        weight: ``(1, W // 2 + 1)`` float64, 2 where a coefficient stands also for its conjugate, else 1: weighted sums
            over the half spectrum are sums over the whole one.
    """

    first: torch.Tensor
    second: torch.Tensor
    weight: torch.Tensor

    @property
    def radius(self) -> torch.Tensor:
        """``(H, W // 2 + 1)``, the absolute frequency in cycles per pixel."""
        return torch.hypot(self.first, self.second)


def frequency_grid(size: tuple[int, int]) -> FrequencyGrid:
    """Frequencies of :func:`windowed_spectrum` for images of `size` pixels."""
    height, width = size
    second = torch.fft.rfftfreq(width, dtype=torch.float64)[None]
    weight = torch.full_like(second, 2.0)
    weight[0, 0] = 1.0
    if width % 2 == 0:
        weight[0, -1] = 1.0
    return FrequencyGrid(torch.fft.fftfreq(height, dtype=torch.float64)[:, None], second, weight)


def windowed_spectrum(image: torch.Tensor) -> torch.Tensor:
    """Half spectrum of images under a Tukey window: ``rfft2(w x)``.

    Args:
        image: ``(B, C, H, W)`` floating point, in the precision wanted.

    Returns:
        ``(B, C, H, W // 2 + 1)`` complex.
    """
    rows, columns = (_window(size).to(image) for size in image.shape[-2:])
    return torch.fft.rfft2(image * rows[:, None] * columns)


def spectral_power(spectrum: torch.Tensor) -> torch.Tensor:
    """Power of all channels of ``(B, C, H, K)``: ``(B, H, K)``."""
    return (spectrum.real.square() + spectrum.imag.square()).sum(dim=1)


@functools.lru_cache(maxsize=16)
def _window(size: int) -> torch.Tensor:
    # its outermost zeros lie outside of the image, so that every pixel counts
    with torch.inference_mode(False):  # a cached inference tensor could not be used with gradients later
        return torch.from_numpy(tukey(size + 2, _TAPERED)[1:-1].copy())
