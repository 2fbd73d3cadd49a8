# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Tiles of an image: complete, strongest first, a fixed number for any size; their description ignores their order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_srgan.estimation.tile_encoder import TileEncoder
from monai_srgan.estimation.tiles import select_tiles


def test_four_tiles_are_the_whole_of_128_by_128_pixels():
    image = np.random.RandomState(0).rand(128, 128)
    found = select_tiles(image)
    assert found.dtype == np.float32
    expected = image.astype(np.float32).reshape(2, 64, 2, 64).swapaxes(1, 2).reshape(4, 64, 64)
    assert {tile.tobytes() for tile in found} == {tile.tobytes() for tile in expected}


@pytest.mark.parametrize("shape", [(64, 64), (64, 100), (65, 200), (512, 512)])
def test_any_size_gives_four(shape):
    assert select_tiles(np.random.RandomState(0).rand(*shape)).shape == (4, 64, 64)


def test_the_strongest_differences_come_first():
    image = np.zeros((256, 192))
    image[64:128, 128:192] = 4 * np.random.RandomState(0).rand(64, 64)
    image[192:, :64] = np.random.RandomState(1).rand(64, 64)
    found = select_tiles(image)
    np.testing.assert_array_equal(found[0], image[64:128, 128:192].astype(np.float32))
    np.testing.assert_array_equal(found[1], image[192:, :64].astype(np.float32))


def test_overlapping_tiles_reach_both_borders():
    image = np.zeros((150, 64))
    image[0], image[-1] = 1, 1
    found = select_tiles(image)
    assert any(tile[0].all() for tile in found)
    assert any(tile[-1].all() for tile in found)


def test_the_description_does_not_depend_on_the_order_of_the_tiles():
    torch.manual_seed(0)
    encoder = TileEncoder(8, dropout=0.0).eval()
    tiles = torch.rand(2, 4, 64, 64)
    with torch.no_grad():
        found, turned = encoder(tiles), encoder(tiles.flip(1))
    assert found.shape == (2, 8)
    torch.testing.assert_close(found, turned)
