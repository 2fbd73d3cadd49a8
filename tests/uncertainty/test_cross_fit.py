# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Table and factor from the same patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from interval_data import measured_sample
from scipy import stats

from monai_srgan.uncertainty import FoldedScale, PixelErrors, SliceSample, cross_fit, deal_patients, fit_samples

PATIENTS = [f"p{i}" for i in range(12)]


def slices(seed: int = 0) -> list[SliceSample]:
    return [measured_sample(p, 1.5, 0.0, 100 * seed + i, pixels=500) for i, p in enumerate(PATIENTS * 2)]


def scaled(sample: SliceSample, factor: float) -> SliceSample:
    regions = {name: PixelErrors(p.features, factor * p.errors) for name, p in sample.regions.items()}
    return replace(sample, regions=regions)


def test_no_patient_has_a_part_in_the_width_by_which_it_is_held_out() -> None:
    """With one fold per patient: the table of the others, and a factor from their losses."""
    samples, alone = slices(), deal_patients(PATIENTS, 12)
    found = cross_fit(samples, bins=4, fold_of=alone)
    large = cross_fit([scaled(s, 50.0) if s.patient == "p3" else s for s in samples], bins=4, fold_of=alone)
    table = fit_samples([s for s in samples if s.patient != "p3"], bins=4)
    own = next(s for s in samples if s.patient == "p3")
    covered = {c.patient: c.coverage for c in large.slices if c.patient == "p3"}["p3"]
    # errors 50 times as large, widths not: next to nothing is covered, with any factor that the others can give
    assert covered["outside"] < 0.1
    widths = table.lookup(own.regions["outside"].features)
    share = (own.regions["outside"].errors <= found.calibration.factor * widths).mean()
    usual = next(c.coverage["outside"] for c in found.slices if c.patient == "p3")
    assert usual == pytest.approx(share, abs=0.03)


def test_the_table_that_is_returned_is_fitted_to_all_patients() -> None:
    samples = slices()
    found, direct = cross_fit(samples, bins=4), fit_samples(samples, bins=4)
    np.testing.assert_array_equal(found.table.quantiles, direct.quantiles)
    assert (found.calibration.patients, found.calibration.slices, len(found.slices)) == (12, 24, 24)


def test_the_factor_makes_up_for_a_table_that_fits_its_own_patients_too_closely() -> None:
    """Few pixels in many bins: the quantiles of a bin are those of the pixels at hand."""
    samples = [measured_sample(p, 1.5, 0.0, i, pixels=900) for i, p in enumerate(PATIENTS)]
    found = cross_fit(samples, bins=12, fold_of=deal_patients(PATIENTS, 6))

    def coverage(factor: float, of: list[SliceSample]) -> float:
        shares = [(p.errors <= factor * found.table.lookup(p.features)).mean() for s in of for p in s.regions.values()]
        return float(np.mean(shares))

    new = [measured_sample(f"q{i}", 1.5, 0.0, 1000 + i, pixels=900) for i in range(60)]
    assert coverage(1.0, samples) > 0.9  # in-sample quantiles reach the level
    assert coverage(1.0, new) < coverage(1.0, samples) - 0.002
    # the bound asks for 0.9 + 0.1 / 12 on the patients at hand; the patients here are alike
    assert 0.9 < coverage(found.calibration.factor, new) < 0.92


def test_the_width_is_the_half_normal_s_quantile() -> None:
    samples = [measured_sample(p, 1.5, 0.0, i, pixels=4000) for i, p in enumerate(PATIENTS)]
    found = cross_fit(samples, bins=8)
    features = measured_sample("x", 1.5, 0.0, 99, pixels=4000).regions["outside"].features
    scales = found.calibration.factor * found.table.lookup(features) / features[0]
    level = 0.9 + 0.1 / 12  # what the correction for the unknown patient asks for
    assert np.exp(np.log(scales).mean()) == pytest.approx(stats.halfnorm.ppf(level), rel=0.05)


def test_folds_do_not_depend_on_the_order_of_the_slices() -> None:
    samples = slices()
    assert cross_fit(samples, bins=4).calibration.factor == pytest.approx(
        cross_fit(samples[::-1], bins=4).calibration.factor, rel=1e-9
    )


@pytest.mark.parametrize(
    ("count", "arguments", "message"),
    [
        (1, {}, "at least 2 folds to cross-fit: add patients"),
        (12, {"fold_of": dict.fromkeys(PATIENTS, 3)}, "at least 2 folds"),
        (12, {"level": 0.0}, "level must lie in"),
    ],
)
def test_what_cannot_be_cross_fitted_is_refused(count: int, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cross_fit([s for s in slices() if s.patient in PATIENTS[:count]], **arguments)


def test_patients_are_dealt_into_folds_of_nearly_equal_size_by_the_seed() -> None:
    found = deal_patients([*PATIENTS, "p0"], 5, seed=1)
    assert sorted(np.bincount(list(found.values()))) == [2, 2, 2, 3, 3]
    assert found == deal_patients(PATIENTS[::-1], 5, seed=1) != deal_patients(PATIENTS, 5, seed=2)
    assert len(set(deal_patients(PATIENTS[:3]).values())) == 3
    with pytest.raises(ValueError, match="folds must be at least 2, got 1"):
        deal_patients(PATIENTS, 1)


def test_the_scale_of_a_fold_is_that_of_the_other_patients() -> None:
    samples = [measured_sample(p, 1.5, noise, i) for noise in (0.0, 0.05) for i, p in enumerate(PATIENTS)]
    fold_of = deal_patients(PATIENTS, 4)
    found = FoldedScale.fit(samples, fold_of)
    changed = [scaled(s, 9.0) if fold_of[s.patient] == 2 and s.numbers.noise else s for s in samples]
    other = FoldedScale.fit(changed, fold_of)
    assert other.without[2] == found.without[2]
    assert other.without[1] != found.without[1]
    assert other.overall != found.overall
