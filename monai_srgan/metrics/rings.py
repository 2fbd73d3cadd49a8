# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""Power and coherence of two images by ring of the spectrum: which detail is there, and which of it is right.

With P and T the spectra of prediction and target, and the sums over the coefficients of ring r, all channels::

    power     = 10 log10( sum |P|^2 / sum |T|^2 )                          (dB)
    coherence = Re sum P conj(T) / sqrt( sum |P|^2 * sum |T|^2 )           (Fourier ring correlation)

The correlation is that of Saxton & Baumeister 1982 (https://doi.org/10.1111/j.1365-2818.1982.tb00405.x). Invented
detail has the right power and no coherence. If the target is ``s + n`` and the prediction ``s + m`` with independent
noise of equal power, the coherence is ``SNR / (1 + SNR)``: noise of the target lowers it, too.

Rings have the same frequencies for every size of image, so that curves of several slices can be averaged. Images are
apodized, see :mod:`monai_srgan.metrics.spectrum`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch

from monai_srgan.metrics.checks import as_pair, working_precision
from monai_srgan.metrics.spectrum import frequency_grid, spectral_power, windowed_spectrum

__all__ = ["RING_WIDTH", "RingComparison", "compare_rings"]

RING_WIDTH = 1 / 128
"""Width of a ring in cycles per pixel: 64 rings to the Nyquist frequency, each 4 coefficients wide for 512 pixels."""

_ROUNDING = 64  # units in the last place of a spectrum's root mean square, below which a ring holds nothing


@dataclass(frozen=True)
class RingComparison:
    """Power and coherence of predictions and targets by ring, on the CPU.

    Attributes:
        frequency: ``(R,)`` float64, the rings' centers in cycles per pixel, from 0 to 0.5, the Nyquist frequency.
        power: ``(B, R)`` float64 dB, the prediction's power relative to the target's; -inf where it has none, NaN where
            the target has none or the ring holds no coefficient.
        coherence: ``(B, R)`` float64 in [-1, 1]; 0 where only the prediction has no power, NaN as for `power`.
    """

    frequency: torch.Tensor
    power: torch.Tensor
    coherence: torch.Tensor


def compare_rings(pred: torch.Tensor, target: torch.Tensor, ring_width: float = RING_WIDTH) -> RingComparison:
    """Compare images ring by ring.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, any range; not clamped.
        target: reference of the same shape.
        ring_width: width of a ring in cycles per pixel, in (0, 0.25]. Corners beyond the Nyquist frequency belong to
            no ring. In images of fewer than ``1 / ring_width`` pixels, some rings hold no coefficient.

    Raises:
        TypeError: if an image is not a floating point tensor.
        ValueError: if shapes disagree, a value is not finite, or `ring_width` is out of range.

    Example:
        >>> image = torch.rand(1, 1, 64, 48)
        >>> rings = compare_rings(0.5 * image, image, ring_width=0.125)
        >>> rings.frequency.tolist()
        [0.0, 0.125, 0.25, 0.375, 0.5]
        >>> rings.power.round(decimals=2).tolist()
        [[-6.02, -6.02, -6.02, -6.02, -6.02]]
    """
    if not 0 < ring_width <= 0.25:
        raise ValueError(f"ring_width must be in (0, 0.25] cycles per pixel, got {ring_width}: 1/128 is the default")
    pred, target = as_pair(pred, target)
    pred, target = working_precision(pred, "pred"), working_precision(target, "target")
    p, t = windowed_spectrum(pred), windowed_spectrum(target)
    size = (pred.shape[-2], pred.shape[-1])
    p_power, t_power = (_ring_sums(spectral_power(x), size, ring_width) for x in (p, t))
    common = _ring_sums((p.real * t.real + p.imag * t.imag).sum(dim=1), size, ring_width)
    rounding = (_ROUNDING * torch.finfo(pred.dtype).eps) ** 2 * _rings(size, ring_width).share
    p_power, t_power = (torch.where(x > rounding * x.sum(dim=1, keepdim=True), x, 0.0) for x in (p_power, t_power))
    product = torch.sqrt(p_power) * torch.sqrt(t_power)
    measured = t_power > 0
    coherence = torch.where(product > 0, common / product, 0.0).clamp(-1, 1)
    return RingComparison(
        frequency=ring_width * torch.arange(t_power.shape[1], dtype=torch.float64),
        power=torch.where(measured, 10 * torch.log10(p_power / t_power), math.nan),
        coherence=torch.where(measured, coherence, math.nan),
    )


def _ring_sums(values: torch.Tensor, size: tuple[int, int], ring_width: float) -> torch.Tensor:
    """Sums over the rings of a half spectrum ``(B, H, K)``: ``(B, R)`` float64 on the CPU."""
    rings = _rings(size, ring_width)
    values = (values.cpu().double() * frequency_grid(size).weight).flatten(1)
    sums = torch.zeros(len(values), rings.count + 1, dtype=torch.float64)
    return sums.index_add_(1, rings.index, values)[:, :-1]


@dataclass(frozen=True)
class _Rings:
    """The ring of each coefficient, `count` for those beyond Nyquist, and each ring's share of all coefficients."""

    index: torch.Tensor
    count: int
    share: torch.Tensor


@functools.lru_cache(maxsize=16)
def _rings(size: tuple[int, int], ring_width: float) -> _Rings:
    count = math.floor(0.5 / ring_width + 1e-9) + 1
    with torch.inference_mode(False):  # cached inference tensors could not be used with gradients later
        grid = frequency_grid(size)
        index = torch.round(grid.radius / ring_width).long().clamp(max=count).flatten()
        weight = grid.weight.expand(grid.radius.shape).flatten()
        share = torch.zeros(count + 1, dtype=torch.float64).index_add_(0, index, weight)[:-1] / weight.sum()
    return _Rings(index, count, share)
