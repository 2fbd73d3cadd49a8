# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The shape of the intervals: quantiles of the error in bins of a pixel's features."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy import ndimage

from monai_srgan.uncertainty.features import WINDOW, pixel_features

__all__ = ["QuantileTable", "fit_quantile_table"]

_SMALLEST = 1e-5  # of [0, 1]: the width is > 0 even where the image is nearly constant
_FEWEST = 100  # smallest number of pixels for a quantile of a bin


@dataclass(frozen=True, eq=False)
class QuantileTable:
    """Quantile of the absolute error for each bin of :func:`~monai_srgan.uncertainty.pixel_features`.

    Args:
        edges: for each feature, the increasing edges between its bins; a value on an edge belongs to the bin above.
        quantiles: one number > 0 per bin, ``(len(edges[0]) + 1, len(edges[1]) + 1)``, in units of the image.
        window: side of the window of the features, in HR pixels.
    """

    edges: tuple[np.ndarray, np.ndarray]
    quantiles: np.ndarray
    window: int = WINDOW

    def __call__(self, mean: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
        """Look up the quantile of every pixel: float32 of the shape of ``mean``; see :func:`pixel_features`."""
        if mean.ndim == 5 and mean.shape == spread.shape:  # slice by slice: the features need a multiple of its memory
            return torch.stack([self(mean[..., i], spread[..., i]) for i in range(mean.shape[-1])], dim=-1)
        features = pixel_features(mean, spread, self.window)
        edges = [torch.as_tensor(e, dtype=torch.float32, device=features.device) for e in self.edges]
        first, second = (torch.bucketize(f.contiguous(), e, right=True) for f, e in zip(features, edges, strict=True))
        values = torch.as_tensor(self.quantiles, dtype=torch.float32, device=features.device)
        return values[first, second]

    def lookup(self, features: np.ndarray) -> np.ndarray:
        """Look up the quantile of N pixels: ``(2, N)`` features to ``(N,)``."""
        places = (
            np.searchsorted(np.asarray(e, np.float32), f, side="right")
            for e, f in zip(self.edges, np.asarray(features, np.float32), strict=True)
        )
        return np.asarray(self.quantiles)[tuple(places)]


def fit_quantile_table(
    features: np.ndarray,
    errors: np.ndarray,
    weights: np.ndarray,
    level: float = 0.9,
    *,
    bins: int = 16,
    window: int = WINDOW,
) -> QuantileTable:
    """Fit the quantiles of the error in bins of the features.

    Along each feature, the bins have equal weight as far as ties allow. A bin with fewer than 100 pixels gets the
    quantile of the nearest bin with at least 100.

    Args:
        features: ``(2, N)`` of N pixels.
        errors: ``(N,)`` absolute errors.
        weights: ``(N,)`` > 0.
        level: of the quantile, in (0, 1).
        bins: largest number along each feature.
        window: side of the window of the features, in HR pixels.

    Raises:
        ValueError: if a shape or range is wrong.
    """
    features, errors, weights = (np.asarray(a, dtype=np.float32) for a in (features, errors, weights))
    if features.ndim != 2 or len(features) != 2 or not (features.shape[1:] == errors.shape == weights.shape):
        raise ValueError(
            "features, errors and weights must have shapes (2, N), (N,) and (N,), "
            f"got {features.shape}, {errors.shape} and {weights.shape}"
        )
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    if errors.size < _FEWEST:
        raise ValueError(f"a table needs at least {_FEWEST} pixels, got {errors.size}: add slices")
    edges = (_edges(features[0], weights, bins), _edges(features[1], weights, bins))
    shape = (len(edges[0]) + 1, len(edges[1]) + 1)
    first, second = (np.searchsorted(e, f, side="right") for f, e in zip(features, edges, strict=True))
    quantiles = _quantiles(first * shape[1] + second, errors, weights, level, shape[0] * shape[1]).reshape(shape)
    missing = np.isnan(quantiles)
    if missing.all():
        quantiles = np.full(shape, _quantiles(np.zeros(errors.size, int), errors, weights, level, 1)[0])
    elif missing.any():
        nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
        quantiles = quantiles[tuple(nearest)]
    return QuantileTable(edges, np.maximum(quantiles, _SMALLEST), window)


def _edges(values: np.ndarray, weights: np.ndarray, bins: int) -> np.ndarray:
    order = np.argsort(values)
    mass = np.cumsum(weights[order], dtype=np.float64)
    places = np.searchsorted(mass, mass[-1] * np.arange(1, bins) / bins)
    edges = values[order][np.minimum(places, len(values) - 1)]
    above = values[values > values.min()]
    # No edge at the smallest value, which many pixels of air share: the bin below it would be empty.
    return np.unique(np.maximum(edges, above.min())) if above.size else edges[:0]


def _quantiles(bins: np.ndarray, errors: np.ndarray, weights: np.ndarray, level: float, count: int) -> np.ndarray:
    """Smallest error of each bin with at least ``level`` of the bin's weight at or below it; NaN for too few pixels."""
    order = np.lexsort((errors, bins))
    bounds = np.searchsorted(bins[order], np.arange(count + 1))
    quantiles = np.full(count, np.nan)
    for i, (begin, end) in enumerate(pairwise(bounds)):
        if end - begin >= _FEWEST:
            part = order[begin:end]
            mass = np.cumsum(weights[part], dtype=np.float64)
            quantiles[i] = errors[part[min(np.searchsorted(mass, level * mass[-1]), len(part) - 1)]]
    return quantiles
