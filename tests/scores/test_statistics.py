# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Statistics over slices and patients against slow loops, scipy and arithmetic by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from monai_srgan.scores import (
    PatientStatistics,
    SliceStatistics,
    bootstrap_interval,
    paired_wilcoxon,
    patient_statistics,
    summarize,
)


def sample(patients: int = 7, seed: int = 4) -> tuple[list[float], list[str]]:
    """Values that are alike within a patient; 1 to 5 slices each."""
    rng = np.random.default_rng(seed)
    names = [f"P{i}" for i in range(patients) for _ in range(rng.integers(1, 6))]
    level = dict(zip(dict.fromkeys(names), rng.normal(30, 2, patients), strict=True))
    return [level[name] + rng.normal(0, 0.3) for name in names], names


def test_summarize_counts_what_it_averages() -> None:
    got = summarize(iter([1.0, 4.0, math.nan, math.inf]))
    assert got == SliceStatistics(2.5, pytest.approx(math.sqrt(4.5)), 2, 1)
    assert summarize([]) == SliceStatistics(None, None, 0, 0)
    assert summarize([3.0]) == SliceStatistics(3.0, None, 1, 0)


def test_the_interval_equals_a_loop_that_draws_patients_and_averages_their_slices() -> None:
    values, patients = sample()
    names = sorted(set(patients))
    drawn = np.random.default_rng(3).integers(len(names), size=(500, len(names)))
    means = []
    for draw in drawn:
        slices = [v for i in draw for v, name in zip(values, patients, strict=True) if name == names[i]]
        means.append(sum(slices) / len(slices))
    tail = stats.norm.sf(stats.t.isf(0.05, len(names) - 1) * math.sqrt(len(names) / (len(names) - 1)))
    assert 0.01 < tail < 0.05
    expected = np.quantile(means, [tail, 1 - tail])
    got = bootstrap_interval(values, patients, level=0.9, resamples=500, seed=3)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_the_interval_of_six_patients_by_hand() -> None:
    # f is drawn 0, 1 or 2 times with probabilities 0.335, 0.402 and 0.201; at a level of 0.5 the tails are 0.213
    assert bootstrap_interval([0.0] * 5 + [1.0], list("abcdef"), level=0.5) == (0.0, pytest.approx(1 / 3))
    # f has three slices: drawn twice beside four others, the mean is 6/10
    assert bootstrap_interval([0.0] * 5 + [1.0] * 3, list("abcdefff"), level=0.5) == (0.0, pytest.approx(0.6))


def test_with_one_slice_each_it_is_scipys_percentile_bootstrap() -> None:
    values = list(np.random.default_rng(0).gamma(2.0, 3.0, 40))
    level = 1 - 2 * stats.norm.sf(stats.t.isf(0.025, 39) * math.sqrt(40 / 39))
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20000, method="percentile", confidence_level=level, rng=1
    ).confidence_interval
    got = bootstrap_interval(values, [f"P{i}" for i in range(40)], resamples=20000)
    np.testing.assert_allclose(got, expected, atol=0.02 * np.std(values))


def test_more_slices_of_the_same_patients_do_not_narrow_the_interval() -> None:
    values, patients = sample()
    np.testing.assert_allclose(
        bootstrap_interval(values * 10, patients * 10), bootstrap_interval(values, patients), rtol=1e-12
    )


def test_the_interval_depends_on_the_seed_and_not_on_the_order_of_the_slices() -> None:
    values, patients = sample()
    order = np.random.default_rng(0).permutation(len(values))
    shuffled = bootstrap_interval([values[i] for i in order], [patients[i] for i in order])
    np.testing.assert_allclose(shuffled, bootstrap_interval(values, patients), rtol=1e-12)
    assert bootstrap_interval(values, patients, seed=1) != bootstrap_interval(values, patients)


def test_a_higher_level_gives_a_wider_interval_around_the_mean() -> None:
    values, patients = sample()
    low, high = bootstrap_interval(values, patients, level=0.99)
    inner_low, inner_high = bootstrap_interval(values, patients, level=0.5)
    assert low < inner_low < np.mean(values) < inner_high < high


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says_and_one_over_slices_does_not() -> None:
    rng = np.random.default_rng(7)
    hits, naive_hits = 0, 0
    for _ in range(400):
        index = np.repeat(np.arange(30), rng.integers(2, 9, 30))
        values = list(rng.normal(0, 1, 30)[index] + rng.normal(0, 0.3, len(index)))
        low, high = bootstrap_interval(values, [f"P{i}" for i in index], resamples=400)
        hits += low < 0 < high
        low, high = bootstrap_interval(values, [f"S{i}" for i in range(len(values))], resamples=400)
        naive_hits += low < 0 < high
    assert 0.90 < hits / 400 < 0.97
    assert naive_hits / 400 < 0.75


def test_values_that_are_not_finite_are_left_out_with_their_patient() -> None:
    values, patients = sample()
    more = [*values, math.nan, math.inf]
    assert bootstrap_interval(more, [*patients, "P0", "only"]) == bootstrap_interval(values, patients)


def test_there_is_no_interval_without_six_known_patients() -> None:
    values, patients = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], list("abcdef")
    assert bootstrap_interval(values, patients) is not None
    assert bootstrap_interval([], []) is None
    assert bootstrap_interval(values, list("abcdee")) is None
    assert bootstrap_interval([*values[:5], math.nan], patients) is None
    assert bootstrap_interval([*values, 7.0], [*patients, ""]) is None


def test_of_few_patients_the_interval_holds_the_true_mean_nearly_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    names, hits = [f"P{i}" for i in range(6)], 0
    for _ in range(300):
        low, high = bootstrap_interval(list(rng.normal(0, 1, 6)), names, resamples=400)
        hits += low < 0 < high
    assert 0.88 < hits / 300 < 0.97  # bare percentiles: 0.85


def test_wrong_arguments_of_the_interval_are_refused() -> None:
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        bootstrap_interval([1.0, 2.0], ["a", "b"], level=95)
    with pytest.raises(ValueError, match="resamples must be at least 1, got 0"):
        bootstrap_interval([1.0, 2.0], ["a", "b"], resamples=0)
    with pytest.raises(ValueError, match="got 1 for 2"):
        bootstrap_interval([1.0, 2.0], ["a"])


def enumerated_p(differences: list[float]) -> float:
    """Two-sided signed-rank p-value from all 2**n assignments of signs."""
    ranks = stats.rankdata(np.abs(differences))
    center = ranks.sum() / 2
    observed = abs(ranks[np.array(differences) > 0].sum() - center)
    signs = itertools.product([False, True], repeat=len(ranks))
    extreme = [abs(ranks[list(chosen)].sum() - center) >= observed - 1e-9 for chosen in signs]
    return sum(extreme) / len(extreme)


def test_the_p_value_is_that_of_the_patients_mean_differences() -> None:
    differences = {"a": 0.5, "b": -0.2, "c": 1.1, "d": 0.9, "e": 0.05, "f": -0.3, "g": 2.0, "h": 0.7}
    values, patients = [], []
    for name, difference in differences.items():
        for shift in (-0.4, 0.0, 0.4):  # three slices, whose mean counts
            values.append(30 + difference + shift)
            patients.append(name)
    got = paired_wilcoxon(values, [30.0] * len(values), patients)
    assert got == pytest.approx(enumerated_p(list(differences.values())), rel=1e-9)
    assert 0.05 < got < 0.1


def test_six_patients_who_agree_are_the_smallest_significant_sample() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert paired_wilcoxon(values, [0.0] * 6, list("abcdef")) == pytest.approx(2 / 2**6)
    assert paired_wilcoxon(values[:5], [0.0] * 5, list("abcde")) is None
    assert paired_wilcoxon(values, [0.0] * 6, list("abcdee")) is None


def test_many_patients_give_scipys_value() -> None:
    values, patients = sample(patients=80)
    reference, _ = sample(patients=80, seed=9)
    reference = [*reference, *values][: len(values)]
    differences: dict[str, list[float]] = {}
    for v, r, name in zip(values, reference, patients, strict=True):
        differences.setdefault(name, []).append(v - r)
    expected = stats.wilcoxon([sum(d) / len(d) for d in differences.values()]).pvalue
    assert paired_wilcoxon(values, reference, patients) == pytest.approx(expected, rel=1e-6)


def test_pairs_without_difference_or_with_an_infinite_value_are_left_out() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    patients = list("abcdef")
    assert paired_wilcoxon(values, values, patients) is None
    more = paired_wilcoxon(
        [*values, 7.0, math.inf, math.inf, math.nan, 9.0],
        [*[0.0] * 6, 7.0, 1.0, math.inf, 1.0, math.inf],
        [*patients, "same", "g", "h", "i", "a"],
    )
    assert more == paired_wilcoxon(values, [0.0] * 6, patients)


def test_an_unknown_patient_or_unequal_lengths_give_no_p_value() -> None:
    assert paired_wilcoxon([1.0] * 7, [0.0] * 7, [*"abcdef", ""]) is None
    with pytest.raises(ValueError, match="same slices, got 2 and 1"):
        paired_wilcoxon([1.0, 2.0], [1.0], ["a", "b"])


def test_a_mean_over_patients_does_not_count_slices() -> None:
    values, patients = [1.0, 1.0, 1.0, 3.0, math.nan, 5.0], ["a", "a", "a", "b", "b", "c"]
    found = patient_statistics(values, patients)
    assert found == PatientStatistics(pytest.approx(3.0), pytest.approx(2.0))
    assert patient_statistics([1.0], ["a"]) == PatientStatistics(1.0, None)
    assert patient_statistics([1.0, 2.0], ["a", ""]) == PatientStatistics(None, None)
    assert patient_statistics([math.nan], ["a"]) == PatientStatistics(None, None)
