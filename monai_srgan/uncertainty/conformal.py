# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Conformal risk control: the interval width at which the expected loss of a new patient stays below a level.

With the losses L_1 .. L_n of n patients, each non-increasing in a factor lambda and at most B::

    lambda_hat = min {lambda : (L_1(lambda) + ... + L_n(lambda) + B) / (n + 1) <= alpha}

and the expected loss of a further patient, exchangeable with these, is at most alpha: Angelopoulos, Bates, Fisch, Lei
and Schuster, *Conformal Risk Control*, ICLR 2024 (https://arxiv.org/abs/2208.02814). B stands for the unknown new
patient. The rule requires a mean loss of at most ``alpha - (B - alpha) / n`` on the n patients, so a large bound makes
the intervals of a small set too wide: with n = 24 and alpha = 0.1 this is 0.0625 for B = 1 and 0.0958 for B = 0.2. A
loss that is cut off at B is bounded by B, and the guarantee then holds for the loss after the cut.

Angelopoulos et al., *Image-to-Image Regression with Distribution-Free Uncertainty Quantification*, ICML 2022
(https://arxiv.org/abs/2202.05265), do the same for intervals around pixels: they scale a heuristic width by one factor,
as here. Deviation: their bound holds with high probability over the calibration set (risk-controlling prediction sets);
with two dozen patients, its intervals would cover far more than they state. Here the mean over calibration sets is
bounded.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["conformal_risk_control", "patients_needed"]

_ROUNDING = 1e-9


def patients_needed(alpha: float, bound: float = 1.0) -> int:
    """Smallest number of patients: with fewer, even a loss of 0 on all of them does not bound that of the next one.

    Args:
        alpha: level of the risk, in (0, 1).
        bound: largest loss of a patient.
    """
    return max(1, math.ceil(bound / alpha - 1 - _ROUNDING))


def conformal_risk_control(losses: np.ndarray, factors: np.ndarray, alpha: float, bound: float = 1.0) -> float:
    """The smallest factor with ``(sum of losses + bound) / (n + 1) <= alpha``.

    Args:
        losses: ``(n, m)``: loss of each of n patients at each factor, in [0, ``bound``], non-increasing along a row.
        factors: ``(m,)``, increasing; the guarantee holds for any grid that is fixed beforehand.
        alpha: level of the risk, in (0, 1): 0.1 for a coverage of 90 %.
        bound: largest loss that a patient can have, not the largest observed loss.

    Raises:
        ValueError: if a shape, range or order is wrong, there are too few patients, or no factor of the grid is large
            enough.
    """
    losses, factors = np.asarray(losses, dtype=np.float64), np.asarray(factors, dtype=np.float64)
    _check(losses, factors, alpha, bound)
    n = len(losses)
    if n < patients_needed(alpha, bound):
        raise ValueError(
            f"losses has {n} patients, but a risk of {alpha:g} with a bound of {bound:g} needs at least "
            f"{patients_needed(alpha, bound)}: add patients, or cut the loss off at a smaller bound"
        )
    enough = (losses.sum(axis=0) + bound) / (n + 1) <= alpha + _ROUNDING
    if not enough[-1]:
        raise ValueError(
            f"no factor is large enough: at the largest, {factors[-1]:g}, the mean loss is {losses[:, -1].mean():.4f} "
            f"and must be at most {alpha - (bound - alpha) / n:.4f}: check the widths that the factor multiplies"
        )
    return float(factors[np.argmax(enough)])


def _check(losses: np.ndarray, factors: np.ndarray, alpha: float, bound: float) -> None:
    if losses.ndim != 2 or not losses.size or factors.shape != losses.shape[1:]:
        raise ValueError(
            f"losses must have shape (patients, factors) and factors (factors,), got {losses.shape} and {factors.shape}"
        )
    if not (0 < alpha < 1 and bound > 0):
        raise ValueError(f"alpha must lie in (0, 1) and bound must be > 0, got {alpha} and {bound}")
    if not (np.diff(factors) > 0).all():
        raise ValueError("factors must increase")
    if not (losses.min() >= 0 and losses.max() <= bound + _ROUNDING):
        raise ValueError(
            f"losses must lie in [0, bound] = [0, {bound:g}], got values from {losses.min():g} to {losses.max():g}: "
            "cut them off with numpy.minimum(losses, bound)"
        )
    if (np.diff(losses, axis=1) > _ROUNDING).any():
        raise ValueError("losses must not increase with the factor: a wider interval cannot miss more")
