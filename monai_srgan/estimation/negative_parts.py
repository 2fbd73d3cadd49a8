# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Negative magnitudes after undoing a blur: who undoes more than there was makes what no scanner shows."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import fft

__all__ = ["NEGATIVE_FEATURES", "negative_features"]

_SIGMAS = (0.75, 1.0, 1.25, 1.5, 1.75, 2.1, 2.6)  # of the blurs that are undone, in pixels of the fine grid
_SCALE = 4
_REGULARIZATION = 0.01  # of the Wiener filter
_LINES = 128  # at most, evenly spaced
_FLOOR = 1e-5

NEGATIVE_FEATURES = len(_SIGMAS)
"""Number of features of the negative parts along each axis."""


def negative_features(image: np.ndarray) -> np.ndarray:
    """Negative parts after undoing Gaussian blurs of growing width along each axis.

    Magnitudes are not negative, and a head lies in air. Undoing the blur that there was restores sharp edges; undoing
    a wider one overshoots into the air beside them.

    Args:
        image: float32 ``(X, Y)`` in units in which white is near 1.

    Returns:
        float64 ``(2, 7)``: for each axis the logarithm of the mean negative part after a Wiener filter for blurs of
        sigma 0.75 to 2.6 pixels of the four times finer grid.
    """
    return np.stack([_along_the_first_axis(image), _along_the_first_axis(image.T)])


def _along_the_first_axis(image: np.ndarray) -> np.ndarray:
    lines = image[:, :: -(-image.shape[1] // _LINES)].T
    # Mirrored, so that the ends of a line meet.
    spectrum = fft.rfft(np.concatenate([lines, lines[:, ::-1]], axis=1), axis=1)
    size = image.shape[0]
    restored = [fft.irfft(spectrum * gain, axis=1)[:, :size] for gain in _gains(size)]
    return np.log([np.maximum(-part, 0).mean(dtype=float) + _FLOOR for part in restored])


@cache
def _gains(size: int) -> np.ndarray:
    """Wiener filters at the frequencies of a mirrored line of `size` pixels, ``(7, size + 1)``."""
    frequencies = np.arange(size + 1) / (2 * size)
    transfer = np.exp(-2 * np.square(np.pi * np.outer(_SIGMAS, frequencies) / _SCALE))
    return (transfer / (np.square(transfer) + _REGULARIZATION)).astype(np.float32)
