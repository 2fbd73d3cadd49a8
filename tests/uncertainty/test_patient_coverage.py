# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Coverage of patients for any factor, and the factor by conformal risk control."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from interval_data import MASK, maps

from monai_srgan.uncertainty import PatientCoverage

REGIONS = {"inside": MASK, "outside": ~MASK}


def calibrated(**scales: float) -> tuple[PatientCoverage, dict[str, list[Any]]]:
    """Patients of one or more slices each, whose errors have the scales given."""
    coverage, slices = PatientCoverage(), {}
    for index, (patient, scale) in enumerate(scales.items()):
        for number in range(1 + index % 3):
            item = maps(100 + 10 * index + number, scale)
            slices.setdefault(patient, []).append(item)
            coverage.add(patient, ratios(item))
    return coverage, slices


def ratios(item: Any, regions: dict[str, torch.Tensor] = REGIONS) -> dict[str, np.ndarray]:
    """Errors of the regions' pixels, divided by the width, which is the spread."""
    mean, spread, target = item
    return {name: ((target - mean).abs() / spread)[mask].numpy() for name, mask in regions.items()}


SCALES = {f"p{i}": 0.8 + 0.05 * i for i in range(12)}


def by_hand(items: list[Any], factor: float, region: str) -> float:
    """Coverage of a patient, counted anew."""
    shares = []
    for mean, spread, target in items:
        covered = (target - mean).abs() <= factor * spread
        shares.append(covered[REGIONS[region]].float().mean().item())
    return float(np.mean(shares))


def test_the_coverage_that_a_calibration_reports_is_that_of_a_count_over_patients():
    coverage, slices = calibrated(**SCALES)
    found = coverage.calibrate(0.9, cap=0.3)
    assert (found.patients, found.slices) == (12, 24)
    for region in REGIONS:
        counted = [by_hand(items, found.factor, region) for items in slices.values()]
        assert found.coverage[region].mean == pytest.approx(np.mean(counted), abs=1e-4)
        assert found.coverage[region].sd == pytest.approx(np.std(counted, ddof=1), abs=1e-4)
        assert found.coverage[region].patients == 12


def test_the_mean_loss_is_what_the_bound_leaves_to_the_patients_at_hand():
    coverage, slices = calibrated(**SCALES)
    found = coverage.calibrate(0.9, cap=0.3)

    def risk(factor: float) -> float:
        losses = [1 - np.mean([by_hand(items, factor, r) for r in REGIONS]) for items in slices.values()]
        return float(np.sum(np.minimum(losses, 0.3)) + 0.3) / 13

    assert risk(found.factor * 1.0001) <= 0.1 < risk(found.factor * 0.995)
    assert found.capped_patients == 0


def test_each_patient_is_held_out_with_the_factor_of_the_others():
    coverage, slices = calibrated(**SCALES)
    held_out = coverage.calibrate(0.9, cap=0.3).held_out
    counted = []
    for patient, items in slices.items():
        others = PatientCoverage()
        for other, theirs in slices.items():
            for item in theirs if other != patient else []:
                others.add(other, ratios(item))
        counted.append(by_hand(items, others.calibrate(0.9, cap=0.3).factor, "inside"))
    assert held_out is not None
    assert held_out["inside"].mean == pytest.approx(np.mean(counted), abs=1e-4)


def test_a_patient_beyond_the_cap_is_counted_and_moves_the_factor_no_further():
    usual = {f"p{i}": 1.0 for i in range(12)}
    bad, worse = (calibrated(**{**usual, "bad": scale})[0].calibrate(0.9) for scale in (10.0, 100.0))
    assert (bad.cap, bad.capped_patients) == (pytest.approx(0.2), 1)
    assert bad.factor == pytest.approx(worse.factor, rel=1e-2)
    assert bad.factor > calibrated(**usual)[0].calibrate(0.9).factor


def test_without_a_tumor_a_patient_counts_by_what_is_outside():
    empty = torch.zeros_like(MASK)
    coverage, _ = calibrated(**SCALES)
    coverage.add("healthy", ratios(maps(7), {"inside": empty, "outside": ~empty}))
    found = coverage.calibrate(0.9, cap=0.3)
    assert found.coverage["inside"].patients == 12
    assert found.coverage["outside"].patients == found.patients == 13


def test_intervals_cover_what_they_state_on_patients_who_were_not_seen():
    random = np.random.default_rng(0)
    coverage, _ = calibrated(**{f"p{i}": s for i, s in enumerate(random.lognormal(0, 0.1, 20))})
    found = coverage.calibrate(0.9)
    _, new = calibrated(**{f"q{i}": s for i, s in enumerate(random.lognormal(0, 0.1, 40))})
    for region in REGIONS:
        shares = [by_hand(items, found.factor, region) for items in new.values()]
        assert 0.88 < np.mean(shares) < 0.93


@pytest.mark.parametrize(
    ("level", "cap", "message"),
    [(1.0, None, "level must lie in"), (0.9, 0.05, r"cap must lie in \(1 - level, 1\] = \(0.1, 1\], got 0.05")],
)
def test_a_calibration_names_the_argument_that_cannot_be(level, cap, message):
    with pytest.raises(ValueError, match=message):
        calibrated(**SCALES)[0].calibrate(level, cap)


def test_slices_without_pixels_are_refused():
    coverage = PatientCoverage()
    with pytest.raises(ValueError, match="there are no slices"):
        coverage.calibrate()
    with pytest.raises(ValueError, match="ratios must have pixels of inside or outside"):
        coverage.add("a", {"inside": np.zeros(0), "rim": np.ones(3)})
