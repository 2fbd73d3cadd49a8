# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of a measurement, and the cells that they select."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_srgan.physics import GaussianDownsample, KSpaceDownsample, Measurement, PerAxisDownsample, condition_vector
from monai_srgan.uncertainty import MeasurementCell, MeasurementNumbers, populated_cells

NOISE = (0.0, 0.01, 0.05)
BANDWIDTH = (0.4, 0.8)


def numbers(noise: float, bandwidth: float) -> MeasurementNumbers:
    return MeasurementNumbers(noise, bandwidth)


@pytest.mark.parametrize("noise", [0.0, 0.0123, 0.05])
def test_the_bandwidth_is_the_wiener_filter_s_mean_gain_of_a_gaussian_in_closed_form(noise: float) -> None:
    operator = PerAxisDownsample(GaussianDownsample(4, 1.7), GaussianDownsample(4, 0.9))
    found = MeasurementNumbers.of_condition(Measurement(operator, noise).condition())
    # exp(-2 pi^2 sigma^2 f^2) at 1/16 .. 8/16 cycles per LR pixel, a quarter of that per HR pixel; the cubic decimation
    # of the operator changes it by little
    frequencies = np.arange(1, 9) / 16 / 4
    power = [np.exp(-4 * np.pi**2 * sigma**2 * frequencies**2) for sigma in (1.7, 0.9)]
    expected = np.mean([p / (p + 0.01 + (10 * noise) ** 2) for p in power])
    assert found.bandwidth == pytest.approx(expected, abs=0.02)
    assert found.noise == pytest.approx(noise, rel=1e-4)


def test_half_of_k_space_has_half_of_the_bandwidth_and_uncertainty_does_not_count() -> None:
    half = Measurement(KSpaceDownsample(4, 0.0, 0.5, 0.0)).condition()
    assert MeasurementNumbers.of_condition(half).bandwidth == pytest.approx(0.5, abs=0.07)
    certain = condition_vector(np.full((2, 16), 0.5), 0.02)
    doubtful = condition_vector(np.full((2, 16), 0.5), 0.02, transfer_std=(0.2, 0.3), noise_uncertainty=0.4)
    assert MeasurementNumbers.of_condition(certain) == MeasurementNumbers.of_condition(doubtful)
    assert MeasurementNumbers.of_condition(certain).bandwidth == pytest.approx(0.25 / (0.25 + 0.01 + 0.04), rel=1e-5)


def test_the_numbers_are_those_of_the_transposed_image() -> None:
    operators = GaussianDownsample(4, 2.2), KSpaceDownsample(4)
    first, second = (
        MeasurementNumbers.of_condition(Measurement(PerAxisDownsample(*pair), 0.03).condition())
        for pair in (operators, operators[::-1])
    )
    assert first.bandwidth == pytest.approx(second.bandwidth, rel=1e-6)


def test_a_cell_holds_its_lower_bounds_and_a_bandwidth_of_1() -> None:
    cell = MeasurementCell((0.01, 0.05), (0.4, 0.8))
    assert numbers(0.01, 0.4) in cell
    assert numbers(0.05, 0.5) not in cell
    assert numbers(0.02, 0.8) not in cell
    assert numbers(0.009, 0.5) not in cell
    assert numbers(0.0, 1.0) in MeasurementCell((0.0, 0.1), (0.8, 1.0))
    assert cell.description == "noise 1 to 5 %, bandwidth 40 to 80 %"


def test_cells_overlap_in_both_numbers_or_not() -> None:
    cell = MeasurementCell((0.01, 0.05), (0.4, 0.8))
    assert cell.overlaps(MeasurementCell((0.04, 0.06), (0.7, 1.0)))
    assert not cell.overlaps(MeasurementCell((0.05, 0.06), (0.7, 1.0)))
    assert not cell.overlaps(MeasurementCell((0.04, 0.06), (0.8, 1.0)))


def names(prefix: str, count: int, where: MeasurementNumbers) -> list[tuple[str, MeasurementNumbers]]:
    return [(f"{prefix}{i}", where) for i in range(count)]


def test_cells_with_enough_patients_stay_as_they_are_and_empty_ones_are_left_out() -> None:
    known = names("a", 3, numbers(0.0, 0.9)) + names("b", 3, numbers(0.0, 0.5)) + names("c", 4, numbers(0.02, 0.1))
    assert populated_cells(known, NOISE, BANDWIDTH, 3) == (
        MeasurementCell((0.0, 0.01), (0.4, 0.8)),
        MeasurementCell((0.0, 0.01), (0.8, 1.0)),
        MeasurementCell((0.01, 0.05), (0.0, 0.4)),
    )


def test_a_cell_of_few_patients_joins_the_neighbor_of_fewer() -> None:
    known = names("a", 4, numbers(0.0, 0.9)) + names("b", 1, numbers(0.0, 0.5)) + names("c", 3, numbers(0.0, 0.1))
    wide, narrow = MeasurementCell((0.0, 0.01), (0.0, 0.8)), MeasurementCell((0.0, 0.01), (0.8, 1.0))
    assert populated_cells(known, NOISE, BANDWIDTH, 4) == (wide, narrow)
    assert populated_cells(known, NOISE, BANDWIDTH, 5) == (MeasurementCell((0.0, 0.01), (0.0, 1.0)),)
    assert populated_cells(known, NOISE, BANDWIDTH, 9) == ()


def test_the_same_patient_counts_once_and_nothing_is_joined_over_a_gap_or_with_other_noise() -> None:
    same = [("a", numbers(0.0, 0.9)), ("a", numbers(0.0, 0.95)), ("b", numbers(0.0, 0.9))]
    assert populated_cells(same, NOISE, BANDWIDTH, 3) == ()
    apart = names("a", 2, numbers(0.0, 0.9)) + names("b", 3, numbers(0.0, 0.1)) + names("c", 2, numbers(0.03, 0.9))
    assert populated_cells(apart, NOISE, BANDWIDTH, 3) == (MeasurementCell((0.0, 0.01), (0.0, 0.4)),)


def test_the_strongest_noise_of_the_grid_is_the_end() -> None:
    known = names("a", 5, numbers(0.05, 0.9)) + names("b", 5, numbers(0.3, 0.9))
    assert populated_cells(known, NOISE, BANDWIDTH, 3) == ()


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (((0.0,), BANDWIDTH, 3), "noise_edges must be two or more increasing numbers"),
        (((0.0, 0.02, 0.02), BANDWIDTH, 3), "noise_edges must be two or more"),
        (((-0.1, 0.02), BANDWIDTH, 3), "noise_edges must be two or more"),
        ((NOISE, (0.8, 0.4), 3), r"bandwidth_edges must be increasing numbers in \(0, 1\), got \[0.8, 0.4\]"),
        ((NOISE, (1.0,), 3), "bandwidth_edges must be increasing"),
        ((NOISE, BANDWIDTH, 0), "min_patients must be at least 1, got 0"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(grid, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        populated_cells([], *grid)


@pytest.mark.parametrize("noise", [(0.2, 0.1), (-1.0, 0.1), (0.0, float("inf")), (0.0, 0.1, 0.2)])
def test_a_range_that_cannot_be_is_refused(noise) -> None:
    with pytest.raises(ValueError, match=r"noise must be a range \[low, high\]"):
        MeasurementCell(noise, (0.0, 1.0))


def test_the_condition_is_not_modified() -> None:
    condition = Measurement(GaussianDownsample(4, 2.0), 0.01).condition()
    before = condition.clone()
    MeasurementNumbers.of_condition(condition)
    assert torch.equal(condition, before)
