# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""Separable degradation operators from high to low resolution, each with its exact adjoint.

``y = A_H x A_W^T`` with one small matrix per axis. The adjoint ``A_H^T y A_W`` is exact up to rounding, including at
the borders.

All operators share one geometry: low-resolution pixel ``i`` lies at high-resolution index
``scale * i + (scale - 1) / 2``, the center of its cell. They therefore commute with flips, and one affine
(:func:`monai_srgan.transforms.scaled_affine`) describes the output of every operator.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from monai_srgan.physics.tensor_cache import TensorCache

__all__ = ["BicubicDownsample", "GaussianDownsample", "SeparableDownsample"]

_ROW_CELLS = 32  # LR pixels along an axis whose middle row gives the transfer function
_MAX_CACHED_MATRICES = 16  # enough for a few image sizes and dtypes; rebuilding a matrix takes a millisecond


def check_scale(scale: int) -> int:
    """Return `scale` as an int; raise ValueError unless it is an integer of at least 2."""
    if isinstance(scale, bool) or not isinstance(scale, Real) or not float(scale).is_integer() or scale < 2:
        raise ValueError(f"scale must be an integer of at least 2, got {scale!r}")
    return int(scale)


def check_input(x: Tensor, name: str) -> Tensor:
    """Return `x` without metadata; raise a ValueError that names it unless it is floating point ``(B, C, H, W)``."""
    if not isinstance(x, Tensor) or x.ndim != 4:
        got = tuple(x.shape) if hasattr(x, "shape") else type(x).__name__
        raise ValueError(f"{name} must be a tensor of shape (B, C, H, W), got {got}: add the missing axes with [None]")
    if not x.is_floating_point():
        raise ValueError(f"{name} must be floating point, got {x.dtype}: convert with .float() before any arithmetic")
    # A MetaTensor would keep the affine of the input grid and adds a millisecond to each product.
    return x if type(x) is Tensor else x.as_subclass(Tensor)


def check_divisible(size: torch.Size | tuple[int, ...], scale: int) -> None:
    """Raise ValueError unless every entry of `size` is a positive multiple of `scale`."""
    if any(n == 0 or n % scale for n in size):
        raise ValueError(f"spatial size must be divisible by {scale}, got {tuple(size)}: add DivisiblePadd(k={scale})")


def single_precision(x: Tensor) -> Tensor:
    """A float16 or bfloat16 image as float32, in which the physics is computed; any other as it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _cubic(t: np.ndarray, a: float) -> np.ndarray:
    """Keys' cubic convolution kernel with parameter `a`, support 2 (doi:10.1109/TASSP.1981.1163711)."""
    t = np.abs(t)
    inner = ((a + 2) * t - (a + 3)) * t * t + 1
    outer = a * (((t - 5) * t + 8) * t - 4)
    return np.where(t <= 1, inner, np.where(t < 2, outer, 0.0))


def _scatter(index: np.ndarray, weight: np.ndarray, size: int) -> np.ndarray:
    """Build the dense matrix with ``weight[i, k]`` added at ``[i, index[i, k]]``."""
    rows = np.arange(len(index))[:, None]
    flat = np.bincount((rows * size + index).ravel(), weights=weight.ravel(), minlength=len(index) * size)
    return flat.reshape(len(index), size)


def _reflected(index: np.ndarray, size: int) -> np.ndarray:
    """Fold indices into ``[0, size)`` by reflection without repeating the edge (torch and numpy ``reflect``)."""
    if size == 1:
        return np.zeros_like(index)
    folded = np.mod(index, 2 * size - 2)
    return np.minimum(folded, 2 * size - 2 - folded)


def _gaussian_taps(sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and weights of a Gaussian truncated at 4 sigma and normalized."""
    if sigma == 0:
        return np.zeros(1, dtype=int), np.ones(1)
    radius = int(4 * sigma + 0.5)
    taps = np.arange(-radius, radius + 1)
    weight = np.exp(-0.5 * (taps / sigma) ** 2)
    return taps, weight / weight.sum()


def _cubic_decimation_taps(size: int, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and weights, ``(size / scale, 4)``, of cubic interpolation (a = -0.75, edge repeated) at cell centers."""
    position = np.arange(size // scale)[:, None] * scale + (scale - 1) / 2
    index = np.floor(position).astype(int) + np.arange(-1, 3)
    return np.clip(index, 0, size - 1), _cubic(position - index, -0.75)


class SeparableDownsample(nn.Module):
    """Base class of the operators: ``y = A_H x A_W^T`` with the matrices of :meth:`axis_matrix`.

    A subclass implements :meth:`axis_matrix`, and extends :attr:`settings` if it takes further arguments. Both axes are
    degraded alike; :class:`PerAxisDownsample` combines two operators.

    Args:
        scale: ratio of the two grids, an integer of at least 2; both spatial sizes must be divisible by it.
    """

    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.scale = check_scale(scale)
        self._matrices: TensorCache[Tensor] = TensorCache(_MAX_CACHED_MATRICES)

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments that rebuild the operator, by name, as plain numbers."""
        return {"scale": self.scale}

    @property
    def description(self) -> str:
        """The operator in a few words, for reports and log messages."""
        return f"{type(self).__name__}({self.extra_repr()})"

    def axis_matrix(self, size: int) -> np.ndarray:
        """Matrix of the operator along an axis of `size` pixels: float64 ``(size / scale, size)``."""
        raise NotImplementedError

    def along(self, axis: int) -> SeparableDownsample:
        """The operator whose matrix acts along spatial axis 0 (H) or 1 (W)."""
        del axis
        return self

    def transfer(self, frequency: np.ndarray, axis: int) -> np.ndarray:
        """Transfer function along a spatial axis, far from the borders: ``H(f) = sum_j a_j cos(2 pi f (j - c))``.

        a is the row of the matrix for one LR pixel and c the center of its cell.

        Args:
            frequency: in cycles per LR pixel, >= 0; beyond 0.5 the LR grid sees it as an alias.
            axis: 0 (H) or 1 (W).

        Returns:
            float64 of the shape of `frequency`.
        """
        row = self.along(axis).axis_matrix(_ROW_CELLS * self.scale)[_ROW_CELLS // 2]
        center = self.scale * (_ROW_CELLS // 2) + (self.scale - 1) / 2
        distance = (np.arange(len(row)) - center) / self.scale
        return np.cos(2 * np.pi * np.asarray(frequency, dtype=float)[..., None] * distance) @ row

    def forward(self, x: Tensor) -> Tensor:
        """Degrade an image.

        Args:
            x: ``(B, C, H, W)`` floating point, any range; H and W divisible by `scale`. Metadata is dropped.

        Returns:
            ``(B, C, H / scale, W / scale)`` of the same dtype.

        Raises:
            ValueError: if `x` does not have four axes, is not floating point, or has a size not divisible by `scale`.
        """
        x = check_input(x, "x")
        self.check_size(x.shape[-2:])
        return self._multiply(x, "axis", (x.shape[-2], x.shape[-1]))

    def adjoint(self, y: Tensor) -> Tensor:
        """Apply the exact transpose of :meth:`forward`.

        Args:
            y: ``(B, C, h, w)`` floating point.

        Returns:
            ``(B, C, h * scale, w * scale)`` of the same dtype.
        """
        y = check_input(y, "y")
        return self._multiply(y, "axis", (y.shape[-2] * self.scale, y.shape[-1] * self.scale), transposed=True)

    def check_size(self, size: torch.Size | tuple[int, ...]) -> None:
        """Raise ValueError unless every entry of `size` is a positive multiple of `scale`."""
        check_divisible(size, self.scale)

    def extra_repr(self) -> str:
        """Settings for ``repr``."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())

    def _build(self, kind: str, size: int) -> np.ndarray:
        if kind != "axis":
            raise KeyError(kind)
        return self.axis_matrix(size)

    def _matrix(self, kind: str, size: int, like: Tensor) -> Tensor:
        key = (kind, size, like.dtype, like.device)
        return self._matrices.find(key, lambda: torch.from_numpy(self._build(kind, size)).to(like))

    def _multiply(self, x: Tensor, kind: str, size: tuple[int, int], *, transposed: bool = False) -> Tensor:
        work = single_precision(x)
        rows, columns = self.along(0)._matrix(kind, size[0], work), self.along(1)._matrix(kind, size[1], work)
        if transposed:
            rows, columns = rows.T, columns.T
        # Autocast would round the physics to bfloat16 within a training step.
        with torch.autocast(x.device.type, enabled=False):
            return torch.matmul(rows, torch.matmul(work, columns.T)).to(x.dtype)


class GaussianDownsample(SeparableDownsample):
    r"""Gaussian blur, then cubic interpolation at the cell centers: ``y = S (g_sigma * x)``.

    The blur is truncated at 4 sigma, normalized, and reflected at the borders without repeating the edge pixel
    (``reflect`` in torch, ``mirror`` in scipy.ndimage). The decimation equals ``F.interpolate(mode="bicubic",
    align_corners=False, antialias=False)`` of the blurred image: Keys' kernel with a = -0.75 on four pixels. For even
    scales the center lies between two pixels and the weights are (-3, 19, 19, -3) / 32; for odd scales it is a pixel.

    Args:
        scale: ratio of the two grids, an integer of at least 2.
        sigma: standard deviation of the blur in HR pixels, >= 0; None for ``(scale - 1) / 2``; 0 for no blur.

    Example:
        >>> x = torch.zeros(1, 1, 12, 12)
        >>> x[..., 5, 5] = 160.0
        >>> GaussianDownsample(scale=4)(x)[0, 0].round()
        tensor([[ 0.,  1.,  0.],
                [ 1., 10.,  0.],
                [ 0.,  0.,  0.]])
    """

    def __init__(self, scale: int = 4, sigma: float | None = None) -> None:
        super().__init__(scale)
        sigma = (self.scale - 1) / 2 if sigma is None else float(sigma)
        if not (np.isfinite(sigma) and sigma >= 0):
            raise ValueError(f"sigma must be a finite number of HR pixels >= 0, got {sigma}: use 0 for no blur")
        self.sigma = sigma

    def axis_matrix(self, size: int) -> np.ndarray:
        """Matrix of the operator along an axis of `size` pixels: float64 ``(size / scale, size)``."""
        index, weight = _cubic_decimation_taps(size, self.scale)
        offset, gaussian = _gaussian_taps(self.sigma)
        index = _reflected(index[:, :, None] + offset, size)
        return _scatter(index.reshape(len(index), -1), (weight[:, :, None] * gaussian).reshape(len(index), -1), size)

    @property
    def settings(self) -> dict[str, Any]:
        """``scale`` and ``sigma``."""
        return {"scale": self.scale, "sigma": self.sigma}

    @property
    def description(self) -> str:
        """For example "4x, Gaussian blur with sigma 1.5 pixels"."""
        return f"{self.scale}x, Gaussian blur with sigma {self.sigma:g} pixels"

    def blur(self, x: Tensor) -> Tensor:
        """Apply only the blur: ``(B, C, H, W)`` to the same shape, any H and W."""
        x = check_input(x, "x")
        return x if self.sigma == 0 else self._multiply(x, "blur", (x.shape[-2], x.shape[-1]))

    def decimate(self, x: Tensor) -> Tensor:
        """Apply only the decimation: ``(B, C, H, W)`` to ``(B, C, H / scale, W / scale)``."""
        x = check_input(x, "x")
        self.check_size(x.shape[-2:])
        return self._multiply(x, "decimate", (x.shape[-2], x.shape[-1]))

    def _build(self, kind: str, size: int) -> np.ndarray:
        if kind == "blur":
            offset, gaussian = _gaussian_taps(self.sigma)
            index = _reflected(np.arange(size)[:, None] + offset, size)
            return _scatter(index, np.broadcast_to(gaussian, index.shape), size)
        if kind == "decimate":
            return _scatter(*_cubic_decimation_taps(size, self.scale), size)
        return super()._build(kind, size)


class BicubicDownsample(SeparableDownsample):
    """Antialiased bicubic reduction, as MATLAB's ``imresize(x, 1 / scale)``: the usual degradation in the literature.

    Keys' kernel with a = -0.5 is widened by `scale`, its weights are normalized, and the borders are symmetric (edge
    pixel repeated). ``F.interpolate(mode="bicubic", antialias=True)`` uses the same kernel and differs only within
    ``2 * scale`` HR pixels of the border, where it truncates the kernel. Results are not rounded to 8 bits; papers that
    store images as PNG files do round.

    Args:
        scale: ratio of the two grids, an integer of at least 2.
    """

    @property
    def description(self) -> str:
        """For example "4x, antialiased bicubic"."""
        return f"{self.scale}x, antialiased bicubic"

    def axis_matrix(self, size: int) -> np.ndarray:
        """Matrix of the operator along an axis of `size` pixels: float64 ``(size / scale, size)``."""
        s = self.scale
        position = np.arange(size // s)[:, None] * s + (s - 1) / 2
        index = np.floor(position).astype(int) + np.arange(-2 * s, 2 * s + 1)
        weight = _cubic((position - index) / s, -0.5)
        folded = np.mod(index, 2 * size)
        folded = np.minimum(folded, 2 * size - 1 - folded)
        return _scatter(folded, weight / weight.sum(axis=1, keepdims=True), size)
