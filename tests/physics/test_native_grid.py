# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Crop of k-space and filling with zeros, against closed forms, numpy's FFT and the operator of the same geometry."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_srgan.physics import AxisSupport, KSpaceDownsample, SupportEstimate, fourier_resize, native_size


def wave(x: np.ndarray, y: np.ndarray, size: tuple[int, int], phase: float = 0.0) -> np.ndarray:
    """A periodic image of a few asymmetric frequencies, at any points given in pixels of a grid of `size`."""
    u, v = 2 * np.pi * (x[:, None] + 0.5) / size[0], 2 * np.pi * (y[None] + 0.5) / size[1]  # from the edge of the view
    return 0.3 + np.cos(4 * u - 3 * v + 0.4 + phase) + 0.5 * np.sin(2 * u + 5 * v) + 0.25 * np.cos(5 * u + 1.1)


SIZES = [((36, 32), (14, 14)), ((37, 25), (13, 12)), ((30, 41), (12, 41)), ((24, 24), (17, 19))]


@pytest.mark.parametrize(("fine", "coarse"), SIZES)
@pytest.mark.parametrize("down", [True, False])
def test_both_grids_show_the_same_field_of_view(fine, coarse, down):
    images = {size: torch.from_numpy(wave(np.arange(size[0]), np.arange(size[1]), size)) for size in (fine, coarse)}
    source, target = (fine, coarse) if down else (coarse, fine)
    out = fourier_resize(images[source], target)
    torch.testing.assert_close(out, images[target], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("fine", "coarse"), SIZES)
def test_a_complex_image_is_resized_as_its_parts(fine, coarse):
    parts = [wave(np.arange(fine[0]), np.arange(fine[1]), fine, phase) for phase in (0.0, 0.9)]
    whole = fourier_resize(torch.from_numpy(parts[0] + 1j * parts[1]), coarse)
    assert whole.is_complex()
    torch.testing.assert_close(whole.real, fourier_resize(torch.from_numpy(parts[0]), coarse), rtol=0, atol=1e-12)
    torch.testing.assert_close(whole.imag, fourier_resize(torch.from_numpy(parts[1]), coarse), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("old", "new"), [(30, 12), (30, 13), (31, 12), (12, 30), (13, 31), (12, 31)])
def test_one_axis_equals_the_cropped_or_padded_fft(old, new):
    x = np.random.RandomState(0).rand(old)
    kept = min(old, new)
    spectrum = np.fft.fftshift(np.fft.fft(x))
    k = np.arange(-(old // 2), old - old // 2)
    expected = np.zeros(new)
    position = (np.arange(new) + 0.5) * old / new - 0.5
    for frequency, value in zip(k, spectrum, strict=True):
        if 2 * abs(frequency) > kept:
            continue
        term = value * np.exp(2j * np.pi * frequency * position / old)
        if 2 * abs(frequency) == kept:  # a Nyquist line stands for both signs, half each
            term = term.real if kept == old else term / 2
        expected = expected + term
    np.testing.assert_allclose(expected.imag, 0, atol=1e-12)
    out = fourier_resize(torch.from_numpy(x), [new], dims=[0])
    np.testing.assert_allclose(out.numpy(), expected.real / old, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("scale", "size"), [(4, (48, 32)), (3, (27, 24)), (2, (10, 14))])
def test_integer_ratios_give_the_operator(scale, size):
    x = torch.rand(2, 1, *size, dtype=torch.float64)
    out = fourier_resize(x, [n // scale for n in size])
    torch.testing.assert_close(out, KSpaceDownsample(scale)(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("coarse", "fine"), [((21, 15), (64, 30)), ((11, 33), (13, 34)), ((9, 9), (9, 27))])
def test_an_image_survives_zero_filling_and_the_crop(coarse, fine):
    x = torch.randn(3, *coarse, 2, dtype=torch.float64)
    there = fourier_resize(x, fine, dims=(1, 2))
    assert there.shape == (3, *fine, 2)
    torch.testing.assert_close(fourier_resize(there, coarse, dims=(1, 2)), x, rtol=0, atol=1e-13)
    torch.testing.assert_close(there.mean((1, 2)), x.mean((1, 2)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [(30, 22), (10, 13)])
def test_resizing_commutes_with_flips(size):
    x = torch.randn(17, 18, dtype=torch.float64)
    torch.testing.assert_close(fourier_resize(x.flip(0, 1), size).flip(0, 1), fourier_resize(x, size))


def test_kinds_of_numbers_are_kept_and_integers_refused():
    assert fourier_resize(torch.rand(8, 9).bfloat16(), (4, 12)).dtype == torch.bfloat16
    assert fourier_resize(torch.rand(8, 9), (4, 12)).dtype == torch.float32
    with pytest.raises(ValueError, match=r"image must be floating point or complex, got torch.int16"):
        fourier_resize(torch.ones(8, 9, dtype=torch.int16), (4, 4))
    with pytest.raises(ValueError, match=r"size must hold one positive integer for each of the axes"):
        fourier_resize(torch.ones(8, 9), (4, 0))
    with pytest.raises(ValueError, match=r"size must hold one positive integer"):
        fourier_resize(torch.ones(8, 9), [4])


def estimate(size: tuple[int, int], width: tuple[float, float], uncertainty: float = 2.0) -> SupportEstimate:
    first, second = (
        AxisSupport(n, "zero-filled", w, uncertainty) if w < n else AxisSupport(n, "full", float(n))
        for n, w in zip(size, width, strict=True)
    )
    return SupportEstimate((first, second))


@pytest.mark.parametrize(
    ("size", "width", "expected"),
    [
        ((512, 512), (237, 317.5), (320, 320)),  # 317.5 + 2, to even
        ((512, 512), (237, 512), (512, 512)),  # the other axis is filled: pixels stay square
        ((512, 512), (480, 490), (512, 512)),  # hardly smaller
        ((512, 416), (237, 250), (320, 260)),  # 252 / 416 needs 311: the next ratio of 1 / 32 with even sizes
        ((511, 512), (237, 300), (302, 302)),  # no common divisor: nearly square pixels
    ],
)
def test_the_native_grid_holds_the_larger_support_with_pixels_of_the_same_shape(size, width, expected):
    assert native_size(estimate(size, width)) == expected


def test_an_unknown_support_changes_no_grid():
    unknown = SupportEstimate((AxisSupport(16, "unknown"), AxisSupport(18, "unknown")), reason="too small")
    assert native_size(unknown) == (16, 18)
