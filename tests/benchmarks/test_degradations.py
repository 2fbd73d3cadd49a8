# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Degradations of the benchmarks: grid, mean, and what each does to the spectrum."""

from __future__ import annotations

import degradations
import numpy as np
import pytest
import torch

ALL = {**degradations.BARRED, **degradations.OTHERS}
H, W = 96, 64


def wave(f_x: int, f_y: int, phase: float = 0.3) -> torch.Tensor:
    """A cosine of whole cycles per field of view along both axes."""
    x, y = torch.arange(H, dtype=torch.float64)[:, None] / H, torch.arange(W, dtype=torch.float64) / W
    return torch.cos(2 * np.pi * (f_x * x + f_y * y) + phase)[None, None]


def amplitude(lr: torch.Tensor) -> float:
    return float(lr.std(correction=0) * 2**0.5)


@pytest.mark.parametrize("name", ALL)
def test_a_flat_image_stays_flat_on_the_low_resolution_grid(name: str) -> None:
    lr = ALL[name](torch.full((1, 1, H, W), 0.8, dtype=torch.float64), np.random.default_rng(1))
    assert lr.shape == (1, 1, H // 4, W // 4)
    assert lr.dtype == torch.float64
    tolerance = 0.03 if "noise" in name else 1 / 510 if "8 bits" in name else 1e-6
    assert float(lr.mean()) == pytest.approx(0.8, abs=tolerance)


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("nearest", "k-space, partial Fourier 6/8")])
def test_pixels_lie_at_the_centers_of_their_cells(name: str) -> None:
    ramp = torch.arange(H, dtype=torch.float64)[:, None].expand(H, W)[None, None] / H
    flipped = ALL[name](ramp.flip(-2), np.random.default_rng(1)).flip(-2)
    tolerance = 0.6 if "noise" in name else 0.01
    assert torch.allclose(flipped, ALL[name](ramp, np.random.default_rng(1)), atol=tolerance)


def test_the_anisotropic_blur_has_a_sigma_for_each_axis() -> None:
    for f_x, f_y, sigma in ((6, 0, 1.0), (0, 4, 2.0)):  # 1/16 cycles per pixel each
        expected = amplitude(degradations.gaussian(wave(f_x, f_y), sigma))
        found = amplitude(degradations.anisotropic_gaussian(wave(f_x, f_y), 1.0, 2.0))
        assert found == pytest.approx(expected, rel=1e-9)


def test_the_box_is_the_mean_of_a_cell_and_nearest_one_of_its_pixels() -> None:
    image = torch.arange(64.0, dtype=torch.float64).reshape(1, 1, 8, 8)
    assert degradations.box_average(image)[0, 0].tolist() == [[13.5, 17.5], [45.5, 49.5]]
    assert degradations.nearest(image)[0, 0].tolist() == [[18.0, 22.0], [50.0, 54.0]]
    assert degradations.bilinear(image)[0, 0].tolist() == [[13.5, 17.5], [45.5, 49.5]]


def test_windows_of_k_space_pass_what_they_should() -> None:
    # LR's band ends at 12 cycles along x and 8 along y
    assert amplitude(degradations.hamming_k_space(wave(6, 0))) == pytest.approx(0.54, abs=1e-9)
    assert amplitude(degradations.k_space(wave(9, 6))) == pytest.approx(1, abs=1e-9)
    assert amplitude(degradations.k_space(wave(13, 0))) == pytest.approx(0, abs=1e-9)
    assert amplitude(degradations.elliptical_k_space(wave(9, 6))) == pytest.approx(0, abs=1e-9)  # 0.75^2 + 0.75^2 > 1
    assert amplitude(degradations.elliptical_k_space(wave(9, 5))) == pytest.approx(1, abs=1e-9)
    assert amplitude(degradations.zero_filled(wave(9, 0), 0.8, 0.6)) == pytest.approx(1, abs=1e-9)
    assert amplitude(degradations.zero_filled(wave(10, 0), 0.8, 0.6)) == pytest.approx(0, abs=1e-9)
    assert amplitude(degradations.zero_filled(wave(0, 5), 0.8, 0.6)) == pytest.approx(0, abs=1e-9)


def test_partial_fourier_halves_waves_beyond_the_lines_that_were_measured() -> None:
    flat = torch.ones(1, 1, H, W, dtype=torch.float64)
    inner = degradations.partial_fourier(flat + 0.1 * wave(0, 3), 0.75) - 1
    outer = degradations.partial_fourier(flat + 0.1 * wave(0, 6), 0.75) - 1
    assert amplitude(inner) == pytest.approx(0.1, rel=1e-6)
    assert amplitude(outer) == pytest.approx(0.05, rel=0.02)


def test_noise_is_rician_seeded_and_of_the_stated_level() -> None:
    air = torch.zeros(1, 1, 300, 200, dtype=torch.float64)
    noisy = degradations.rician(air, 0.02, np.random.default_rng(5))
    assert torch.equal(noisy, degradations.rician(air, 0.02, np.random.default_rng(5)))
    assert float((noisy**2).mean()) == pytest.approx(2 * 0.02**2, rel=0.02)  # Rayleigh
    assert float(degradations.rician(air + 1, 0.02, np.random.default_rng(5)).std()) == pytest.approx(0.02, rel=0.02)


def test_eight_bits_round_and_clip() -> None:
    values = torch.tensor([-0.1, 0.3, 1.2], dtype=torch.float64)
    assert degradations.eight_bits(values).tolist() == pytest.approx([0, 76 / 255, 1])
