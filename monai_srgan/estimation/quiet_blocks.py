# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The correlation of the noise where an image shows nothing else: it tells the blur whatever the content."""

from __future__ import annotations

import numpy as np

__all__ = ["QUIET_FEATURES", "quiet_features"]

_BLOCK = 8  # pixels along each axis
_LAGS = (1, 2, 3, 4)
_AIR = 0.06  # of white: blocks with a lower mean show air
_QUIETEST_AIR, _QUIETEST_TISSUE = 0.5, 0.15  # share of the blocks of a kind that is looked at
_FEWEST = 4  # blocks that a correlation is taken from
_VARIANCE_FLOOR = 1e-9  # blocks of less were set to a constant

QUIET_FEATURES = 2 * len(_LAGS)
"""Number of features of the noise along each axis."""


def quiet_features(image: np.ndarray) -> np.ndarray:
    """Correlation of the noise along both axes.

    A measurement filters the noise of its object as it filters the content. Where the content is smooth, after
    subtracting a quadratic surface from blocks of 8 x 8 pixels, the noise remains, and the correlation of neighbors is
    that of the transfer function, whatever was scanned. The quietest half of the blocks of air and the quietest 15 %
    of the blocks of tissue are looked at.

    Args:
        image: float32 ``(X, Y)`` in units in which white is near 1, at least 64 pixels along each axis.

    Returns:
        float64 ``(2, 8)``: for each axis the correlation at lags of 1 to 4 pixels in air, then that in tissue; 0 where
        there are fewer than four such blocks.
    """
    rows, columns = (size // _BLOCK for size in image.shape)
    blocks = image[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    flat = blocks.swapaxes(1, 2).reshape(-1, _BLOCK**2)
    residuals = flat - (flat @ _SURFACES) @ _SURFACES.T
    power = np.square(residuals).mean(axis=1)
    alive, air = power > _VARIANCE_FLOOR, flat.mean(axis=1) < _AIR
    kinds = [_quietest(residuals, power, alive & air, _QUIETEST_AIR)]
    kinds.append(_quietest(residuals, power, alive & ~air, _QUIETEST_TISSUE))
    return np.concatenate([_correlations(kind) for kind in kinds], axis=1)


def _quietest(residuals: np.ndarray, power: np.ndarray, wanted: np.ndarray, share: float) -> np.ndarray:
    found = np.flatnonzero(wanted)
    ordered = found[np.argsort(power[found], kind="stable")]
    return residuals[ordered[: int(np.ceil(share * len(ordered)))]].reshape(-1, _BLOCK, _BLOCK)


def _correlations(blocks: np.ndarray) -> np.ndarray:
    """Correlation at each lag along both axes, ``(2, 4)``, of blocks ``(N, 8, 8)``."""
    if len(blocks) < _FEWEST:
        return np.zeros((2, len(_LAGS)))
    # Each block counts alike: otherwise those of the content would dominate.
    blocks = blocks / np.sqrt(np.square(blocks).mean(axis=(1, 2), keepdims=True))
    return np.array(
        [
            [np.mean(turned[:, lag:] * turned[:, :-lag], dtype=float) for lag in _LAGS]
            for turned in (blocks, blocks.swapaxes(1, 2))
        ]
    )


def _surfaces() -> np.ndarray:
    """Orthonormal quadratic surfaces of a block, ``(64, 6)``."""
    x, y = np.meshgrid(*2 * [np.linspace(-1, 1, _BLOCK)], indexing="ij")
    powers = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=-1).reshape(_BLOCK**2, -1)
    return np.linalg.qr(powers)[0].astype(np.float32)


_SURFACES = _surfaces()
