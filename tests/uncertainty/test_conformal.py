# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The factor that keeps the risk of a new patient below a level."""

from __future__ import annotations

import numpy as np
import pytest

from monai_srgan.uncertainty import conformal_risk_control, patients_needed

FACTORS = np.linspace(0.05, 12, 400)


def losses_of(scales: np.ndarray, cap: float) -> np.ndarray:
    """Errors of a patient are exponential of its scale: what a half-width misses has a closed form."""
    return np.minimum(np.exp(-FACTORS[None] / scales[:, None]), cap)


def test_it_is_the_factor_that_a_search_by_hand_finds():
    random = np.random.default_rng(0)
    for n in (3, 10, 40):
        losses = losses_of(random.lognormal(sigma=0.5, size=n), 0.3)
        for factor in FACTORS:
            if (sum(losses[:, list(FACTORS).index(factor)]) + 0.3) / (n + 1) <= 0.1:
                break
        assert conformal_risk_control(losses, FACTORS, 0.1, 0.3) == factor


def test_the_correction_for_the_patient_who_is_not_known_is_that_of_hand_arithmetic():
    factors = np.arange(1.0, 5.0)
    losses = np.array([[0.5, 0.3, 0.2, 0.0], [0.5, 0.1, 0.0, 0.0], [0.5, 0.3, 0.1, 0.0]])
    # (0.7 + 1) / 4 = 0.425 at the second factor, (0.3 + 1) / 4 = 0.325 at the third
    assert conformal_risk_control(losses, factors, 0.43) == 2.0
    assert conformal_risk_control(losses, factors, 0.42) == 3.0
    assert conformal_risk_control(losses, factors, 0.325) == 3.0
    assert conformal_risk_control(losses, factors, 0.42, bound=0.5) == 2.0


@pytest.mark.parametrize(("n", "cap"), [(15, 1.0), (9, 0.3), (24, 0.2)])
def test_the_expected_risk_of_a_new_patient_stays_below_the_level_and_not_far(n: int, cap: float):
    random = np.random.default_rng(n)
    expected = losses_of(random.lognormal(sigma=0.4, size=20_000), cap).mean(axis=0)
    risks = []
    for _ in range(1500):
        factor = conformal_risk_control(losses_of(random.lognormal(sigma=0.4, size=n), cap), FACTORS, 0.1, cap)
        risks.append(expected[np.searchsorted(FACTORS, factor)])
    error = 3 * np.std(risks) / np.sqrt(len(risks))
    assert 0.1 - 2 * cap / (n + 1) - error <= np.mean(risks) <= 0.1 + error


@pytest.mark.parametrize(("alpha", "bound", "n"), [(0.1, 1.0, 9), (0.1, 0.2, 1), (0.1, 0.25, 2), (0.05, 1.0, 19)])
def test_fewer_patients_than_needed_are_refused_and_as_many_are_enough(alpha: float, bound: float, n: int):
    assert patients_needed(alpha, bound) == n
    losses = np.zeros((n, 2))
    assert conformal_risk_control(losses, np.array([1.0, 2.0]), alpha, bound) == 1.0
    if n > 1:
        with pytest.raises(ValueError, match=rf"losses has {n - 1} patients, .* needs at least {n}: add patients"):
            conformal_risk_control(losses[1:], np.array([1.0, 2.0]), alpha, bound)


@pytest.mark.parametrize(
    ("losses", "factors", "alpha", "bound", "message"),
    [
        (np.zeros(3), np.arange(3.0), 0.1, 1, r"losses must have shape \(patients, factors\)"),
        (np.zeros((2, 3)), np.arange(2.0), 0.1, 1, r"got \(2, 3\) and \(2,\)"),
        (np.zeros((2, 3)), np.arange(3.0), 1.0, 1, r"alpha must lie in \(0, 1\)"),
        (np.zeros((2, 3)), np.zeros(3), 0.1, 1, "factors must increase"),
        (np.full((2, 3), 0.5), np.arange(3.0), 0.1, 0.2, r"losses must lie in .* = \[0, 0.2\].*cut them off"),
        (np.array([[0.1, 0.2]]), np.arange(2.0), 0.1, 0.2, "must not increase"),
        (np.full((20, 3), 0.5), np.arange(3.0), 0.1, 1, "no factor is large enough: at the largest, 2"),
    ],
)
def test_what_it_cannot_work_with_is_refused(losses, factors, alpha, bound, message):
    with pytest.raises(ValueError, match=message):
        conformal_risk_control(losses, factors, alpha, bound)
