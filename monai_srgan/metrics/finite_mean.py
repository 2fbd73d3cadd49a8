# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The mean of one score over images: what was not measured is left out, and infinite values are counted apart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["FiniteMean"]


@dataclass(frozen=True)
class FiniteMean:
    """Sum and number of the finite values of a score.

    The infinite PSNR of an identical image stays out of the mean: one of them would hide all others.

    Attributes:
        total: sum of the finite values.
        count: number of finite values.
        infinite: number of infinite values; NaN, which means *not measured*, is counted nowhere.

    Example:
        >>> FiniteMean.of([30.0, 32.0, float("inf"), float("nan")])
        FiniteMean(total=62.0, count=2, infinite=1)
        >>> FiniteMean.of([30.0, 32.0, float("inf")]).mean
        31.0
    """

    total: float
    count: int
    infinite: int = 0

    @classmethod
    def of(cls, values: Iterable[float]) -> FiniteMean:
        """Collect the values of some images."""
        values = list(values)
        finite = [value for value in values if math.isfinite(value)]
        return cls(math.fsum(finite), len(finite), sum(map(math.isinf, values)))

    @property
    def mean(self) -> float:
        """Mean of the finite values; ``inf`` where all measured values are infinite, NaN where there is none."""
        if self.count:
            return self.total / self.count
        return math.inf if self.infinite else math.nan
