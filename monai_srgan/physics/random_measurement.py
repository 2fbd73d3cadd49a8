# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Measurements drawn at random: what a network that has to know many of them is trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from monai_srgan.physics.kspace import KSpaceDownsample, WindowedKSpaceDownsample
from monai_srgan.physics.measurement import Measurement
from monai_srgan.physics.operators import BicubicDownsample, GaussianDownsample
from monai_srgan.physics.per_axis import PerAxisDownsample

__all__ = ["MEASUREMENT_FAMILIES", "RandomMeasurements"]

MEASUREMENT_FAMILIES = ("default", "gaussian", "anisotropic", "bicubic", "kspace", "windowed")
"""Families of operators that :class:`RandomMeasurements` draws from."""


class RandomMeasurements:
    """Draw measurement records: a family of operators, its parameters, and Rician noise.

    - "default": Gaussian blur with sigma ``(scale - 1) / 2``;
    - "gaussian": one sigma for both axes, "anisotropic": one for each, uniform in `sigma`;
    - "bicubic": antialiased bicubic reduction;
    - "kspace": a separable k-space crop, two times out of five without a window, otherwise with a cosine taper of
      random width and a pedestal (Hann and Hamming windows among them);
    - "windowed": an elliptical or rounded k-space crop, with a hard, a cosine or a Fermi edge.

    Half of the k-space crops acquire the full LR band, the others a fraction of it, uniform in `support`, along one or
    both axes.

    Args:
        scale: ratio of the two grids.
        weights: relative frequency of each family; families that are left out are not drawn.
        sigma: range of the Gaussian blurs in HR pixels.
        support: range of the acquired fraction of the LR band.
        noise_std: range of the noise in units of the image.
        noise_prob: probability of noise.

    Raises:
        ValueError: if an argument is out of range, or a family is unknown.
    """

    def __init__(
        self,
        scale: int = 4,
        *,
        weights: Mapping[str, float] | None = None,
        sigma: tuple[float, float] = (0.4, 2.7),
        support: tuple[float, float] = (0.55, 1.0),
        noise_std: tuple[float, float] = (0.0, 0.05),
        noise_prob: float = 0.5,
    ) -> None:
        weights = dict.fromkeys(MEASUREMENT_FAMILIES, 1.0) if weights is None else dict(weights)
        unknown = sorted(set(weights) - set(MEASUREMENT_FAMILIES))
        if unknown:
            raise ValueError(f"weights has unknown families {unknown}: use {', '.join(MEASUREMENT_FAMILIES)}")
        if min(weights.values(), default=0) < 0 or not sum(weights.values()) > 0:
            raise ValueError(f"weights must be >= 0 with a positive sum, got {weights}")
        if not 0 <= noise_prob <= 1:
            raise ValueError(f"noise_prob must lie in [0, 1], got {noise_prob}")
        self.scale = scale
        self.weights = weights
        self.sigma = _check_range("sigma", sigma, 0.0, math.inf)
        self.support = _check_range("support", support, 0.0, 1.0)
        self.noise_std = _check_range("noise_std", noise_std, 0.0, math.inf)
        self.noise_prob = float(noise_prob)

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments, as plain values."""
        return {
            "scale": self.scale,
            "weights": self.weights,
            "sigma": list(self.sigma),
            "support": list(self.support),
            "noise_std": list(self.noise_std),
            "noise_prob": self.noise_prob,
        }

    def draw(self, rng: np.random.RandomState) -> Measurement:
        """A random record, with its draws from `rng`."""
        names = list(self.weights)
        share = np.cumsum([self.weights[name] for name in names])
        family = names[int(np.searchsorted(share, rng.random_sample() * share[-1], side="right"))]
        noise = rng.uniform(*self.noise_std) if rng.random_sample() < self.noise_prob else 0.0
        return Measurement(self._operator(family, rng), noise)

    def _operator(self, family: str, rng: np.random.RandomState) -> nn.Module:
        scale = self.scale
        if family == "default":
            return GaussianDownsample(scale)
        if family == "bicubic":
            return BicubicDownsample(scale)
        if family == "gaussian":
            return GaussianDownsample(scale, rng.uniform(*self.sigma))
        if family == "anisotropic":
            first, second = rng.uniform(*self.sigma, size=2)
            return PerAxisDownsample(GaussianDownsample(scale, first), GaussianDownsample(scale, second))
        support = self._support(rng)
        if family == "kspace":
            hard = rng.random_sample() < 0.4
            taper, pedestal = (0.0, 0.0) if hard else (rng.random_sample(), rng.uniform(0, 0.3))
            first, second = (KSpaceDownsample(scale, taper, fraction, pedestal) for fraction in support)
            return first if support[0] == support[1] else PerAxisDownsample(first, second)
        exponent = 2.0 if rng.random_sample() < 0.4 else rng.uniform(2, 8)
        edge = rng.random_sample()
        taper = rng.random_sample() if edge < 0.3 else 0.0
        fermi = rng.uniform(0.02, 0.1) if edge > 0.7 else None
        return WindowedKSpaceDownsample(scale, support=support, exponent=exponent, taper=taper, fermi=fermi)

    def _support(self, rng: np.random.RandomState) -> tuple[float, float]:
        kind, (first, second) = rng.random_sample(), rng.uniform(*self.support, size=2)
        if kind < 0.5:
            return 1.0, 1.0
        if kind < 0.65:
            return first, 1.0
        return (1.0, second) if kind < 0.8 else (first, second)


def _check_range(name: str, pair: tuple[float, float], lowest: float, highest: float) -> tuple[float, float]:
    low, high = (float(value) for value in pair)
    if not lowest <= low <= high <= highest or not math.isfinite(high):
        raise ValueError(f"{name} must be a pair (low, high) in [{lowest:g}, {highest:g}] with low <= high, got {pair}")
    return low, high
