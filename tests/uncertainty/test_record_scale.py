# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The dependence of the errors on the record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from interval_data import measured_sample

from monai_srgan.physics import GaussianDownsample, KSpaceDownsample, Measurement, PerAxisDownsample, condition_vector
from monai_srgan.uncertainty import RECORD_FEATURES, RecordScale, fit_record_scale, record_features

NOISES = (0.0, 0.0125, 0.025, 0.05)
ONES = dict.fromkeys(("coefficients", "center", "low", "high"), (1.0,) * 10)


def test_the_features_are_those_of_hand_arithmetic() -> None:
    transfer = np.concatenate([np.full((2, 8), [[0.8], [0.6]]), np.full((2, 8), [[0.2], [-0.1]])], axis=1)
    condition = condition_vector(transfer, 0.0125, transfer_std=(0.03, 0.04), noise_uncertainty=0.07)
    bandwidth = np.mean([h**2 / (h**2 + 0.01 + 0.125**2) for h in (0.8, 0.6)])
    own = [0.5, 0.25, bandwidth, bandwidth**2, 0.5 * bandwidth, 0.7, 0.15, 0.2, 0.05, 0.07]
    np.testing.assert_allclose(record_features(condition), own, rtol=1e-5)
    assert len(RECORD_FEATURES) == len(own)


def test_the_features_do_not_know_which_axis_is_which() -> None:
    pair = GaussianDownsample(4, 2.0), KSpaceDownsample(4)
    first, second = (record_features(Measurement(PerAxisDownsample(*p), 0.01).condition()) for p in (pair, pair[::-1]))
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_the_fit_finds_how_the_errors_grow_with_noise_and_blur_and_not_with_the_patient() -> None:
    samples = [
        measured_sample(f"p{i}", sigma, noise, 100 * i + j, pixels=4000, factor=1 + 0.2 * i)
        for i in range(8)
        for j, (sigma, noise) in enumerate((s, n) for s in (1.5, 2.0, 2.5) for n in NOISES)
    ]
    scale = fit_record_scale(samples)

    def of(sigma: float, noise: float) -> float:
        return scale(Measurement(GaussianDownsample(4, sigma), noise).condition())

    # the closed form of error_scale: 1 + 40 noise, times 1 + (sigma - 1.5)
    assert of(1.5, 0.05) / of(1.5, 0.0) == pytest.approx(3.0, rel=0.12)
    assert of(1.5, 0.025) / of(1.5, 0.0) == pytest.approx(2.0, rel=0.12)
    assert of(2.5, 0.0) / of(1.5, 0.0) == pytest.approx(2.0, rel=0.12)
    assert of(2.5, 0.05) / of(2.0, 0.025) == pytest.approx(3 * 2 / (2 * 1.5), rel=0.12)


def test_one_measurement_has_a_scale_of_one() -> None:
    scale = fit_record_scale([measured_sample(f"p{i}", 1.5, 0.02, i) for i in range(6)])
    assert scale(Measurement(GaussianDownsample(4), 0.02).condition()) == pytest.approx(1.0, abs=1e-6)
    assert scale(Measurement(GaussianDownsample(4, 2.5), 0.05).condition()) == pytest.approx(1.0, abs=1e-6)


def test_nothing_is_extrapolated() -> None:
    scale = RecordScale((1.0, *[0.0] * 9), (0.5,) * 10, (0.2,) * 10, (0.8,) * 10)
    for noise, expected in ((0.0, 0.2), (0.05 * 0.36, 0.6), (0.05 * 4, 0.8)):
        condition = Measurement(GaussianDownsample(4), noise).condition()
        assert scale(condition) == pytest.approx(np.exp(expected - 0.5), rel=1e-5)


@pytest.mark.parametrize("change", [{"low": (1.0,)}, {"center": (float("nan"),) * 10}])
def test_numbers_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(change))} must be 10 finite numbers"):
        RecordScale(**{**ONES, **change})


def test_the_condition_is_not_modified() -> None:
    condition = Measurement(GaussianDownsample(4)).condition()
    before = condition.clone()
    record_features(condition)
    assert torch.equal(condition, before)
