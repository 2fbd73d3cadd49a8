# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Fit of an operator of the package to estimated transfer functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from monai_srgan.physics import (
    TRANSFER_FREQUENCIES,
    BicubicDownsample,
    GaussianDownsample,
    KSpaceDownsample,
    PerAxisDownsample,
    SeparableDownsample,
)

__all__ = ["KernelFit", "fit_kernel"]

_SCALE = 4
_FLOOR = 0.02  # of a transfer function: no sample is trusted more than this
_SIGMA_STEP = 0.02
_SIGMAS = np.round(np.arange(0.1, 3.51, _SIGMA_STEP), 2)
_SUPPORTS = np.round(np.arange(0.4, 1.001, 0.025), 3)
_TAPERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_PEDESTALS = (0.0, 0.15, 0.3)


@dataclass(frozen=True, eq=False)
class KernelFit:
    """An operator fitted to transfer functions.

    Attributes:
        family: "gaussian", "bicubic" or "kspace".
        operator: the fitted operator, with one parameter for both axes where their difference is within the
            uncertainty.
        misfit: root mean square of the deviations, in units of their standard uncertainties.
        sigma: of a Gaussian, along both axes in HR pixels; None for another family.
        sigma_std: their standard uncertainties.
    """

    family: str
    operator: SeparableDownsample
    misfit: float
    sigma: tuple[float, float] | None = None
    sigma_std: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Operators of a family with one row of samples each."""

    operators: Sequence[SeparableDownsample]
    transfer: np.ndarray

    @classmethod
    def of(cls, operators: Sequence[SeparableDownsample]) -> _Candidates:
        return cls(operators, np.stack([operator.transfer(TRANSFER_FREQUENCIES, 0) for operator in operators]))

    def best(self, transfer: np.ndarray, std: np.ndarray) -> tuple[int, float]:
        """Index of the candidate nearest to the samples of one axis, and its mean square deviation."""
        deviations = np.square((self.transfer - transfer) / std).mean(axis=1)
        index = int(np.argmin(deviations))
        return index, float(deviations[index])


@cache
def _candidates(family: str) -> _Candidates:
    if family == "gaussian":
        return _Candidates.of([GaussianDownsample(_SCALE, float(sigma)) for sigma in _SIGMAS])
    if family == "bicubic":
        return _Candidates.of([BicubicDownsample(_SCALE)])
    windows = [(0.0, 0.0)] + [(taper, pedestal) for taper in _TAPERS[1:] for pedestal in _PEDESTALS]
    return _Candidates.of(
        [
            KSpaceDownsample(_SCALE, taper, float(support), pedestal)
            for support in _SUPPORTS
            for taper, pedestal in windows
        ]
    )


def fit_kernel(family: str, transfer: np.ndarray, transfer_std: np.ndarray) -> KernelFit:
    """The operator of a family that is nearest to transfer functions.

    Args:
        family: "gaussian", "bicubic" or "kspace".
        transfer: ``(2, 16)``, see :func:`monai_srgan.physics.transfer_functions`.
        transfer_std: their standard uncertainties, ``(2, 16)``.
    """
    std = np.hypot(transfer_std, _FLOOR)
    found = [_candidates(family).best(*axis) for axis in zip(transfer, std, strict=True)]
    operators = [_candidates(family).operators[index] for index, _ in found]
    misfit = float(np.sqrt(np.mean([deviation for _, deviation in found])))
    if family != "gaussian":
        same = found[0][0] == found[1][0]
        return KernelFit(family, operators[0] if same else PerAxisDownsample(*operators), misfit)
    first, second = (float(_SIGMAS[index]) for index, _ in found)
    errors = [_sigma_std(index, axis) for (index, _), axis in zip(found, std, strict=True)]
    if abs(first - second) <= np.hypot(errors[0], errors[1]):  # no evidence of a difference
        weights = np.reciprocal(np.square(errors))
        first = second = round(float(np.average([first, second], weights=weights)), 3)
    operator = (
        GaussianDownsample(_SCALE, first)
        if first == second
        else PerAxisDownsample(GaussianDownsample(_SCALE, first), GaussianDownsample(_SCALE, second))
    )
    return KernelFit(family, operator, misfit, (first, second), (errors[0], errors[1]))


def _sigma_std(index: int, std: np.ndarray) -> float:
    """Uncertainty of a fitted sigma, for errors of the samples that are fully correlated, as those of a regression.

    The larger of the distances to the fits to all samples shifted up and down by their errors, and at least a step of
    the candidates. A derivative would fail for narrow kernels, which hardly change the samples.
    """
    candidates = _candidates("gaussian")
    shifted = [candidates.best(candidates.transfer[index] + error, std)[0] for error in (std, -std)]
    return float(max(_SIGMA_STEP, *np.abs(_SIGMAS[shifted] - _SIGMAS[index])))
