# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""k-space crops with windows: against numpy's FFT, the separable crop, and closed forms."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
import torch

from monai_srgan.physics import KSpaceDownsample, WindowedKSpaceDownsample
from monai_srgan.physics.kspace import tukey_window


def image(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("size", [(48, 40), (52, 44), (20, 36)])
@pytest.mark.parametrize("scale", [2, 4])
def test_a_rectangle_without_window_is_the_separable_crop(size, scale):
    x = image(2, 1, *size)
    ours = WindowedKSpaceDownsample(scale, exponent=None)(x)
    torch.testing.assert_close(ours, KSpaceDownsample(scale)(x), rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [(12, 20), (13, 9)])
def test_it_is_the_cropped_and_weighted_spectrum(size):
    scale, operator = 4, WindowedKSpaceDownsample(4, support=(0.9, 0.6), exponent=3.0, taper=0.4, pedestal=0.2)
    big = [scale * n for n in size]
    x = image(1, 1, *big)
    spectrum = np.fft.fft2(x[0, 0].numpy())
    rows, columns = (np.arange(-(n // 2), n // 2 + 1) for n in size)  # both Nyquist lines of an even size
    radius = (np.abs(2 * rows / size[0] / 0.9)[:, None] ** 3 + np.abs(2 * columns / size[1] / 0.6) ** 3) ** (1 / 3)
    weight = np.where(radius <= 1, 0.2 + 0.8 * 0.5 * (1 + np.cos(np.pi * np.clip((radius - 0.6) / 0.4, 0, 1))), 0)
    weight *= np.where(2 * np.abs(rows) == size[0], 0.5, 1)[:, None] * np.where(2 * np.abs(columns) == size[1], 0.5, 1)
    centers = [scale * np.arange(n) + (scale - 1) / 2 for n in size]
    waves = [np.exp(2j * np.pi * np.outer(p, k) / n) for p, k, n in zip(centers, (rows, columns), big, strict=True)]
    expected = (waves[0] @ (weight * spectrum[np.ix_(rows, columns)]) @ waves[1].T).real / (big[0] * big[1])
    np.testing.assert_allclose(operator(x)[0, 0].numpy(), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    "operator",
    [
        WindowedKSpaceDownsample(4),
        WindowedKSpaceDownsample(4, support=(0.7, 1.0), exponent=4.0, taper=0.5),
        WindowedKSpaceDownsample(2, fermi=0.08),
    ],
)
@pytest.mark.parametrize("cells", [(6, 10), (7, 5)])
def test_the_adjoint_is_exact(operator, cells):
    x = image(1, 1, *(operator.scale * n for n in cells))
    y = image(1, 1, *cells, seed=1)
    torch.testing.assert_close((operator(x) * y).sum(), (x * operator.adjoint(y)).sum(), rtol=1e-12, atol=0)


def test_the_mean_is_preserved_and_an_ellipse_has_no_corners():
    x = image(1, 1, 64, 48)
    y = WindowedKSpaceDownsample(4)(x)
    torch.testing.assert_close(y.mean(), x.mean())
    spectrum = torch.fft.fft2(y[0, 0]).abs()
    assert spectrum[7, 5] < 1e-9  # outside: (7/8)^2 + (5/6)^2 > 1
    assert spectrum[3, 3] > 1e-3


def test_a_fermi_window_is_half_at_its_radius():
    operator = WindowedKSpaceDownsample(4, fermi=0.1)
    frequency = np.array([0.0, 0.8, 1.0, 1.01])
    np.testing.assert_allclose(
        operator.window(frequency, np.zeros(4)), [1 / (1 + np.exp(-8)), 0.5, 1 / (1 + np.exp(2)), 0], rtol=1e-12
    )


@pytest.mark.parametrize(("taper", "pedestal"), [(1.0, 0.08), (1.0, 0.0), (0.5, 0.25)])
def test_windows_against_their_closed_forms(taper, pedestal):
    radius = np.linspace(0, 1, 11)
    window = tukey_window(radius, taper, pedestal)
    if (taper, pedestal) == (1.0, 0.08):
        np.testing.assert_allclose(window, 0.54 + 0.46 * np.cos(np.pi * radius), rtol=0, atol=1e-12)  # Hamming
    assert window[0] == 1
    assert window[-1] == pytest.approx(pedestal)
    assert tukey_window(np.array([1.001]), taper, pedestal) == 0


def test_a_part_of_the_band_is_filled_with_zeros():
    x = image(1, 1, 64, 64)
    spectrum = torch.fft.rfft2(KSpaceDownsample(4, support=0.5)(x)[0, 0]).abs()
    assert spectrum[5:12].max() < 1e-9  # 4 of 8 lines on either side
    assert spectrum[:, 5:].max() < 1e-9
    assert spectrum[4, 4] > 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"support": (0.0, 1.0)}, "support must be two fractions of the LR band in (0, 1], got (0.0, 1.0)"),
        ({"support": (0.5, 1.2)}, "support must be two fractions"),
        ({"exponent": 0.5}, "exponent must be at least 1, got 0.5"),
        ({"taper": 1.5}, "taper must lie in [0, 1], got 1.5"),
        ({"pedestal": -0.1}, "pedestal must lie in [0, 1], got -0.1"),
        ({"fermi": 0.0}, "fermi must be a width in (0, 0.25]"),
        ({"fermi": 0.1, "taper": 0.2}, "fermi=0.1 excludes taper=0.2"),
        ({"scale": 1}, "scale must be an integer of at least 2"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        WindowedKSpaceDownsample(**arguments)


@pytest.mark.parametrize(("arguments", "message"), [({"support": 0.0}, "support"), ({"pedestal": 2}, "pedestal")])
def test_bad_arguments_of_the_separable_crop_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        KSpaceDownsample(4, **arguments)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"divisible by 4, got \(10, 8\)"):
        WindowedKSpaceDownsample(4)(torch.rand(1, 1, 10, 8))


def test_low_precision_and_copies():
    operator, x = WindowedKSpaceDownsample(4, taper=0.3), image(1, 1, 32, 32).float()
    expected = operator(x)
    assert operator(x.bfloat16()).dtype == torch.bfloat16
    torch.testing.assert_close(operator(x.bfloat16()).float(), expected, rtol=0, atol=1e-2)
    assert torch.equal(pickle.loads(pickle.dumps(operator))(x), expected)
    assert torch.equal(copy.deepcopy(operator)(x), expected)
    with torch.inference_mode():
        operator(image(1, 1, 16, 16).float())
    operator(image(1, 1, 16, 16).float().requires_grad_()).sum().backward()  # not a tensor of inference mode
