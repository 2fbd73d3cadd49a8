# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Power and coherence by ring against closed forms and a direct computation in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.signal.windows import tukey

from monai_srgan.metrics import RING_WIDTH, compare_rings


def noise(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def low_pass(image: torch.Tensor, transfer: np.ndarray) -> torch.Tensor:
    """Multiply the spectrum by a real transfer function ``(H, W)``."""
    return torch.from_numpy(np.fft.ifft2(np.fft.fft2(image.numpy()) * transfer).real)


def radius(height: int, width: int) -> np.ndarray:
    return np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])


@pytest.mark.parametrize(("height", "width"), [(61, 84), (84, 61), (50, 50)])
def test_rings_equal_a_loop_over_the_whole_spectrum_in_numpy(height: int, width: int) -> None:
    pred, target = noise((2, 3, height, width), 1), noise((2, 3, height, width), 2)
    target = target + 0.7 * pred
    found = compare_rings(pred, target, ring_width=0.05)
    window = np.outer(tukey(height + 2, 0.25)[1:-1], tukey(width + 2, 0.25)[1:-1])
    p, t = (np.fft.fft2(image.numpy() * window) for image in (pred, target))
    assert found.power.shape == found.coherence.shape == (2, 11)
    for ring, frequency in enumerate(found.frequency.tolist()):
        assert frequency == pytest.approx(0.05 * ring)
        inside = np.abs(radius(height, width) - frequency) < 0.025
        for item in range(2):
            a, b = p[item][:, inside], t[item][:, inside]
            power = 10 * math.log10((abs(a) ** 2).sum() / (abs(b) ** 2).sum())
            coherence = (a * b.conj()).sum() / math.sqrt((abs(a) ** 2).sum() * (abs(b) ** 2).sum())
            assert abs(coherence.imag) < 1e-12
            assert found.power[item, ring].item() == pytest.approx(power, abs=1e-9)
            assert found.coherence[item, ring].item() == pytest.approx(coherence.real, abs=1e-9)


def test_an_image_is_coherent_with_itself_at_any_contrast_and_opposed_to_its_negative() -> None:
    image = noise((1, 1, 75, 130))
    rings = compare_rings(0.25 * image, image)
    torch.testing.assert_close(rings.coherence, torch.ones(1, 65, dtype=torch.float64))
    torch.testing.assert_close(rings.power, torch.full((1, 65), 20 * math.log10(0.25), dtype=torch.float64))
    torch.testing.assert_close(compare_rings(-image, image).coherence, -torch.ones(1, 65, dtype=torch.float64))


def test_independent_noise_is_not_coherent() -> None:
    rings = compare_rings(noise((1, 1, 301, 256), 1), noise((1, 1, 301, 256), 2))
    assert rings.coherence[0, 8:].abs().max() < 0.2
    assert abs(rings.coherence[0, 8:].mean()) < 0.02
    assert abs(rings.power[0, 8:].mean()) < 0.2  # dB


@pytest.mark.parametrize("snr", [0.25, 1.0, 3.0])
def test_the_coherence_of_signal_with_noise_is_that_of_its_ratio(snr: float) -> None:
    shape = (1, 2, 255, 300)
    signal, sigma = noise(shape, 1), 1 / math.sqrt(snr)
    first, second = signal + sigma * noise(shape, 2), signal + sigma * noise(shape, 3)
    both, one = compare_rings(first, second), compare_rings(first, signal)
    assert both.coherence[0, 8:].mean().item() == pytest.approx(snr / (1 + snr), abs=0.01)
    assert one.coherence[0, 8:].mean().item() == pytest.approx(math.sqrt(snr / (1 + snr)), abs=0.01)
    assert one.power[0, 8:].mean().item() == pytest.approx(10 * math.log10(1 + 1 / snr), abs=0.1)


def test_the_power_of_a_filtered_image_is_the_square_of_the_transfer_function() -> None:
    height, width = 240, 301
    image, sigma = noise((1, 1, height, width)), 1.7
    blurred = low_pass(image, np.exp(-2 * (np.pi * sigma * radius(height, width)) ** 2))
    rings = compare_rings(blurred, image)
    some = slice(8, 40)  # at higher frequencies the leakage of the window is stronger than what the blur leaves
    expected = 20 / math.log(10) * -2 * (math.pi * sigma * rings.frequency[some]) ** 2
    assert (rings.power[0, some] - expected).abs().max() < 0.6
    assert rings.coherence[0, some].min() > 0.98


def test_borders_that_do_not_match_are_no_common_detail() -> None:
    """Two images that share only a ramp, whose jump at the border is sharp."""
    ramp = torch.linspace(0, 40, 128, dtype=torch.float64)[:, None]
    rings = compare_rings(ramp + noise((1, 1, 128, 128), 1), ramp + noise((1, 1, 128, 128), 2))
    plain = [np.fft.fft2((ramp + noise((1, 1, 128, 128), seed)).numpy())[0, 0] for seed in (1, 2)]
    far = radius(128, 128) > 0.3
    unwindowed = (plain[0] * plain[1].conj())[far].real.sum() / np.sqrt(
        np.prod([(abs(x[far]) ** 2).sum() for x in plain])
    )
    assert unwindowed > 0.4
    assert rings.coherence[0, 40:].mean().abs() < 0.05


def test_rings_without_coefficients_or_power_were_not_measured() -> None:
    small = compare_rings(noise((1, 1, 20, 20), 1), noise((1, 1, 20, 20), 2))
    assert small.coherence.shape == (1, 65)
    assert small.coherence[0, 3].isnan()  # between the coefficients 0 and 1/20
    assert small.coherence[0, 64].isfinite()
    image = noise((1, 1, 40, 48))
    empty = torch.zeros_like(image)
    assert compare_rings(image, empty).coherence.isnan().all()
    assert compare_rings(image, empty).power.isnan().all()
    rings = compare_rings(empty, image, ring_width=0.1)
    assert torch.equal(rings.coherence, torch.zeros(1, 6, dtype=torch.float64))
    assert torch.equal(rings.power, torch.full((1, 6), -math.inf, dtype=torch.float64))


def test_rounding_is_no_power() -> None:
    first, second = torch.meshgrid(*2 * [torch.arange(96, dtype=torch.float64) - 47.5], indexing="ij")
    blob = torch.exp(-(first**2 + second**2) / (2 * 4.0**2))[None, None]
    rings = compare_rings(blob + 1e-17 * noise((1, 1, 96, 96)), blob)
    assert rings.coherence[0, 5].item() == pytest.approx(1.0)
    assert rings.coherence[0, 58:].isnan().all()  # the blob has exp(-64) of its power there


def test_each_image_of_a_batch_has_its_own_rings_without_metadata() -> None:
    pred, target = noise((2, 1, 48, 50), 1).float(), noise((2, 1, 48, 50), 2).float()
    both = compare_rings(MetaTensor(pred), MetaTensor(target))
    assert type(both.coherence) is torch.Tensor
    assert both.coherence.dtype == both.power.dtype == torch.float64
    for i in range(2):
        one = compare_rings(pred[i : i + 1], target[i : i + 1])
        torch.testing.assert_close(both.coherence[i], one.coherence[0], equal_nan=True)


def test_what_was_cached_in_inference_mode_serves_gradients_too() -> None:
    image = noise((1, 1, 37, 41))
    with torch.inference_mode():
        compare_rings(image, image)
    pred = image.clone().requires_grad_()
    compare_rings(pred, noise((1, 1, 37, 41), 5)).coherence[0, 30].backward()
    assert pred.grad is not None
    assert pred.grad.abs().max() > 0


def test_bad_arguments_are_named() -> None:
    image = torch.rand(1, 1, 16, 16)
    with pytest.raises(ValueError, match=r"ring_width must be in \(0, 0.25\] cycles per pixel, got 0.3"):
        compare_rings(image, image, ring_width=0.3)
    with pytest.raises(ValueError, match="same shape"):
        compare_rings(image, image[..., :8])
    with pytest.raises(ValueError, match="pred has NaN"):
        compare_rings(image * math.nan, image)
    with pytest.raises(TypeError, match="target must be a floating point tensor"):
        compare_rings(image, image.int())
    assert RING_WIDTH == 1 / 128
