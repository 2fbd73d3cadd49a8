# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Random measurements: reproducible, within their ranges, in the given shares."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from monai_srgan.physics import (
    MEASUREMENT_FAMILIES,
    GaussianDownsample,
    KSpaceDownsample,
    Measurement,
    PerAxisDownsample,
    RandomMeasurements,
    WindowedKSpaceDownsample,
)


def draws(count=400, seed=0, **arguments):
    rng, source = np.random.RandomState(seed), RandomMeasurements(**arguments)
    return [source.draw(rng) for _ in range(count)]


def test_the_same_seed_gives_the_same_records():
    assert [m.to_dict() for m in draws(20)] == [m.to_dict() for m in draws(20)]
    assert [m.to_dict() for m in draws(20)] != [m.to_dict() for m in draws(20, seed=1)]


def test_every_family_is_drawn_and_every_record_can_be_rebuilt():
    kinds = Counter()
    for measurement in draws(200):
        kinds[type(measurement.operator).__name__] += 1
        assert Measurement.from_dict(measurement.to_dict()) == measurement
    assert set(kinds) == {
        "BicubicDownsample",
        "GaussianDownsample",
        "KSpaceDownsample",
        "PerAxisDownsample",
        "WindowedKSpaceDownsample",
    }


def test_weights_are_shares():
    found = draws(600, weights={"bicubic": 3, "windowed": 1})
    share = np.mean([isinstance(m.operator, WindowedKSpaceDownsample) for m in found])
    assert share == pytest.approx(0.25, abs=0.05)


def test_parameters_lie_in_their_ranges():
    gaussians = [m.operator for m in draws(weights={"gaussian": 1, "anisotropic": 1}, sigma=(0.5, 0.9))]
    sigmas = [
        part.sigma
        for operator in gaussians
        for part in ((operator.first, operator.second) if isinstance(operator, PerAxisDownsample) else (operator,))
    ]
    assert min(sigmas) >= 0.5
    assert max(sigmas) <= 0.9
    assert np.ptp(sigmas) > 0.35
    crops = [m.operator for m in draws(weights={"kspace": 1}, support=(0.7, 0.8))]
    supports = {
        part.support
        for operator in crops
        for part in ((operator.first, operator.second) if isinstance(operator, PerAxisDownsample) else (operator,))
        if isinstance(part, KSpaceDownsample)
    }
    assert 1.0 in supports
    assert all(0.7 <= fraction <= 0.8 or fraction == 1.0 for fraction in supports)


def test_noise_has_its_probability_and_range():
    noise = np.array([m.noise_std for m in draws(noise_std=(0.01, 0.03), noise_prob=0.25)])
    assert np.mean(noise > 0) == pytest.approx(0.25, abs=0.06)
    assert noise[noise > 0].min() >= 0.01
    assert noise.max() <= 0.03


def test_the_default_family_is_the_default_degradation():
    assert all(m == Measurement(GaussianDownsample(4)) for m in draws(5, weights={"default": 1}, noise_prob=0.0))


def test_settings_are_plain_and_rebuild_the_source():
    source = RandomMeasurements(weights={"gaussian": 1, "kspace": 2}, sigma=(0.5, 1.0))
    again = RandomMeasurements(**source.settings)
    first, second = source.draw(np.random.RandomState(3)), again.draw(np.random.RandomState(3))
    assert first == second
    assert set(RandomMeasurements().settings["weights"]) == set(MEASUREMENT_FAMILIES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": {"motion": 1}}, "weights has unknown families ['motion']"),
        ({"weights": {"gaussian": 0}}, "weights must be >= 0 with a positive sum"),
        ({"weights": {"gaussian": -1, "bicubic": 2}}, "weights must be >= 0"),
        ({"sigma": (2.0, 1.0)}, "sigma must be a pair (low, high)"),
        ({"support": (0.5, 1.5)}, "support must be a pair (low, high) in [0, 1]"),
        ({"noise_std": (-0.1, 0.1)}, "noise_std must be a pair"),
        ({"noise_prob": 2}, "noise_prob must lie in [0, 1], got 2"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RandomMeasurements(**arguments)
