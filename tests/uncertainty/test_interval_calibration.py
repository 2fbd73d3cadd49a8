# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Intervals by measurement hold in every cell, on errors whose scale depends on noise and blur in a known way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from interval_data import measured_sample, measured_samples

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.physics import BicubicDownsample, GaussianDownsample, Measurement, RandomMeasurements
from monai_srgan.uncertainty import (
    CellIntervals,
    IntervalCalibration,
    MeasuredIntervals,
    MeasurementCell,
    SampleFolder,
    SliceCoverage,
    SliceSample,
    cross_fit,
    load_intervals,
)
from monai_srgan.uncertainty.interval_calibration import coverage_by_operator

GRID = (
    MeasurementCell((0.0, 0.0125), (0.75, 1.0)),
    MeasurementCell((0.0125, 0.025), (0.75, 1.0)),
    MeasurementCell((0.025, 0.04), (0.0, 0.75)),
    MeasurementCell((0.025, 0.04), (0.75, 1.0)),
    MeasurementCell((0.04, 0.06), (0.0, 0.75)),
)
PATIENTS = [f"p{i:02d}" for i in range(24)]
NEW = [f"q{i:02d}" for i in range(40)]


def calibration(tmp_path: Path, **arguments) -> IntervalCalibration:
    folder = SampleFolder(tmp_path / "samples", [], RandomMeasurements())
    return IntervalCalibration(folder, tmp_path / "intervals.json", **arguments)


@pytest.fixture(scope="module")
def intervals(tmp_path_factory: pytest.TempPathFactory) -> MeasuredIntervals:
    made = calibration(tmp_path_factory.mktemp("intervals"), weights_sha256="abc", settings={"seed": 0})
    return made.calibrate(measured_samples(PATIENTS, 16, 0))


def assumed(sample: SliceSample) -> AssumedMeasurement:
    return AssumedMeasurement.told(Measurement.from_dict(json.loads(sample.measurement)))


def coverage(intervals: MeasuredIntervals, samples: list[SliceSample], region: str) -> float:
    """Mean over patients."""
    by_patient: dict[str, list[float]] = {}
    for sample in samples:
        found = intervals.cell_of(assumed(sample))
        if found is not None:
            pixels = sample.regions[region]
            scale = 1.0 if intervals.scale is None else intervals.scale(sample.condition)
            widths = scale * found.calibration.factor * found.table.lookup(pixels.features)
            by_patient.setdefault(sample.patient, []).append(float((pixels.errors <= widths).mean()))
    return float(np.mean([np.mean(values) for values in by_patient.values()]))


def in_cell(intervals: MeasuredIntervals, index: int, samples: list[SliceSample]) -> list[SliceSample]:
    return [s for s in samples if s.numbers in intervals.cells[index].cell]


def test_each_cell_covers_what_it_states_on_new_patients_within_the_finite_sample_bound(intervals) -> None:
    new = measured_samples(NEW, 24, 1)
    assert len(intervals.cells) >= 6
    for index, cell in enumerate(intervals.cells):
        samples = in_cell(intervals, index, new)
        for region in ("inside", "outside"):
            # at least 0.9, at most 0.2 / (n + 1) more by the correction, and the error of means over patients whose
            # scales vary by 10 %: a coverage varies by 0.041 with that, and by 24 and 40 patients
            slack = 0.2 / (cell.calibration.patients + 1)
            error = 3 * 0.045 * (1 / cell.calibration.patients + 1 / len(NEW)) ** 0.5
            assert 0.9 - error < coverage(intervals, samples, region) < 0.9 + slack + error, cell.cell.description


@pytest.fixture(scope="module")
def unscaled() -> dict[str, MeasuredIntervals]:
    """One cell for all measurements, and several, both without a scale by record."""
    samples = measured_samples(PATIENTS, 16, 0)
    one = (MeasurementCell((0.0, 0.06), (0.0, 1.0)),)
    found = {}
    for name, cells in (("one", one), ("several", GRID)):
        fitted = [(cell, cross_fit([s for s in samples if s.numbers in cell])) for cell in cells]
        found[name] = MeasuredIntervals(0.9, tuple(CellIntervals(c, f.table, f.calibration) for c, f in fitted))
    return found


def test_one_table_for_all_measurements_is_right_on_average_and_fails_in_the_cells(unscaled) -> None:
    new = measured_samples(NEW, 24, 1)
    assert coverage(unscaled["one"], new, "outside") == pytest.approx(0.9, abs=0.03)
    shares = [coverage(unscaled["one"], [s for s in new if s.numbers in cell], "outside") for cell in GRID]
    assert min(shares) < 0.8
    assert max(shares) > 0.97
    for index, cell in enumerate(GRID):
        samples = [s for s in new if s.numbers in cell]
        assert coverage(unscaled["several"], samples, "outside") == pytest.approx(0.9, abs=0.04), index


def test_the_scale_makes_the_coverage_right_within_a_cell_too(intervals, unscaled) -> None:
    """Weak and strong noise of one cell, whose errors differ by a quarter."""
    patients = [f"r{i}" for i in range(40)]
    ends = {
        noise: [measured_sample(p, 1.5, noise, i, pixels=2000) for i, p in enumerate(patients)]
        for noise in (0.0255, 0.0395)
    }
    with_scale, without = (
        {noise: coverage(found, samples, "outside") for noise, samples in ends.items()}
        for found in (intervals, unscaled["several"])
    )
    assert without[0.0255] - without[0.0395] > 0.04
    assert abs(with_scale[0.0255] - with_scale[0.0395]) < 0.02


def test_records_outside_the_calibrated_cells_have_no_intervals(intervals) -> None:
    # measured_samples has neither a noise below 0.6 % other than 0 nor one above 5 %
    for sigma, noise in ((1.5, 0.07), (4.0, 0.0)):
        sample = measured_sample("x", sigma, noise, 0)
        assert intervals.cell_of(assumed(sample)) is None
        assert "no intervals were calibrated for noise of" in intervals.reason_against(assumed(sample))


def test_the_coverage_is_reported_for_each_cell_and_for_each_operator(intervals, caplog, tmp_path) -> None:
    for cell in intervals.cells:
        assert cell.calibration.patients >= 15
        for region in ("inside", "outside"):
            assert cell.calibration.held_out[region].mean == pytest.approx(0.9, abs=0.03)
    assert list(intervals.operators) == [
        "gaussian, no noise",
        "gaussian, noise above 2.5 %",
        "gaussian, noise up to 2.5 %",
    ]
    for regions in intervals.operators.values():
        assert regions["outside"].mean == pytest.approx(0.9, abs=0.03)
        assert regions["outside"].patients == 24
    with caplog.at_level("INFO"):
        calibration(tmp_path, min_patients=4).calibrate(
            [*measured_samples(PATIENTS[:6], 4, 0), SliceSample("x", "{}", None, {})]
        )
    assert "noise 0 to 0.5 %, bandwidth" in caplog.text
    assert "25 measured slices: 1 declined, " in caplog.text


def test_an_operator_s_coverage_is_a_mean_over_patients() -> None:
    record = json.dumps(Measurement(BicubicDownsample(4), 0.01).to_dict())
    slices = [
        SliceCoverage("a", record, {"outside": 0.5}),
        SliceCoverage("a", record, {"outside": 0.7, "inside": 1.0}),
        SliceCoverage("b", record, {"outside": 1.0}),
    ]
    found = coverage_by_operator(slices)["bicubic, noise up to 2.5 %"]
    assert (found["outside"].mean, found["outside"].patients) == (pytest.approx(0.8), 2)
    assert (found["inside"].mean, found["inside"].sd) == (1.0, None)
    default = SliceCoverage("a", json.dumps(Measurement(GaussianDownsample(4)).to_dict()), {"outside": 0.5})
    assert list(coverage_by_operator([default])) == ["default, no noise"]


def test_too_few_patients_are_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no cell has 15 patients: 8 of 9 measured slices, of 4 .*lower min_patients"):
        calibration(tmp_path).calibrate([*measured_samples(PATIENTS[:4], 2, 0), SliceSample("p00", "{}", None, {})])


def test_it_writes_a_file_from_the_samples_in_the_folder(tmp_path: Path) -> None:
    source = RandomMeasurements(weights={"default": 1}, noise_prob=0.0)
    slices = [{"image": f"{patient}.mat", "patient": patient} for patient in PATIENTS[:5]]
    folder = SampleFolder(tmp_path / "samples", slices, source, draws=2)
    made = IntervalCalibration(folder, tmp_path / "new" / "intervals.json", min_patients=3, consistent=True)
    made.prepare()
    with pytest.raises(FileNotFoundError, match=r"10 of 10 samples are not in .*samples: run the evaluator first"):
        made.write()
    for i, item in enumerate(folder.items):
        folder.add(item["sample"], measured_sample(item["patient"], 1.5, 0.0, i))
    made.write()
    found = load_intervals(tmp_path / "new" / "intervals.json")
    assert isinstance(found, MeasuredIntervals)
    assert found.reason_against(AssumedMeasurement.told(Measurement(GaussianDownsample(4)))) is None
    assert (found.consistent, found.patients) == (True, tuple(PATIENTS[:5]))
    with pytest.raises(FileExistsError, match=r"intervals.json exists: .*set overwrite=True"):
        made.prepare()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": 1.0}, "level must lie in"),
        ({"cap": 0.05}, "cap must lie in"),
        ({"bins": 0}, "bins must be at least 1, folds and min_patients at least 2, got 0, 8 and 15"),
        ({"min_patients": 1}, "at least 2, got 8, 8 and 1"),
        ({"noise_edges": (0.1, 0.0)}, "noise_edges must be"),
        ({"overwrite": "no"}, "overwrite must be True or False"),
    ],
)
def test_arguments_that_cannot_be_are_refused(tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calibration(tmp_path, **arguments)
