# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Windows by banded matrices against scipy's filters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from monai_srgan.metrics.banded import SeparableWindow, gaussian_weights


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 8, 16), (2, 7, 15), (1, 9, 33), (3, 64, 50)])
@pytest.mark.parametrize("length", [1, 3, 11, 41])
@pytest.mark.parametrize(("dtype", "gap"), [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_the_window_is_scipys_on_any_size(shape: tuple[int, int, int], length: int, dtype: type, gap: float) -> None:
    rng = np.random.default_rng(3)
    weights, radius = tuple(rng.random(length).tolist()), length // 2
    window = SeparableWindow(weights, shape, dtype)
    for _ in range(2):  # the buffers serve again
        images = rng.normal(size=(shape[0], shape[1] + 2 * radius, shape[2] + 2 * radius)).astype(dtype)
        window.source[:] = images
        got = window.run()
        assert got.shape == shape
        assert got.dtype == dtype
        wide = ndimage.correlate1d(ndimage.correlate1d(images.astype(float), weights, 1), weights, 2)
        inner = slice(radius, -radius or None)
        np.testing.assert_allclose(got, wide[:, inner, inner], rtol=gap, atol=gap * sum(weights) ** 2)
        got[:] = np.nan  # may be overwritten


@pytest.mark.parametrize(("sigma", "radius"), [(1.5, 5), (2.0, 8), (0.03, 0)])
def test_the_weights_are_those_of_scipys_gaussian(sigma: float, radius: int) -> None:
    impulse = np.zeros(2 * radius + 1)
    impulse[radius] = 1
    expected = ndimage.gaussian_filter1d(impulse, sigma, radius=radius, mode="constant")
    np.testing.assert_allclose(gaussian_weights(sigma, radius), expected, rtol=1e-12)
