# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Evidence of the blur that does not depend on the content: the noise's correlation, and negative parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from monai_srgan.estimation.negative_parts import negative_features
from monai_srgan.estimation.quiet_blocks import quiet_features


def noise(size=256, seed=0):
    return np.random.RandomState(seed).randn(size, size).astype(np.float32)


def test_white_noise_is_not_correlated_beyond_what_subtracting_a_surface_leaves():
    found = quiet_features(0.02 * noise() + 0.5)
    assert found.shape == (2, 8)
    np.testing.assert_array_equal(found[:, :4], 0)  # no air
    # Subtracting 6 of 64 functions correlates the rest negatively: the sum over all lags of a centered block is 0.
    assert np.abs(found[:, 4:]).max() < 0.2
    assert (found[:, 4:] < 0).all()


def test_the_correlation_is_that_of_the_filter_along_each_axis():
    filtered = ndimage.gaussian_filter(noise(), (1.0, 0), mode="wrap")
    white, correlated = quiet_features(0.02 * noise() + 0.5), quiet_features(0.02 * filtered + 0.5)
    assert correlated[0, 4] > 0.5  # exp(-1 / 4) = 0.78 less the surface's part
    np.testing.assert_allclose(correlated[1, 4:], white[1, 4:], rtol=0, atol=0.15)
    np.testing.assert_allclose(quiet_features(0.02 * filtered.T + 0.5), correlated[::-1], rtol=0, atol=1e-5)


def test_content_does_not_matter_where_there_are_quiet_blocks():
    filtered = ndimage.gaussian_filter(noise(), 0.7, mode="wrap")
    flat = 0.02 * filtered + 0.5
    busy = flat.copy()
    busy[::2, :128] += np.random.RandomState(1).rand(128, 128).astype(np.float32)
    np.testing.assert_allclose(quiet_features(busy)[:, 4:], quiet_features(flat)[:, 4:], rtol=0, atol=0.1)


def test_air_and_tissue_are_told_apart_and_constants_are_nothing():
    image = np.zeros((128, 128), np.float32)
    assert not quiet_features(image).any()
    image[:, 64:] = 0.5 + 0.02 * noise(128)[:, 64:]
    found = quiet_features(image)
    assert not found[:, :4].any()
    assert found[:, 4:].all()
    image[:, :64] = 0.01 * np.abs(ndimage.gaussian_filter(noise(128, 2), 1.0))[:, :64]
    assert (quiet_features(image)[:, 0] > found[:, 4] + 0.2).all()


@pytest.mark.parametrize("size", [128, 512])
@pytest.mark.parametrize("sigma", [1.0, 1.75])
def test_negative_parts_appear_where_more_blur_is_undone_than_there_was(size, sigma):
    head = np.zeros((4 * size, size))
    head[size:-size, size // 4 : -size // 4] = 1
    blurred = ndimage.gaussian_filter1d(head, sigma, axis=0, truncate=8)
    found = np.exp(negative_features(blurred.reshape(size, 4, size).mean(axis=1).astype(np.float32)))
    assert found.shape == (2, 7)
    assert (np.diff(found[0]) >= -1e-6).all()
    widest_that_fits = {1.0: 1, 1.75: 4}[sigma]
    assert found[0, -1] > 2 * found[0, widest_that_fits]
    assert found[1, widest_that_fits] > found[0, widest_that_fits]  # nothing was blurred along the second axis


def test_negative_parts_follow_the_axes():
    image = np.random.RandomState(3).rand(64, 96).astype(np.float32)
    np.testing.assert_allclose(negative_features(image.T), negative_features(image)[::-1], rtol=0, atol=1e-5)
