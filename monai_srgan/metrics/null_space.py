# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""The error of a prediction, split into what the low-resolution image determines and what it says nothing about.

With the degradation's linear operator A, its pseudo-inverse A^+ and the error e = prediction - target::

    e_measured = A^+ A e          e_null = e - e_measured          ||e||^2 = ||e_measured||^2 + ||e_null||^2

Bhadra, Kelkar, Brooks and Anastasio 2021, "On hallucinations in tomographic image reconstruction"
(https://doi.org/10.1109/TMI.2021.3077857). A projection can remove the measured part; the null part is a wrong guess
that no measurement contradicts. The sum of squares holds over all pixels of an image, not over a region. Both parts are
relative to the target, so where the LR image is noisy, the measured part holds its noise, too.

A weakens some directions so much that they are lost in rounding; these belong to the null space, see `rcond` of
:class:`monai_srgan.physics.ConsistencyProjection`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from monai_srgan.metrics.checks import as_pair, as_region, working_precision
from monai_srgan.metrics.functional import RegionValues
from monai_srgan.physics import ConsistencyProjection

__all__ = ["ErrorSplit", "NullSpaceError", "split_error"]


@dataclass(frozen=True)
class ErrorSplit:
    """Maps of the two parts of an error, which are orthogonal.

    Attributes:
        measured: ``(B, C, H, W)`` float64 (float32 on devices without it), the part that the LR image determines.
        null: the same, the part in the null space of the operator.
    """

    measured: torch.Tensor
    null: torch.Tensor


def split_error(pred: torch.Tensor, target: torch.Tensor, projection: ConsistencyProjection) -> ErrorSplit:
    """Split ``pred - target``.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, any range; not clamped.
        target: reference of the same shape.
        projection: of the operator that made the LR image.

    Raises:
        TypeError: if an image is not a floating point tensor.
        ValueError: if shapes disagree, a value is not finite, or the size does not fit the operator.

    Example:
        >>> from monai_srgan.physics import BicubicDownsample, ConsistencyProjection
        >>> pred, target = torch.rand(2, 1, 1, 32, 48)
        >>> parts = split_error(pred, target, ConsistencyProjection(BicubicDownsample(4)))
        >>> bool(torch.allclose(parts.measured + parts.null, (pred - target).double()))
        True
        >>> bool((parts.measured * parts.null).sum().abs() < 1e-9)
        True
    """
    pred, target = as_pair(pred, target)
    error = working_precision(pred, "pred") - working_precision(target, "target")
    # the projection onto {x : A x = 0}
    null = projection(error, torch.zeros_like(projection.operator(error)))
    return ErrorSplit(measured=error - null, null=null)


class NullSpaceError:
    """Mean square of both parts of the error in every region, a score for :class:`~monai_srgan.engines.SREvaluator`.

    Args:
        operator: linear degradation with an ``adjoint``: the one that made the LR image.

    Raises:
        TypeError: if the operator has no ``adjoint``.
        ValueError: if `operator` is None.
    """

    def __init__(self, operator: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.projection = ConsistencyProjection(operator)

    def __call__(
        self,
        pred: torch.Tensor,
        target: torch.Tensor,
        masks: Mapping[str, torch.Tensor],
        image: torch.Tensor | None = None,
    ) -> RegionValues:
        """Score a batch; see :func:`split_error` for the errors.

        Args:
            pred: prediction, ``(B, C, H, W)`` floating point.
            target: reference of the same shape.
            masks: region name to mask, ``(B, 1, H, W)`` or ``(B, C, H, W)``, bool or of values 0 and 1.
            image: not used.

        Returns:
            ``{(region, "measured_mse" | "null_mse"): (B,) float64 on the CPU}``, NaN where the region is empty; and
            ``("whole", "null_share")``, the null part's share of the squared error over all pixels, NaN where there is
            no error.
        """
        del image
        with torch.no_grad():
            parts = split_error(pred, target, self.projection)
        squares = torch.stack((parts.measured, parts.null), dim=-1).square().flatten(1, 3)  # (B, pixels, 2)
        scores: RegionValues = {}
        for region, mask in masks.items():
            # a product, since all values are finite: five times as fast as selecting the region's pixels
            inside = as_region(mask, parts.null, f"masks[{region!r}]").flatten(1).to(squares)
            means = (inside[:, None] @ squares)[:, 0] / inside.sum(dim=1, keepdim=True)  # 0 / 0 = NaN: not measured
            scores[region, "measured_mse"], scores[region, "null_mse"] = means.cpu().double().unbind(dim=1)
        measured, null = squares.sum(dim=1).cpu().double().unbind(dim=1)
        scores["whole", "null_share"] = null / (measured + null)
        return scores
