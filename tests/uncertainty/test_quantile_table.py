# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Features of a pixel, and the table of error quantiles that is fitted to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from interval_data import TABLE, maps
from scipy import ndimage

from monai_srgan.uncertainty import fit_quantile_table, pixel_features


def test_features_are_the_windows_means_that_scipy_computes():
    mean, spread, _ = maps(0)
    found = pixel_features(mean, spread, 5)[:, 0, 0, 4:-4, 4:-4]
    image = mean[0, 0].double().numpy()
    detail = image - ndimage.uniform_filter(image, 5)
    expected = [ndimage.uniform_filter(spread[0, 0].double().numpy(), 5), ndimage.uniform_filter(detail**2, 5) ** 0.5]
    np.testing.assert_allclose(found, np.stack(expected)[:, 4:-4, 4:-4], rtol=1e-4)


def test_features_turn_with_the_image_and_volumes_are_slices():
    mean, spread, _ = maps(1)
    found = pixel_features(mean, spread)
    turned = pixel_features(mean.transpose(2, 3).flip(2), spread.transpose(2, 3).flip(2))
    torch.testing.assert_close(turned.flip(3).transpose(3, 4), found, rtol=1e-4, atol=1e-6)
    volume = [torch.stack([image, image.flip(2)], dim=-1).expand(2, 3, -1, -1, -1) for image in (mean, spread)]
    several = pixel_features(*volume)
    assert several.shape == (2, 2, 3, 48, 40, 2)
    torch.testing.assert_close(several[:, 1, 2, :, :, 0], found[:, 0, 0], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(several[:, 0, 1, :, :, 1], found[:, 0, 0].flip(1), rtol=1e-4, atol=1e-6)


def test_rounding_does_not_pass_for_spread():
    flat = torch.full((1, 1, 12, 12), 0.7)
    assert pixel_features(flat, flat * 1e-8).unique().tolist() == pytest.approx([1e-5])


def test_a_table_gives_each_pixel_the_quantile_of_its_bin():
    mean = torch.zeros(1, 1, 4, 1)
    spread = torch.tensor([0.005, 0.01, 0.02, 0.5]).reshape(1, 1, 4, 1)
    assert TABLE(mean, spread).flatten().tolist() == pytest.approx([0.1, 0.4, 0.4, 0.4])  # an edge belongs to above


def test_fitted_quantiles_are_numpy_s_in_every_bin():
    random = np.random.default_rng(3)
    features = random.random((2, 40_000)).astype(np.float32)
    errors = (features[0] * random.random(40_000)).astype(np.float32)
    table = fit_quantile_table(features, errors, np.ones(40_000), 0.8, bins=4)
    assert table.quantiles.shape == (4, 4)
    np.testing.assert_allclose(table.edges[0], [0.25, 0.5, 0.75], atol=0.02)
    for i in range(4):
        for j in range(4):
            here = np.searchsorted(table.edges[0], features[0], "right") == i
            here &= np.searchsorted(table.edges[1], features[1], "right") == j
            expected = np.quantile(errors[here], 0.8, method="inverted_cdf")
            assert table.quantiles[i, j] == pytest.approx(expected)


def test_pixels_count_by_their_weight():
    features, errors = np.ones((2, 1000)), np.repeat([1.0, 2.0], 500)
    for weight, expected in ((9.1, 1.0), (8.9, 2.0)):
        table = fit_quantile_table(features, errors, np.repeat([weight, 1.0], 500), 0.9)
        assert table.quantiles.tolist() == [[expected]]  # equal features make one bin


def test_a_bin_of_few_pixels_takes_its_neighbor_s_quantile():
    corner = [[0.0] * 500 + [1.0] * 500, [0.0] * 500 + [1.0] * 500]
    errors = np.repeat([1.0, 2.0], 500)
    table = fit_quantile_table(np.array(corner), errors, np.ones(1000), 0.5, bins=2)
    assert table.quantiles.diagonal().tolist() == [1.0, 2.0]
    assert set(table.quantiles.ravel()) == {1.0, 2.0}


def test_a_lookup_of_pixels_is_that_of_the_image():
    mean, spread, _ = maps(4)
    features = pixel_features(mean, spread, TABLE.window).reshape(2, -1).numpy()
    np.testing.assert_allclose(TABLE.lookup(features), TABLE(mean, spread).flatten(), rtol=1e-6)
    on_edges = np.array([[0.01, 0.009], [0.05, 0.02]])
    assert TABLE.lookup(on_edges).tolist() == [0.6, 0.2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": np.ones((3, 200))}, r"shapes \(2, N\), \(N,\) and \(N,\), got \(3, 200\)"),
        ({"level": 0.0}, "level must lie in"),
        ({"bins": 0}, "bins must be at least 1"),
    ],
)
def test_a_table_cannot_be_fitted_to_anything(arguments: dict[str, Any], message: str):
    usual = {"features": np.ones((2, 200)), "errors": np.ones(200), "weights": np.ones(200)}
    with pytest.raises(ValueError, match=message):
        fit_quantile_table(**{**usual, **arguments})


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="mean and spread must have the same shape"):
        pixel_features(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 5))
    with pytest.raises(ValueError, match="window must be an odd number of pixels"):
        pixel_features(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4), 4)
