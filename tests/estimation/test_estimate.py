# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The estimate of a measurement: what is certain for any image, and accuracy on real slices."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from k_space import head, scan
from scipy import ndimage

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.estimation import estimate_measurement, fit_kernel, measurement_features
from monai_srgan.estimation.network import MeasurementOutput
from monai_srgan.phantoms import draw_phantom_slice
from monai_srgan.physics import (
    TRANSFER_FREQUENCIES,
    BicubicDownsample,
    GaussianDownsample,
    KSpaceDownsample,
    Measurement,
    PerAxisDownsample,
    condition_vector,
    estimate_support,
    fourier_resize,
    native_size,
    transfer_functions,
)
from monai_srgan.transforms import MaskAwareDegrade, ScaleIntensityByPercentile


@pytest.fixture(scope="module")
def phantom():
    return ScaleIntensityByPercentile()(np.asarray(draw_phantom_slice(0).image, dtype=np.float32)[None])


def measured(hr, operator, noise=0.0, seed=0):
    return MaskAwareDegrade(operator, noise_std=noise, seed=seed)(torch.as_tensor(hr))[0]


def test_features_follow_the_axes():
    image = np.random.RandomState(0).rand(80, 96).astype(np.float32)
    found, swapped = measurement_features(image), measurement_features(image.T)
    np.testing.assert_allclose(swapped.spectrum, found.spectrum.T, rtol=0, atol=1e-5)
    np.testing.assert_allclose(swapped.axes, found.axes[::-1], rtol=0, atol=1e-5)
    assert found.spectrum.shape == (32, 32)
    assert found.fine.shape == (17,)
    assert found.axes.shape == (2, 43)


def test_the_spectrum_is_the_mean_power_density_of_each_bin():
    image = np.random.RandomState(1).randn(64, 128)
    first, second = (np.hanning(n + 2)[1:-1] for n in image.shape)
    full = np.abs(np.fft.fft2((image - image.mean()) * first[:, None] * second)) ** 2
    full /= np.sum(first**2) * np.sum(second**2)
    rows, columns = np.arange(1, 33), np.arange(1, 65)
    folded = (full[rows] + full[-rows])[:, columns] / 2
    expected = np.log(folded.reshape(32, 32, 2).mean(-1))
    np.testing.assert_allclose(measurement_features(image).spectrum, expected, rtol=0, atol=1e-3)
    assert expected.mean() == pytest.approx(0, abs=0.7)  # white noise of variance 1


def test_quantiles_of_differences_are_those_of_numpy():
    image = np.random.RandomState(2).rand(70, 64).astype(np.float32)
    step, second = np.abs(np.diff(image, axis=0)), np.abs(np.diff(image, 2, axis=0))
    found = measurement_features(image).axes[0]
    for place, difference in ((0, step), (16, second)):
        expected = np.log(np.quantile(difference.astype(float), (0.5, 0.9, 0.97, 0.995)) + 1e-4)
        np.testing.assert_allclose(found[place : place + 4], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("sigmas", [(1.5, 1.5), (0.8, 2.0)])
def test_the_fit_finds_the_gaussian_of_exact_transfer_functions(sigmas):
    operator = PerAxisDownsample(*(GaussianDownsample(4, sigma) for sigma in sigmas))
    fit = fit_kernel("gaussian", transfer_functions(operator), np.full((2, 16), 0.01))
    assert fit.sigma == pytest.approx(sigmas, abs=0.011)
    assert fit.misfit < 0.1


def test_the_fit_joins_axes_whose_difference_is_not_significant():
    operator = PerAxisDownsample(GaussianDownsample(4, 1.45), GaussianDownsample(4, 1.55))
    fit = fit_kernel("gaussian", transfer_functions(operator), np.full((2, 16), 0.1))
    assert fit.sigma == pytest.approx((1.5, 1.5), abs=0.03)
    assert isinstance(fit.operator, GaussianDownsample)


def test_the_uncertainty_of_a_sigma_is_that_of_error_propagation():
    operator = GaussianDownsample(4, 1.5)
    fit = fit_kernel("gaussian", transfer_functions(operator), np.full((2, 16), 0.03))
    wider, narrower = (transfer_functions(GaussianDownsample(4, sigma))[0] for sigma in (1.55, 1.45))
    slope = np.abs(wider - narrower) / 0.1
    expected = np.hypot(0.03, 0.02) * slope.sum() / np.square(slope).sum()  # least squares, fully correlated errors
    assert fit.sigma_std == pytest.approx((expected, expected), rel=0.15)


@pytest.mark.parametrize("sigmas", [(0.1, 0.1), (0.1, 1.5), (3.5, 3.5)])
def test_the_uncertainty_of_a_sigma_is_finite_where_the_samples_hardly_depend_on_it(sigmas):
    operator = PerAxisDownsample(*(GaussianDownsample(4, sigma) for sigma in sigmas))
    fit = fit_kernel("gaussian", transfer_functions(operator), np.full((2, 16), 0.05))
    assert fit.sigma == pytest.approx(sigmas)
    assert np.isfinite(fit.sigma_std).all()
    assert min(fit.sigma_std) > 0.1
    assert isinstance(fit.operator, GaussianDownsample) == (sigmas[0] == sigmas[1])


def test_the_fit_finds_support_and_taper_of_a_k_space_crop():
    operator = KSpaceDownsample(4, taper=0.5, support=0.8)
    fit = fit_kernel("kspace", transfer_functions(operator), np.full((2, 16), 0.01))
    np.testing.assert_allclose(transfer_functions(fit.operator), transfer_functions(operator), rtol=0, atol=0.12)
    assert fit.sigma is None


class _Regression:
    """Stands for the regression: the same transfer function along both axes, known to 0.02."""

    def __init__(self, beyond: float) -> None:
        transfer = np.where(TRANSFER_FREQUENCIES < 0.25, 1.0, beyond)
        self.mean = torch.tensor([*transfer, *transfer, 0.0], dtype=torch.float32)

    def estimate(self, slices):
        values = self.mean.expand(len(slices), -1)
        output = MeasurementOutput(values, torch.full_like(values, 2 * np.log(0.02)), torch.zeros(len(slices), 3))
        return output, torch.zeros(len(slices)), torch.zeros(len(slices))


@pytest.mark.parametrize(("beyond", "kind"), [(1.0, "full"), (0.1, "zero-filled"), (0.55, "zero-filled")])
def test_an_edge_is_not_believed_where_the_regression_is_sure_of_signal_beyond(beyond, kind):
    image = scan(head((128, 128), 1), (70, 70))
    assert [axis.kind for axis in estimate_support(image).axes] == ["zero-filled", "zero-filled"]
    estimate = estimate_measurement(image, _Regression(beyond))
    assert [axis.kind for axis in estimate.support.axes] == [kind, kind]
    past = (TRANSFER_FREQUENCIES > 0.3) & (TRANSFER_FREQUENCIES < 0.5)
    expected = beyond if kind == "full" else 0.0
    np.testing.assert_allclose(estimate.transfer[:, past], expected, atol=1e-6)


def test_an_estimate_says_what_it_found(phantom):
    estimate = estimate_measurement(measured(phantom, GaussianDownsample(4, 1.5), 0.02))
    assert estimate.transfer.shape == estimate.transfer_std.shape == (2, 16)
    assert sum(estimate.families.values()) == pytest.approx(1)
    low, high = estimate.noise_range
    assert low <= estimate.noise_std <= high
    assert isinstance(estimate.measurement, Measurement)
    first, second = np.sqrt(np.mean(estimate.transfer_std**2, axis=1))
    expected = condition_vector(
        estimate.transfer,
        estimate.noise_std,
        transfer_std=(first, second),
        noise_uncertainty=estimate.noise_uncertainty,
    )
    assert torch.equal(estimate.condition(), expected)
    record = estimate.to_dict()
    assert record["summary"] == estimate.summary
    assert Measurement.from_dict(record["measurement"]) == estimate.measurement


def test_the_estimate_does_not_depend_on_the_unit(phantom):
    lr = measured(phantom, BicubicDownsample(4))
    first, second = estimate_measurement(lr), estimate_measurement(1000 * lr.numpy())
    np.testing.assert_allclose(first.transfer, second.transfer, rtol=0, atol=1e-4)
    assert first.noise_std == pytest.approx(second.noise_std, abs=1e-5)


def test_slices_of_a_volume_vote_and_air_does_not(phantom):
    lr = measured(phantom, BicubicDownsample(4))
    alone = estimate_measurement(lr)
    air = 1e-4 * torch.rand(lr.shape, generator=torch.Generator().manual_seed(0))
    volume = estimate_measurement(torch.stack([air, lr, lr, lr, air], dim=-1))
    assert volume.slices == 3
    np.testing.assert_allclose(volume.transfer, alone.transfer, rtol=0, atol=0.02)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.ones((80, 80)), "image must not be constant"),
        (np.zeros((80, 80, 3)), "image must not be constant"),
        (-np.random.rand(80, 80), "99.9th percentile must be positive"),
        (np.random.rand(16, 16), "at least 64 pixels along both axes, got (16, 16)"),
        (np.full((80, 80), np.nan), "NaN or infinite"),
        (np.random.rand(80), "must be a slice (X, Y) or a volume (X, Y, D)"),
    ],
)
def test_images_that_tell_nothing_are_refused(image, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        estimate_measurement(image)


@pytest.mark.real_data
def test_processed_images_are_declined_and_scanned_ones_are_not(real_data_dir):
    items = figshare_datalist(real_data_dir, "test", fold=0, num_folds=5, seed=0)[::10]
    scale = ScaleIntensityByPercentile()
    slices = [scale(np.asarray(read_cjdata(item["image"]).image, dtype=np.float32)[None]) for item in items]
    bicubic = [measured(hr, BicubicDownsample(4)).numpy() for hr in slices]

    def declined(images):
        return np.mean([not estimate_measurement(image).certain for image in images])

    assert declined(bicubic) < 0.2
    assert declined([native(hr[0]) for hr in slices]) < 0.2
    assert declined([image + 0.8 * (image - ndimage.uniform_filter(image, 3)) for image in bicubic]) > 0.7
    assert declined([ndimage.median_filter(image, 3) for image in bicubic]) > 0.9


def native(image):
    size = native_size(estimate_support(image))
    return fourier_resize(torch.from_numpy(image)[None], size)[0]


@pytest.mark.real_data
def test_noise_and_blur_of_slices_of_unseen_patients(real_data_dir):
    items = figshare_datalist(real_data_dir, "test", fold=0, num_folds=5, seed=0)[::20]
    scale = ScaleIntensityByPercentile()
    slices = [scale(np.asarray(read_cjdata(item["image"]).image, dtype=np.float32)[None]) for item in items]
    noise = [estimate_measurement(measured(hr, KSpaceDownsample(4), 0.02)).noise_std for hr in slices]
    assert np.median(np.abs(np.array(noise) / 0.02 - 1)) < 0.15
    for sigma in (1.0, 2.0):
        operator = GaussianDownsample(4, sigma)
        found = [estimate_measurement(measured(hr, operator)).transfer[:, :8].mean() for hr in slices]
        assert np.mean(found) == pytest.approx(transfer_functions(operator)[:, :8].mean(), abs=0.08)
