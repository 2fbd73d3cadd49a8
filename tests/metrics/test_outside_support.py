# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Power outside the acquired support, on images whose spectra are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from monai_srgan.metrics import OutsideSupportPower, outside_support

HEIGHT, WIDTH = 150, 201
SUPPORT = (0.6, 0.8)  # of the Nyquist frequency along the first and the second axis


def zero_filled(outside: float, seed: int) -> torch.Tensor:
    """White noise whose spectrum outside the support is multiplied by a factor."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH)))
    first, second = np.abs(np.fft.fftfreq(HEIGHT))[:, None], np.abs(np.fft.fftfreq(WIDTH))[None]
    inside = (first <= SUPPORT[0] / 2) & (second <= SUPPORT[1] / 2)
    return torch.from_numpy(np.fft.ifft2(np.where(inside, 1.0, outside) * spectrum).real)[None, None]


def test_power_is_relative_to_the_floor_of_the_target() -> None:
    target, pred = zero_filled(0.05, 1), zero_filled(0.2, 2)
    found = outside_support(pred, target, [(0.66, 0.86)])  # a little wider: the window smears the edge
    assert found.power.item() == pytest.approx(20 * math.log10(0.2 / 0.05), abs=0.2)
    area = 1 - 0.66 * 0.86
    expected = area * 0.2**2 / (SUPPORT[0] * SUPPORT[1] + (1 - SUPPORT[0] * SUPPORT[1]) * 0.2**2)
    assert found.share.item() == pytest.approx(expected, rel=0.05)


def test_the_first_fraction_belongs_to_the_first_axis() -> None:
    target = zero_filled(1e-3, 1)
    right, swapped = (outside_support(target, target, [pair]).share.item() for pair in ((0.66, 0.86), (0.86, 0.66)))
    assert right < 1e-4
    assert swapped > 0.05


def test_a_target_is_its_own_floor_and_white_noise_is_everywhere() -> None:
    white = zero_filled(1.0, 4)
    found = outside_support(white, white, [SUPPORT])
    assert found.power.item() == 0
    assert found.share.item() == pytest.approx(1 - SUPPORT[0] * SUPPORT[1], abs=0.02)


def test_the_score_takes_the_support_of_each_target() -> None:
    pred = torch.cat([zero_filled(0.2, 1), zero_filled(0.3, 2), zero_filled(0.1, 3)])
    target = torch.cat([zero_filled(0.05, seed) for seed in (4, 5, 6)])
    supports = iter([(0.66, 0.86), None, (1.0, 0.9)])
    seen = []

    def support(image: torch.Tensor) -> tuple[float, float] | None:
        seen.append(image.shape)
        return next(supports)

    found = OutsideSupportPower(support)(pred, target, {})
    assert list(found) == [("whole", "outside_power"), ("whole", "outside_share")]
    assert seen == [(1, HEIGHT, WIDTH)] * 3
    for values in found.values():
        assert values.isnan().tolist() == [False, True, False]
    fixed = OutsideSupportPower([0.66, 0.86])(pred, target, {})
    assert torch.equal(fixed["whole", "outside_power"][:1], found["whole", "outside_power"][:1])
    assert fixed["whole", "outside_power"].isfinite().all()


def test_what_cannot_be_compared_was_not_measured() -> None:
    image = zero_filled(0.1, 1)
    complete = outside_support(image, image, [(1.0, 1.0)])
    assert complete.power.isnan().all()
    assert complete.share.isnan().all()
    nothing = outside_support(image, torch.zeros_like(image), [SUPPORT])
    assert nothing.power.isnan().all()
    assert nothing.share.isfinite().all()
    assert outside_support(torch.zeros_like(image), image, [SUPPORT]).power.item() == -math.inf


@pytest.mark.parametrize("support", [(0.0, 0.5), (0.5, 1.1), (0.5,), (0.5, math.nan), 0.5, (0.1, 0.2, 0.3)])
def test_a_bad_support_is_named(support: Any) -> None:
    with pytest.raises(ValueError, match=r"support must be two fractions in \(0, 1\] of the Nyquist frequency"):
        OutsideSupportPower(support)
    image = torch.rand(1, 1, 16, 16)
    with pytest.raises(ValueError, match="support must be two fractions"):
        OutsideSupportPower(lambda _: support)(image, image, {})


def test_every_image_needs_a_support() -> None:
    image = torch.rand(3, 1, 16, 16)
    with pytest.raises(ValueError, match="for each of the 3 images, got 1"):
        outside_support(image, image, [SUPPORT])
