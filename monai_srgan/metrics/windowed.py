# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Sums over a window along one axis, for filters that have to be exact rather than learnt."""

from __future__ import annotations

from collections.abc import Sequence

import torch

__all__ = ["windowed_sums"]


def windowed_sums(x: torch.Tensor, weights: Sequence[float], dim: int) -> torch.Tensor:
    """Correlate along an axis; beyond the borders the image is continued by reflection with the edge pixel repeated.

    Args:
        x: floating point, at least ``len(weights) // 2`` long along `dim`.
        weights: an odd number of them.
        dim: the axis.

    Returns:
        the shape and dtype of `x`.
    """
    radius, size = len(weights) // 2, x.shape[dim]
    # torch's own "reflect" leaves the edge pixel out; scipy's, the references', repeats it
    edges = x.narrow(dim, 0, radius).flip(dim), x.narrow(dim, size - radius, radius).flip(dim)
    padded = torch.cat((edges[0], x, edges[1]), dim)
    # shifted sums are ten times faster than torch's float64 convolution on a CPU
    result = padded.narrow(dim, 0, size) * weights[0]
    for shift, weight in enumerate(weights[1:], start=1):
        result.add_(padded.narrow(dim, shift, size), alpha=weight)
    return result
