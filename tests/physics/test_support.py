# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The acquired support of an image: found where k-space was filled with zeros, and nowhere else."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from k_space import head, scan
from scipy.ndimage import gaussian_filter, zoom

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.phantoms import draw_phantom_slice
from monai_srgan.physics import (
    BicubicDownsample,
    GaussianDownsample,
    KSpaceDownsample,
    axis_profiles,
    estimate_support,
    log_spectrum,
)


def widths(image) -> list[float | None]:
    return [axis.width if axis.zero_filled else None for axis in estimate_support(image).axes]


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.05])
@pytest.mark.parametrize("shape", ["rectangle", "ellipse", "cut corners"])
@pytest.mark.parametrize(
    ("size", "width"), [((128, 128), (84, 116)), ((128, 128), (120, 90)), ((256, 191), (200, 120))]
)
def test_a_zero_filled_support_is_found_within_three_percent(noise, shape, size, width):
    image = scan(head(size, seed=1), width, noise=noise, shape=shape)
    assert widths(image) == pytest.approx(width, rel=0.03)


def test_a_large_grid_of_integers_is_measured():
    image = np.rint(scan(head((512, 512), 4), (318, 237), noise=0.01, shape="cut corners")).astype(np.int16)
    assert widths(image) == pytest.approx((318, 237), rel=0.03)
    assert widths(torch.from_numpy(image)) == widths(image)


def test_axes_are_told_apart():
    image = scan(head((160, 128), 2), (160, 84), noise=0.01)
    first, second = estimate_support(image).axes
    assert (first.kind, first.width, first.uncertainty) == ("full", 160, None)
    assert first.fraction == 1
    assert first.upper == 160
    assert second.width == pytest.approx(84, rel=0.03)
    assert second.upper == second.width + second.uncertainty >= 84
    assert second.fraction == second.width / 128
    assert estimate_support(image.T).axes == (second, first)


@pytest.mark.parametrize("slope", [0.0, 5.0])
def test_a_drop_of_the_content_beside_a_cut_axis_is_no_edge(slope):
    image = scan(head((128, 128), 7), (128, 84))
    k = np.abs(np.fft.fftfreq(128))[:, None] / 0.5
    decibels = np.where(k > 0.4, 8 + slope * (k - 0.4), 0.0)  # falls by 8 dB, and goes on falling as the content does
    image = np.fft.ifft2(np.fft.fft2(image) * 10 ** (-decibels / 20)).real
    first, second = estimate_support(image).axes
    assert first.kind == "full"
    assert second.width == pytest.approx(84, rel=0.03)


def test_scale_and_offset_do_not_matter():
    image = scan(head((128, 128), 5), (90, 104), noise=0.01)
    assert widths(image * 1e-7) == widths(image)
    assert widths(image + 500.0) == pytest.approx(widths(image), abs=0.5)


def noisy(image: np.ndarray, noise: float) -> np.ndarray:
    random = np.random.default_rng(7)
    sigma = noise * np.percentile(image, 99.9)
    return np.hypot(image + sigma * random.standard_normal(image.shape), sigma * random.standard_normal(image.shape))


@pytest.fixture(scope="module")
def sources() -> list[torch.Tensor]:
    images = head((512, 512), 3), draw_phantom_slice(1).image.astype(float)
    return [torch.from_numpy(image)[None, None] for image in images]


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
@pytest.mark.parametrize(
    "operator",
    [*(GaussianDownsample(4, sigma) for sigma in (0.5, 1.0, 1.5, 2.5)), BicubicDownsample(4), KSpaceDownsample(4)],
    ids=lambda operator: operator.description,
)
def test_degraded_images_are_not_called_zero_filled(sources, operator, noise):
    for source in sources:
        assert not estimate_support(noisy(operator(source)[0, 0].numpy(), noise)).zero_filled


@pytest.mark.parametrize("sigma", [0.7, 1.5, 2.5])
@pytest.mark.parametrize("size", [128, 256])
def test_a_blur_that_falls_into_noise_is_not_called_zero_filled(sigma, size):
    image = noisy(gaussian_filter(head((size, size), 6), sigma), 0.01)
    assert not estimate_support(image).zero_filled


def test_noise_and_phantoms_are_not_called_zero_filled():
    random = np.random.default_rng(0)
    for size in ((64, 64), (128, 96), (512, 512)):
        assert not estimate_support(random.standard_normal(size)).zero_filled
    for patient in range(3):
        assert not estimate_support(draw_phantom_slice(patient).image).zero_filled
        assert not estimate_support(draw_phantom_slice(patient, image_size=128).image).zero_filled


def test_interpolation_with_noise_is_not_measured():
    image = noisy(zoom(head((128, 128), 8), 2, order=3), 0.02)
    assert not estimate_support(image).zero_filled


def test_constant_and_tiny_images_are_unknown():
    constant = estimate_support(np.full((64, 48), 3.0))
    assert [axis.kind for axis in constant.axes] == ["unknown", "unknown"]
    assert "the image is constant" in constant.summary
    assert (constant.axes[0].width, constant.axes[0].upper, constant.axes[1].upper) == (None, 64, 48)
    assert estimate_support(np.zeros((64, 48, 3))).reason == "every slice is constant"
    assert estimate_support(np.random.rand(16, 16)).reason == "fewer than 32 pixels along an axis"
    assert estimate_support(np.random.rand(16, 16, 2)).reason == "fewer than 32 pixels along an axis"


def test_slices_of_a_volume_vote():
    slices = [scan(head((128, 128), seed), (84, 110), noise=0.01, seed=seed) for seed in range(5)]
    slices.append(np.random.default_rng(0).random((128, 128)) * 900)  # one slice of another kind
    slices += [np.zeros((128, 128)), scan(head((128, 128), 9), (60, 60)) / 100]  # and two without signal
    estimate = estimate_support(np.stack(slices, axis=-1))
    assert estimate.slices == 6
    assert [axis.width for axis in estimate.axes] == pytest.approx([84, 110], rel=0.03)


def test_the_estimate_is_told_in_words_and_as_json():
    estimate = estimate_support(scan(head((128, 128), 1), (84, 110)))
    width = [round(axis.width) for axis in estimate.axes]
    expected = f"128 x 128 pixels, but k-space is filled only to {width[0]} x {width[1]}: interpolated by the scanner"
    assert estimate.summary == expected
    written = json.loads(json.dumps(estimate.to_dict()))
    assert written["axes"][1]["width"] == estimate.axes[1].width
    assert written["slices"] == 1
    assert "no sign of zero filling" in estimate_support(np.random.default_rng(1).random((64, 64))).summary


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.ones(5), r"image must be a slice \(X, Y\) or a volume \(X, Y, D\), got shape \(5,\)"),
        (np.ones((64, 64), complex), "image must be real, got complex128: take its magnitude first"),
        (np.full((64, 64), np.nan), "NaN or infinite values, all must be finite"),
    ],
)
def test_other_input_is_refused(image, message):
    with pytest.raises(ValueError, match=message):
        estimate_support(image)


def test_spectra_show_a_cosine_at_its_frequency():
    x, y = np.arange(64)[:, None], np.arange(48)[None]
    image = np.cos(2 * np.pi * (9 * x / 64 - 5 * y / 48))
    spectrum = log_spectrum(image)
    assert spectrum.shape == (64, 48)
    assert spectrum[32 + 9, 24 - 5] == spectrum.max() == 0
    assert spectrum[32 - 9, 24 + 5] == pytest.approx(0, abs=1e-3)
    first, second = axis_profiles(image + 0 * x)
    assert (len(first), len(second)) == (31, 23)
    assert np.argmax(first) + 1 == 9
    with pytest.raises(ValueError, match=r"image must be a slice \(X, Y\), got shape"):
        log_spectrum(np.ones((4, 5, 6)))


@pytest.mark.real_data
def test_slices_of_the_dataset_are_zero_filled(real_data_dir):
    items = figshare_datalist(real_data_dir, "test", progress=False)[::6]
    estimates = [estimate_support(read_cjdata(item["image"]).image) for item in items]
    assert np.mean([estimate.zero_filled for estimate in estimates]) > 0.9
    shorter = [min(axis.width for axis in estimate.axes) for estimate in estimates]
    assert 180 < np.median(shorter) < 260
