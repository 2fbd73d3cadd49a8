# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Effective resolution of curves by hand and of images with a known cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from monai_srgan.metrics import FRC_THRESHOLDS, FourierRings, RingComparison, effective_resolution


def curve(*coherence: float) -> RingComparison:
    values = torch.tensor([coherence], dtype=torch.float64)
    return RingComparison(torch.linspace(0, 0.5, len(coherence), dtype=torch.float64), values, values)


@pytest.mark.parametrize(
    ("coherence", "expected"),
    [
        ((1.0, 0.9, 0.8, 0.3, 0.1, 0.0), 0.26),  # 0.8 at 0.2 and 0.3 at 0.3
        ((1.0, 0.9, 0.2, 0.7, 0.4, 0.0), 0.3 + 0.1 * 2 / 3),  # a dip is not the end
        ((1.0, 0.5, 0.4, 0.3, 0.1, 0.0), 0.1),  # equal is not below
        ((1.0, 0.9, 0.8, 0.7, 0.6, 0.5), 0.5),  # never below: the Nyquist frequency
        ((1.0, 0.9, math.nan, 0.3, 0.1, 0.0), 0.1 + 0.2 * 4 / 6),  # from one measured ring to the next
        ((1.0, 0.9, 0.8, math.nan, math.nan, math.nan), 0.2),  # nothing to compare with beyond
        ((0.1, 0.2, 0.0, 0.1, 0.1, 0.0), 0.0),  # nothing is resolved
        ((1.0, math.nan, math.nan, math.nan, math.nan, math.nan), math.nan),  # a mean alone has no detail
    ],
)
def test_the_crossing_is_where_the_curve_stays_below(coherence: tuple[float, ...], expected: float) -> None:
    assert effective_resolution(curve(*coherence)).item() == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_a_lower_threshold_gives_a_higher_frequency() -> None:
    rings = curve(1.0, 0.9, 0.8, 0.3, 0.1, 0.0)
    assert effective_resolution(rings, 1 / 7).item() == pytest.approx(0.3 + 0.1 * (0.3 - 1 / 7) / 0.2)
    for threshold in (0.0, 1.0, -0.5):
        with pytest.raises(ValueError, match=r"threshold must be a coherence in \(0, 1\)"):
            effective_resolution(rings, threshold)


@pytest.mark.parametrize("cut", [0.13, 0.31])
def test_a_band_limited_copy_is_resolved_up_to_its_cut(cut: float) -> None:
    """Beyond the cut the copy holds as much power as its target, but other detail."""
    generator = np.random.default_rng(3)
    target, other = generator.normal(size=(2, 255, 310))
    kept = np.hypot(np.fft.fftfreq(255)[:, None], np.fft.fftfreq(310)[None]) < cut
    pred = np.fft.ifft2(np.where(kept, np.fft.fft2(target), np.fft.fft2(other))).real
    score = FourierRings(pixel_spacing=0.49)
    found = score(*(torch.from_numpy(image)[None, None] for image in (pred, target)), {})
    assert list(found) == [
        ("whole", name + unit) for name in ("resolution_half", "resolution_seventh") for unit in ("", "_mm")
    ]
    for name in FRC_THRESHOLDS:
        assert found["whole", name].item() == pytest.approx(cut, abs=1 / 128)
        assert found["whole", f"{name}_mm"].item() == pytest.approx(0.49 / found["whole", name].item())
    assert found["whole", "resolution_half"] < found["whole", "resolution_seventh"]


def test_a_perfect_image_is_resolved_to_nyquist_and_without_spacing_there_are_no_millimeters() -> None:
    image = torch.rand(2, 1, 47, 64)
    found = FourierRings()(image, image, {})
    assert {key: values.tolist() for key, values in found.items()} == {
        ("whole", "resolution_half"): [0.5, 0.5],
        ("whole", "resolution_seventh"): [0.5, 0.5],
    }


def test_no_gradients_are_kept() -> None:
    image = torch.rand(1, 1, 32, 32, requires_grad=True)
    assert not FourierRings().compare(image, image.detach()).coherence.requires_grad


@pytest.mark.parametrize("spacing", [0.0, -0.49, math.inf, math.nan])
def test_a_bad_spacing_is_named(spacing: float) -> None:
    with pytest.raises(ValueError, match="pixel_spacing must be the width of a pixel in mm, > 0"):
        FourierRings(spacing)
