# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What of an image tells how it was measured: its power spectrum, finest scale, edges, noise and negative parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft

from monai_srgan.estimation.negative_parts import NEGATIVE_FEATURES, negative_features
from monai_srgan.estimation.quiet_blocks import QUIET_FEATURES, quiet_features

__all__ = ["AXIS_FEATURES", "FINE_FEATURES", "MIN_SIZE", "SPECTRUM_BINS", "MeasurementFeatures", "measurement_features"]

SPECTRUM_BINS = 32
"""Bins of the power spectrum along each axis, from 0 to the Nyquist limit."""

MIN_SIZE = 2 * SPECTRUM_BINS
"""Smallest image, in pixels along each axis, that fills every bin."""

FINE_FEATURES = 17
"""Number of features of the finest scale."""

_EDGE_FEATURES = 28
AXIS_FEATURES = _EDGE_FEATURES + QUIET_FEATURES + NEGATIVE_FEATURES
"""Number of features of each axis."""

_BLOCK = 4  # pixels along each axis over which local means and variations are taken
_QUANTILES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
_LAGS, _SECOND_LAGS, _EDGE_QUANTILES = (1, 2, 3, 5), (1, 2), (0.5, 0.9, 0.97, 0.995)
_STRONG = 0.985  # quantile of the differences above which a local maximum is an edge
_PROFILE = (-2, -1, 1, 2)  # pixels from an edge at which its profile is sampled
_FEWEST_EDGES = 5
_POWER_FLOOR, _INTENSITY_FLOOR = 1e-12, 1e-4


@dataclass(frozen=True, eq=False)
class MeasurementFeatures:
    """Features of one slice.

    Attributes:
        spectrum: float32 ``(32, 32)``, natural logarithm of the mean power density per bin of the folded spectrum,
            first axis first.
        fine: float32 ``(17,)``, logarithms of quantiles of local standard deviations and means, of the response to a
            second difference along both axes, and the share of negative pixels.
        axes: float32 ``(2, 43)``, for each axis: logarithms of quantiles of differences at several lags; the mean
            profile of the differences around strong edges, relative to the edge's own; the correlation of the noise
            (:func:`~monai_srgan.estimation.quiet_blocks.quiet_features`); negative parts after undoing blurs
            (:func:`~monai_srgan.estimation.negative_parts.negative_features`).
    """

    spectrum: np.ndarray
    fine: np.ndarray
    axes: np.ndarray


def measurement_features(image: np.ndarray) -> MeasurementFeatures:
    """Features of a slice whose intensities are scaled so that white is near 1.

    The spectrum is that of the image times a Hann window, which keeps the borders of the field of view from leaking.

    Args:
        image: ``(X, Y)`` real, at least 64 pixels along each axis.
    """
    image = np.asarray(image, dtype=np.float32)
    edges = np.stack([_edges(image), _edges(image.T)])
    axes = np.concatenate([edges, quiet_features(image), negative_features(image)], axis=1).astype(np.float32)
    return MeasurementFeatures(_log_power(image), _fine_scale(image), axes)


def _log_power(image: np.ndarray) -> np.ndarray:
    first, second = (np.hanning(size + 2)[1:-1].astype(np.float32) for size in image.shape)
    windowed = (image - image.mean()) * first[:, None] * second
    half = fft.rfft2(windowed)
    power = (half.real**2 + half.imag**2) / (np.square(first).sum() * np.square(second).sum())
    rows, columns = (size // 2 for size in image.shape)
    mirrored = np.arange(1, rows + 1)
    folded = (power[mirrored] + power[-mirrored])[:, 1 : columns + 1] / 2
    sums = _bin_sums(_bin_sums(folded, rows).T, columns).T
    counts = np.outer(*(np.bincount(_bins(size), minlength=SPECTRUM_BINS) for size in (rows, columns)))
    return np.log(sums / counts + _POWER_FLOOR).astype(np.float32)


def _bins(size: int) -> np.ndarray:
    return np.arange(size) * SPECTRUM_BINS // size


def _bin_sums(power: np.ndarray, size: int) -> np.ndarray:
    starts = np.searchsorted(_bins(size), np.arange(SPECTRUM_BINS))
    return np.add.reduceat(power, starts, axis=0)


def _fine_scale(image: np.ndarray) -> np.ndarray:
    rows, columns = (size // _BLOCK for size in image.shape)
    blocks = image[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    spread = _quantiles(blocks.std(axis=(1, 3)), _QUANTILES)
    level = np.abs(_quantiles(blocks.mean(axis=(1, 3)), _QUANTILES))
    second = np.abs(np.diff(np.diff(image, 2, axis=0), 2, axis=1))
    scales = np.append(_quantiles(second, (0.5,)), second.mean())
    logs = np.log(np.concatenate([spread, level, scales]) + _INTENSITY_FLOOR)
    return np.append(logs, 3 * np.mean(image < 0)).astype(np.float32)


def _edges(image: np.ndarray) -> np.ndarray:
    """Features of the edges across the first axis."""
    differences = [np.abs(image[lag:] - image[:-lag]) for lag in _LAGS]
    differences += [np.abs(image[2 * lag :] - 2 * image[lag:-lag] + image[: -2 * lag]) for lag in _SECOND_LAGS]
    quantiles = np.concatenate([_quantiles(difference, _EDGE_QUANTILES) for difference in differences])
    return np.concatenate([np.log(quantiles + _INTENSITY_FLOOR), _edge_profile(image)])


def _edge_profile(image: np.ndarray) -> np.ndarray:
    steps = np.diff(image, axis=0)
    sizes, reach = np.abs(steps), max(_PROFILE)
    inner = sizes[reach:-reach]
    strong = inner >= _quantiles(sizes, (_STRONG,))
    peaks = strong & (inner >= sizes[reach - 1 : -reach - 1]) & (inner >= sizes[reach + 1 : len(sizes) - reach + 1])
    if peaks.sum() < _FEWEST_EDGES:
        peaks = strong
    own = steps[reach:-reach][peaks]
    if not len(own):
        return np.zeros(len(_PROFILE))
    end = len(steps) - reach
    return np.array([np.mean(steps[reach + offset : end + offset][peaks] / own) for offset in _PROFILE])


def _quantiles(values: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """As ``np.quantile``, several times faster: sorting float32 is vectorized, selecting is not."""
    ordered = np.sort(values, axis=None)
    position = np.asarray(shares) * (ordered.size - 1)
    lower = position.astype(int)
    upper = np.minimum(lower + 1, ordered.size - 1)
    return ordered[lower] + (position - lower) * (ordered[upper] - ordered[lower])
