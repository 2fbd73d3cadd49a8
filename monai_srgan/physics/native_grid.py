# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""Exact resampling between the grid that was acquired and the grid that a scanner interpolated to.

A scanner that fills k-space with zeros interpolates by the discrete Fourier transform. Cropping k-space to what was
acquired undoes it and loses nothing; filling it with zeros again restores the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from monai_srgan.physics.operators import single_precision
from monai_srgan.physics.support import SupportEstimate

__all__ = ["fourier_resize", "native_size"]

_NEARLY_FULL = 0.95  # a native grid above this part of the image's is not worth another grid
_SLACK = 1.04  # how much larger a native grid may be so that its pixels have exactly the image's shape


def fourier_resize(image: Tensor, size: Sequence[int], dims: Sequence[int] = (-2, -1)) -> Tensor:
    r"""Crop k-space to a smaller grid, or fill it with zeros for a larger one; the mean is preserved.

    ``y_j = 1/n sum_{|k| <= min(m, n) / 2} w_k X_k exp(2 pi i k p_j / n)`` along each axis, with n and m the old and the
    new size, X the discrete Fourier transform, and ``p_j = s j + (s - 1) / 2``, ``s = n / m``: both grids cover the
    same field of view, and the operation commutes with flips. If the smaller size q is even, the lines ``k = -q/2`` and
    ``k = q/2`` have weight 1/2 each, as in :class:`KSpaceDownsample`, whose result is this one for integer s. An image
    without content at ``|k| >= q / 2`` is restored by resizing forth and back.

    Args:
        image: real or complex floating point, any shape and range.
        size: new sizes of the axes `dims`, at least 1.
        dims: axes to resize.

    Returns:
        the resized image, real for a real image, of the same dtype; not clipped: values may leave the image's range.

    Raises:
        ValueError: `image` is not floating point or complex, or `size` and `dims` do not fit.

    Example:
        >>> coarse = torch.tensor([[1.0, 2.0, 4.0]])
        >>> fine = fourier_resize(coarse, [6], dims=[-1])
        >>> fourier_resize(fine, [3], dims=[-1])
        tensor([[1.0000, 2.0000, 4.0000]])
    """
    if not (image.is_floating_point() or image.is_complex()):
        raise ValueError(f"image must be floating point or complex, got {image.dtype}: convert it with .float()")
    if len(size) != len(dims) or any(int(n) != n or n < 1 for n in size):
        raise ValueError(f"size must hold one positive integer for each of the axes {tuple(dims)}, got {tuple(size)}")
    out = single_precision(image)
    for new, dim in zip(size, dims, strict=True):
        if new != image.shape[dim]:
            out = _resize_axis(out, int(new), dim)
    return out.to(image.dtype)


def native_size(estimate: SupportEstimate) -> tuple[int, int]:
    """The smallest grid that holds what was acquired along both axes.

    Both axes shrink by the same ratio, that of the axis that is filled most (its `upper` bound), so that pixels keep
    their shape; the other axis keeps its narrower band. Where the sizes have no common divisor that allows it, the
    ratios differ by less than two pixels. Sizes are even, and the image's own where it is not zero-filled along both
    axes or shrinks by less than 5 %.
    """
    size = tuple(axis.size for axis in estimate.axes)
    if not all(axis.zero_filled for axis in estimate.axes):
        return size[0], size[1]
    ratio = max(axis.upper / axis.size for axis in estimate.axes)
    if ratio > _NEARLY_FULL:
        return size[0], size[1]
    divisor = math.gcd(*size)
    steps = math.ceil(ratio * divisor - 1e-9)
    if any(n // divisor * steps % 2 for n in size):
        steps += 1
    if steps / divisor <= _SLACK * ratio:
        return size[0] // divisor * steps, size[1] // divisor * steps
    first, second = (2 * math.ceil(ratio * n / 2 - 1e-9) for n in size)
    return first, second


def _resize_axis(image: Tensor, new: int, dim: int) -> Tensor:
    old = image.shape[dim]
    kept = min(old, new)
    k = np.arange(-(kept // 2), kept // 2 + 1)
    weight = np.where(2 * np.abs(k) == kept, 0.5, 1.0) * (new / old)
    center = (old / new - 1) / 2  # where pixel 0 of the new grid lies on the old one
    factor = torch.from_numpy(weight * np.exp(2j * np.pi * k * center / old)).to(image.device)
    spectrum = torch.fft.fft(image.movedim(dim, -1))
    lines = spectrum[..., torch.from_numpy(np.mod(k, old)).to(image.device)] * factor.to(spectrum.dtype)
    filled = spectrum.new_zeros(*spectrum.shape[:-1], new)
    filled.index_add_(-1, torch.from_numpy(np.mod(k, new)).to(image.device), lines)
    out = torch.fft.ifft(filled).movedim(-1, dim)
    return out if image.is_complex() else out.real.contiguous()
