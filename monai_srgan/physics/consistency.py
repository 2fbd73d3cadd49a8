# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Projection of an image onto the set of images that degrade to the measured image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.utils import convert_to_dst_type
from torch import Tensor, nn

from monai_srgan.physics.operators import SeparableDownsample, check_input
from monai_srgan.physics.tensor_cache import TensorCache

__all__ = ["ConsistencyProjection"]

_MAX_CACHED_SIZES = 16
_SMALLEST_RCOND = 1e-7  # its square is the rounding error of A A^T in float64


class ConsistencyProjection(nn.Module):
    r"""The nearest image that degrades to ``y``: ``x + A^T (A A^T)^-1 (y - A x)``.

    This is the orthogonal projection onto ``{x : A x = y}``. It changes only the components of ``x`` that ``y``
    determines and leaves the null space of A, which a network has to guess, unchanged. If the true image degrades to
    ``y``, the squared error over all pixels cannot grow: the projection is never farther from the ground truth than
    ``x``. Within a region it can be. The formula is that of null space networks (Schwab, Antholzer and Haltmeier 2019,
    https://doi.org/10.1088/1361-6420/aaf14a) and of the consistency module of Bahat and Michaeli 2020
    (https://arxiv.org/abs/1912.01839); here it also holds at the borders.

    For the package's operators ``A = A_H kron A_W``, and the eigenvectors of two small matrices, one per axis, give the
    inverse in closed form. It is computed in float64 (float32 on devices without float64) and cached by size. A tapered
    k-space crop or a wide blur nearly destroys some directions, which are then indistinguishable from rounding and
    noise: directions with a singular value of at most `rcond` times the largest keep their values from x.

    With noise in y, the result is the most likely image ``x + A^T (A A^T + alpha)^-1 (y - A x)`` with
    ``alpha = (noise_std / prior_std)^2``, if noise and the error of x are white and Gaussian: the proximal step that
    turns smoothly from the exact projection (no noise) into x itself (noise far above the error of x).

    For any other linear operator with an ``adjoint``, conjugate gradients solve the system in float32 (in float64 if
    `pred` is float64). Gradients reach both images, but not the parameters of the operator.

    Args:
        operator: linear A: a :class:`~monai_srgan.physics.SeparableDownsample`, or any callable from ``(B, C, H, W)``
            to ``(B, C, h, w)`` with its exact transpose as method ``adjoint``.
        rcond: smallest singular value to invert, as a fraction of the largest, in [1e-7, 1). Noise in y is amplified by
            up to 1 / rcond in the directions that A weakens most: raise it for noisy images and wide blurs. Has no
            effect on other operators.
        noise_std: standard deviation of the noise in y, in units of the image, >= 0; 0 for the exact projection.
        prior_std: standard deviation of the error of x per pixel, in the same units, > 0. Has no effect without noise.
        tolerance: conjugate gradients stop when the norm of ``y - A x`` is at most this fraction of the norm of y.
        max_iterations: limit of the conjugate gradients.

    Raises:
        TypeError: if the operator has no ``adjoint``.
        ValueError: if an argument is out of range; the message names it.

    Example:
        >>> from monai_srgan.physics import BicubicDownsample
        >>> operator = BicubicDownsample(scale=4)
        >>> measured = torch.rand(1, 1, 32, 24)
        >>> pred = ConsistencyProjection(operator)(torch.rand(1, 1, 128, 96), measured)
        >>> bool((operator(pred) - measured).abs().max() < 1e-6)
        True
    """

    def __init__(
        self,
        operator: Any,
        *,
        rcond: float = 1e-3,
        noise_std: float = 0.0,
        prior_std: float = 0.02,
        tolerance: float = 1e-5,
        max_iterations: int = 200,
    ) -> None:
        super().__init__()
        if operator is None:
            raise ValueError(
                "operator is None: a degradation that depends on the tumor mask is not a linear operator of the image, "
                "so there is nothing to project onto: do not use the projection with it"
            )
        if not callable(operator) or not callable(getattr(operator, "adjoint", None)):
            raise TypeError(
                f"operator must be callable and have its exact transpose as method adjoint, got "
                f"{type(operator).__name__}: use an operator of monai_srgan.physics or add the method"
            )
        if not _SMALLEST_RCOND <= rcond < 1:
            raise ValueError(f"rcond must be a fraction in [{_SMALLEST_RCOND:g}, 1), got {rcond}")
        if not 0 <= noise_std < math.inf:
            raise ValueError(f"noise_std must be a finite number >= 0 in units of the image, got {noise_std}")
        if not 0 < prior_std < math.inf:
            raise ValueError(f"prior_std must be a finite number > 0 in units of the image, got {prior_std}")
        if not 0 < tolerance < 1:
            raise ValueError(f"tolerance must be a fraction in (0, 1), got {tolerance}")
        if isinstance(max_iterations, bool) or int(max_iterations) != max_iterations or max_iterations < 1:
            raise ValueError(f"max_iterations must be an integer of at least 1, got {max_iterations!r}")
        self.operator = operator
        self.rcond = float(rcond)
        self.noise_std = float(noise_std)
        self.prior_std = float(prior_std)
        self.tolerance = float(tolerance)
        self.max_iterations = int(max_iterations)
        self._eigen: TensorCache[tuple[Tensor, Tensor]] = TensorCache(_MAX_CACHED_SIZES)

    @property
    def damping(self) -> float:
        """alpha, the weight of the noise; 0 for the exact projection."""
        return (self.noise_std / self.prior_std) ** 2

    def forward(self, pred: Tensor, measured: Tensor) -> Tensor:
        """Project an image.

        Args:
            pred: ``(B, C, H, W)`` floating point, any range.
            measured: ``(B, C, h, w)`` floating point in the same units, of the shape of ``operator(pred)``.

        Returns:
            ``(B, C, H, W)`` with the dtype, device and metadata of `pred`, not clipped. After rounding to float32,
            ``A x`` is within 1e-7 of `measured` for images in [0, 1] (140 dB); after bfloat16, within 2e-3 (60 dB).

        Raises:
            ValueError: if an image does not have four axes or is not floating point, or the sizes do not match.
            RuntimeError: if the conjugate gradients do not converge.
        """
        x, y = check_input(pred, "pred"), check_input(measured, "measured")
        separable = isinstance(self.operator, SeparableDownsample)
        low = torch.float64 if separable and x.device.type != "mps" else torch.float32
        work = torch.promote_types(x.dtype, low)
        if separable:
            self.operator.check_size(x.shape[-2:])
        # Autocast would round the physics to bfloat16.
        with torch.autocast(x.device.type, enabled=False):
            x, y = x.to(work), y.to(x.device, work)
            degraded = self.operator(x)
            if degraded.shape != y.shape:
                raise ValueError(
                    f"measured must have shape {tuple(degraded.shape)}, that of the operator's output for pred "
                    f"{tuple(x.shape)}, got {tuple(y.shape)}: pass the image that pred was computed from"
                )
            residual = y - degraded
            if separable:
                solution = self._solve(residual, (x.shape[-2], x.shape[-1]))
            else:
                solution = _Solve.apply(residual, torch.maximum(_norm(y), _norm(residual)), self)
            result = (x + self.operator.adjoint(solution)).to(pred.dtype)
        if isinstance(pred, MetaTensor):
            return convert_to_dst_type(result, pred, device=result.device, dtype=result.dtype)[0]
        return result

    def extra_repr(self) -> str:
        """Settings for ``repr``."""
        if isinstance(self.operator, SeparableDownsample):
            noise = f", noise_std={self.noise_std:g}, prior_std={self.prior_std:g}" if self.noise_std else ""
            return f"rcond={self.rcond:g}{noise}"
        return f"tolerance={self.tolerance:g}, max_iterations={self.max_iterations}"

    def _solve(self, residual: Tensor, size: tuple[int, int]) -> Tensor:
        """Apply the pseudo-inverse of ``A A^T + alpha``; the eigenpairs of ``A A^T`` are products of the axes' ones."""
        rows, row_values = self._eigenvectors(0, size[0], residual)
        columns, column_values = self._eigenvectors(1, size[1], residual)
        values = row_values[:, None] * column_values
        inverse = torch.where(values > self.rcond**2 * values.max(), (values + self.damping).reciprocal(), 0)
        coefficients = torch.matmul(rows.T, torch.matmul(residual, columns)) * inverse
        return torch.matmul(rows, torch.matmul(coefficients, columns.T))

    def _eigenvectors(self, axis: int, size: int, like: Tensor) -> tuple[Tensor, Tensor]:
        operator = self.operator.along(axis)

        def build() -> tuple[Tensor, Tensor]:
            matrix = operator.axis_matrix(size)
            values, vectors = np.linalg.eigh(matrix @ matrix.T)
            return torch.from_numpy(vectors).to(like), torch.from_numpy(values.clip(min=0)).to(like)

        return self._eigen.find((id(operator), size, like.dtype, like.device), build)

    def _normal(self, z: Tensor) -> Tensor:
        return self.operator(self.operator.adjoint(z)) + self.damping * z

    def _conjugate_gradients(self, rhs: Tensor, norm: Tensor) -> Tensor:
        """Solve ``(A A^T + alpha) z = rhs`` for each image separately, to a residual of ``tolerance * norm``."""
        norm = torch.where(norm == 0, 1, norm)
        rhs = rhs / norm
        solution, remainder, direction = torch.zeros_like(rhs), rhs, rhs
        square, limit = _dot(remainder, remainder), self.tolerance**2
        for _ in range(self.max_iterations):
            if bool((square <= limit).all()):
                # The recurrence drifts away from the true residual: compute that before stopping.
                remainder = rhs - self._normal(solution)
                direction, square = remainder, _dot(remainder, remainder)
                if bool((square <= limit).all()):
                    return solution * norm
            image = self._normal(direction)
            curvature = _dot(direction, image)
            # Converged images wait for the others; a direction that A destroys must not divide by zero.
            active = (square > limit) & (curvature > 0)
            step = torch.where(active, square / curvature, 0)
            solution, remainder = solution + step * direction, remainder - step * image
            before, square = square, _dot(remainder, remainder)
            direction = remainder + torch.where(active, square / before, 0) * direction
        worst = float(square.max().sqrt())  # NaN passes through
        raise RuntimeError(
            f"the projection has not converged: after {self.max_iterations} conjugate gradient steps the residual is "
            f"{worst:.2g} of the norm of the measured image, tolerance is {self.tolerance:g}: raise max_iterations or "
            "tolerance. If that does not help, operator.adjoint is not the transpose, an image is not finite, or the "
            "measured image is not in the range of the operator"
        )


class _Solve(torch.autograd.Function):
    """``(A A^T)^-1 r`` by conjugate gradients: symmetric, hence its own derivative."""

    @staticmethod
    def forward(ctx: Any, residual: Tensor, norm: Tensor, projection: ConsistencyProjection) -> Tensor:
        ctx.projection = projection
        return projection._conjugate_gradients(residual, norm)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad,) = grads
        with torch.autocast(grad.device.type, enabled=False):
            return _Solve.apply(grad, _norm(grad), ctx.projection), None, None


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """``(B, 1, 1, 1)``."""
    return (a * b).sum(dim=(1, 2, 3), keepdim=True)


def _norm(a: Tensor) -> Tensor:
    return torch.linalg.vector_norm(a.detach(), dim=(1, 2, 3), keepdim=True)
