# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of an image that tell most about how it was measured."""

from __future__ import annotations

import numpy as np

__all__ = ["NUM_TILES", "TILE_SIZE", "select_tiles"]

TILE_SIZE = 64
"""Pixels of a tile along each axis."""

NUM_TILES = 4
"""Tiles of an image."""


def select_tiles(image: np.ndarray) -> np.ndarray:
    """The tiles with the strongest differences between neighbors, strongest first.

    Tiles cover the image on a regular grid and overlap where its sides are no multiples of 64. An image of 128 x 128
    has exactly four; of a larger one, those with edges and texture tell how it was measured, at a cost that does not
    grow with the image. Tiles are repeated where there are less than four.

    Args:
        image: ``(X, Y)`` real, at least 64 pixels along each axis.

    Returns:
        ``(4, 64, 64)``, float32.
    """
    image = np.asarray(image, dtype=np.float32)
    first, second = (_starts(size) for size in image.shape)
    tiles = np.stack([image[i : i + TILE_SIZE, j : j + TILE_SIZE] for i in first for j in second])
    strength = np.abs(np.diff(tiles, axis=1)).sum(axis=(1, 2)) + np.abs(np.diff(tiles, axis=2)).sum(axis=(1, 2))
    order = np.argsort(-strength, kind="stable")
    return tiles[np.resize(order[:NUM_TILES], NUM_TILES)]


def _starts(size: int) -> list[int]:
    """First pixels of the fewest tiles that cover an axis, evenly spaced."""
    count = -(-size // TILE_SIZE)
    return [round(index * (size - TILE_SIZE) / max(count - 1, 1)) for index in range(count)]
