# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Operators that degrade the two axes of an image differently."""

from __future__ import annotations

import numpy as np

from monai_srgan.physics.operators import SeparableDownsample

__all__ = ["PerAxisDownsample"]


class PerAxisDownsample(SeparableDownsample):
    """Two operators, one per spatial axis: ``y = A_first x A_second^T``.

    Args:
        first: operator along H, the first spatial axis (x in MONAI's x-first images).
        second: operator along W, with the same scale.
    """

    def __init__(self, first: SeparableDownsample, second: SeparableDownsample) -> None:
        for name, operator in {"first": first, "second": second}.items():
            if not isinstance(operator, SeparableDownsample) or isinstance(operator, PerAxisDownsample):
                raise ValueError(
                    f"{name} must be a separable operator that treats both axes alike, got {type(operator).__name__}"
                )
        if first.scale != second.scale:
            raise ValueError(f"both operators must have the same scale, got {first.scale} and {second.scale}")
        super().__init__(first.scale)
        self.first, self.second = first, second

    @property
    def description(self) -> str:
        """For example "4x, Gaussian blur with sigma 1 pixels along the first axis; 4x, ... along the second"."""
        return f"{self.first.description} along the first axis; {self.second.description} along the second"

    def axis_matrix(self, size: int) -> np.ndarray:
        """Raise TypeError: the axes differ, so that there are two matrices, those of ``along(0)`` and ``along(1)``."""
        del size
        raise TypeError("the axes of this operator differ: call axis_matrix of along(0) and of along(1)")

    def along(self, axis: int) -> SeparableDownsample:
        """The operator along spatial axis 0 (H) or 1 (W)."""
        return self.second if axis else self.first

    def extra_repr(self) -> str:
        """Nothing: the two operators are modules, which ``repr`` shows by itself."""
        return ""
