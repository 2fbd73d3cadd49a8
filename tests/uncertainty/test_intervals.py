# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Intervals around every pixel: calibration on patients, file, scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from interval_data import MASK, TABLE, maps
from torch import nn

from monai_srgan.errors import argument_of
from monai_srgan.metrics import interval_scores
from monai_srgan.networks import weights_sha256
from monai_srgan.physics import GaussianDownsample, Measurement
from monai_srgan.uncertainty import (
    CalibrationRecord,
    IntervalTable,
    PatientCoverage,
    PixelSample,
    TableFit,
)

REGIONS = {"inside": MASK, "outside": ~MASK}


def calibrated(**scales: float) -> tuple[PatientCoverage, dict[str, list[Any]]]:
    """Patients of one or more slices each, whose errors have the scales given."""
    sample = PixelSample()
    for seed in range(6):
        sample.add(*maps(seed), MASK)
    coverage, slices = PatientCoverage(sample.fit(bins=4)), {}
    for index, (patient, scale) in enumerate(scales.items()):
        for number in range(1 + index % 3):
            item = maps(100 + 10 * index + number, scale)
            slices.setdefault(patient, []).append(item)
            coverage.add([patient], *item, REGIONS)
    return coverage, slices


SCALES = {f"p{i}": 0.8 + 0.05 * i for i in range(12)}


def by_hand(coverage: PatientCoverage, items: list[Any], factor: float, region: str) -> float:
    """Coverage of a patient, counted anew."""
    shares = []
    for mean, spread, target in items:
        covered = (target - mean).abs() <= factor * coverage.table(mean, spread)
        shares.append(covered[REGIONS[region]].float().mean().item())
    return float(np.mean(shares))


def test_the_coverage_that_a_calibration_reports_is_that_of_a_count_over_patients():
    coverage, slices = calibrated(**SCALES)
    found = coverage.calibrate(0.9, cap=0.3)
    assert (found.patients, found.slices) == (12, 24)
    for region in REGIONS:
        counted = [by_hand(coverage, items, found.factor, region) for items in slices.values()]
        assert found.coverage[region].mean == pytest.approx(np.mean(counted), abs=1e-4)
        assert found.coverage[region].sd == pytest.approx(np.std(counted, ddof=1), abs=1e-4)
        assert found.coverage[region].patients == 12


def test_the_mean_loss_is_what_the_bound_leaves_to_the_patients_at_hand():
    coverage, slices = calibrated(**SCALES)
    found = coverage.calibrate(0.9, cap=0.3)

    def risk(factor: float) -> float:
        losses = [1 - np.mean([by_hand(coverage, items, factor, r) for r in REGIONS]) for items in slices.values()]
        return float(np.sum(np.minimum(losses, 0.3)) + 0.3) / 13

    assert risk(found.factor * 1.0001) <= 0.1 < risk(found.factor * 0.995)
    assert found.capped_patients == 0


def test_each_patient_is_held_out_with_the_factor_of_the_others():
    coverage, slices = calibrated(**SCALES)
    held_out = coverage.calibrate(0.9, cap=0.3).held_out
    counted = []
    for patient, items in slices.items():
        others = PatientCoverage(coverage.table)
        for other, theirs in slices.items():
            for item in theirs if other != patient else []:
                others.add([other], *item, REGIONS)
        counted.append(by_hand(coverage, items, others.calibrate(0.9, cap=0.3).factor, "inside"))
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
    coverage.add(["healthy"], *maps(7), {"inside": empty, "outside": ~empty})
    found = coverage.calibrate(0.9, cap=0.3)
    assert found.coverage["inside"].patients == 12
    assert found.coverage["outside"].patients == found.patients == 13


def test_intervals_cover_what_they_state_on_patients_who_were_not_seen():
    random = np.random.default_rng(0)
    coverage, _ = calibrated(**{f"p{i}": s for i, s in enumerate(random.lognormal(0, 0.2, 20))})
    found = coverage.calibrate(0.9)
    _, new = calibrated(**{f"q{i}": s for i, s in enumerate(random.lognormal(0, 0.2, 40))})
    for region in REGIONS:
        shares = [by_hand(coverage, items, found.factor, region) for items in new.values()]
        assert 0.88 < np.mean(shares) < 0.93


@pytest.mark.parametrize(
    ("level", "cap", "message"),
    [(1.0, None, "level must lie in"), (0.9, 0.05, r"cap must lie in \(1 - level, 1\] = \(0.1, 1\], got 0.05")],
)
def test_a_calibration_names_the_argument_that_cannot_be(level, cap, message):
    with pytest.raises(ValueError, match=message):
        calibrated(**SCALES)[0].calibrate(level, cap)


def test_slices_without_patients_or_regions_are_refused():
    coverage = PatientCoverage(TABLE)
    with pytest.raises(ValueError, match="there are no slices"):
        coverage.calibrate()
    with pytest.raises(ValueError, match="one name for each of 1 slices, got 2"):
        coverage.add(["a", "b"], *maps(0), REGIONS)
    with pytest.raises(ValueError, match=r"\['outside'\] are missing"):
        coverage.add(["a"], *maps(0), {"inside": MASK})


def test_half_widths_of_a_volume_are_those_of_its_slices():
    mean, spread, _ = maps(2)
    volume = [torch.stack([image, image.flip(2), image * 0.5], dim=-1) for image in (mean, spread)]
    found = IntervalTable(0.9, 1.25, TABLE).half_width(*volume)
    for i in range(3):
        expected = 1.25 * TABLE(volume[0][..., i], volume[1][..., i])
        torch.testing.assert_close(found[..., i], expected, rtol=0, atol=0)


def test_a_file_holds_all_that_the_half_width_needs(tmp_path: Path):
    measurement = Measurement(GaussianDownsample(4), noise_std=0.02)
    record = CalibrationRecord(patients=("a",), settings={"seed": 0, "where": Path("x")})
    intervals = IntervalTable(0.9, 1.25, TABLE, "abc", True, measurement, "bf16", record)
    intervals.save(tmp_path / "intervals.json")
    assert [path.name for path in tmp_path.iterdir()] == ["intervals.json"]
    loaded = IntervalTable.load(str(tmp_path / "intervals.json"))
    mean, spread, _ = maps(0)
    torch.testing.assert_close(loaded.half_width(mean, spread), 1.25 * TABLE(mean, spread), rtol=0, atol=0)
    assert loaded.consistent is True
    assert (loaded.level, loaded.weights_sha256, loaded.precision) == (0.9, "abc", "bf16")
    assert loaded.measurement == measurement
    assert loaded.record == CalibrationRecord(patients=("a",), settings={"seed": 0, "where": "x"})
    assert loaded.facts() == {
        **{"level": 0.9, "lambda": 1.25, "precision": "bf16", "degradation": measurement.to_dict()},
        **{"seed": 0, "where": "x", "patients": ["a"]},
    }
    assert json.loads((tmp_path / "intervals.json").read_text())["lambda"] == 1.25


def test_a_calibration_comes_back_from_its_file_with_its_types(tmp_path: Path):
    coverage, _ = calibrated(**SCALES)
    found = coverage.calibrate(0.9, cap=0.3)
    record = CalibrationRecord(found, TableFit(6, 6, 900, (4, 4)), tuple(coverage.patients))
    IntervalTable(0.9, found.factor, coverage.table, record=record).save(tmp_path / "intervals.json")
    assert IntervalTable.load(tmp_path / "intervals.json").record == record


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "its format must be"),
        ({"features": ["spread"]}, "features must be"),
        ({"level": 1.5}, "level must lie in"),
        ({"lambda": -1}, "lambda must be a finite number > 0"),
        ({"window": 4}, "window must be an odd number, got 4"),
        ({"edges": [[0.1], [0.3, 0.2]]}, "edges must be two lists of increasing numbers"),
        ({"quantiles": [[1, 2]]}, r"one number per bin, \(2, 3\)"),
        ({"quantiles": [[1, 2, 3], [4, 5, 0]]}, "finite numbers > 0"),
        ({"weights_sha256": 7}, "weights_sha256 must be a string or null, got 7"),
        ({"consistent": 1}, "consistent must be true or false"),
        ({"precision": 16}, "precision must be a string or null, got 16"),
        ({"record": None}, "'record' is missing"),
        ({"record": {"fit": {"slices": 3, "bins": []}}}, "missing 2 required positional arguments"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_is_wrong_with_it(tmp_path: Path, change: dict, message: str):
    path = tmp_path / "intervals.json"
    IntervalTable(0.9, 1.0, TABLE).save(path)
    content = {**json.loads(path.read_text()), **change}
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None or k != "record"}))
    with pytest.raises(
        ValueError, match=rf"intervals: .*intervals.json is not a valid interval file: .*{message}.*set intervals=None"
    ):
        IntervalTable.load(path)


def test_a_file_that_is_missing_or_no_json_is_named_with_the_remedy(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"calibrate\.json, or set intervals=None") as caught:
        IntervalTable.load(tmp_path / "none.json")
    assert argument_of(caught.value) == "intervals"
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match=r"bad\.json is not a JSON file"):
        IntervalTable.load(tmp_path / "bad.json")


def test_other_weights_than_those_calibrated_for_are_refused():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4))
    intervals = IntervalTable(0.9, 1.0, TABLE, weights_sha256(network))
    intervals.check_weights(network)
    intervals.check_weights(network.to(memory_format=torch.channels_last))
    IntervalTable(0.9, 1.0, TABLE).check_weights(network)  # it does not know for which
    with torch.no_grad():
        network[0].bias[2] += 1e-6
    with pytest.raises(
        ValueError, match=r"calibrated for weights with sha256 .* calibrate with .*, or set intervals=None"
    ):
        intervals.check_weights(network)


def test_another_operator_than_that_of_the_calibration_is_refused():
    measurement = Measurement(GaussianDownsample(4), noise_std=0.02)
    intervals = IntervalTable(0.9, 1.0, TABLE, measurement=measurement)
    intervals.check_operator(GaussianDownsample(4, 1.5))
    IntervalTable(0.9, 1.0, TABLE).check_operator(GaussianDownsample(2))  # unknown: not checked
    with pytest.raises(
        ValueError, match=r"degraded by 4x, .* noise of 0\.02; the projection uses 4x, .* sigma 1 pixels"
    ):
        intervals.check_operator(GaussianDownsample(4, 1))
    with pytest.raises(ValueError, match="the projection uses AvgPool2d"):
        intervals.check_operator(nn.AvgPool2d(4))


def test_results_with_and_without_the_projection_are_not_exchanged():
    for consistent, words in ((True, "results with .* results without"), (False, "results without .* results with")):
        intervals = IntervalTable(0.9, 1.0, TABLE, consistent=consistent)
        intervals.check_consistent(consistent)
        with pytest.raises(ValueError, match=words):
            intervals.check_consistent(not consistent)


@pytest.mark.parametrize(
    ("own", "runs", "logged"),
    [("bf16", "fp32", True), ("bf16", "bf16", False), (None, "fp32", False), ("bf16", None, False)],
)
def test_another_precision_than_that_of_the_calibration_is_logged(caplog, own, runs, logged):
    with caplog.at_level("INFO"):
        IntervalTable(0.9, 1.0, TABLE, precision=own).log_precision(runs)
    assert ("calibrated with the network in bf16, and it runs in fp32" in caplog.text) == logged


def test_images_of_another_degradation_are_warned_of(caplog):
    table = IntervalTable(0.9, 1.0, TABLE, measurement=Measurement(GaussianDownsample(4)))
    table.log_measurement(Measurement(GaussianDownsample(4, 1.5)))
    IntervalTable(0.9, 1.0, TABLE).log_measurement(Measurement(GaussianDownsample(4, 2.0)))
    assert caplog.text == ""
    table.log_measurement(Measurement(GaussianDownsample(4, 2.0)))
    assert "another degradation (4x, Gaussian blur with sigma 1.5 pixels) and are not valid for 4x, " in caplog.text


def test_an_operator_of_ones_own_is_recorded_and_cannot_be_compared(tmp_path: Path, caplog):
    class Mean(nn.AvgPool2d):
        scale = 4

    IntervalTable(0.9, 1.0, TABLE, measurement=Measurement(Mean(4))).save(tmp_path / "intervals.json")
    assert json.loads((tmp_path / "intervals.json").read_text())["measurement"]["operator"]["kind"].endswith("Mean")
    loaded = IntervalTable.load(tmp_path / "intervals.json")
    assert loaded.measurement is None
    assert loaded.facts()["degradation"] is None
    assert "intervals.json: the degradation of the calibration cannot be compared: operator: kind" in caplog.text


def test_coverage_and_width_are_counted_by_region():
    mean = torch.zeros(2, 1, 2, 3)
    target = torch.tensor([[0.0, 1.0, 2.0], [-1.0, 3.0, 0.5]]).expand(2, 1, 2, 3)
    half = torch.stack([torch.full((1, 2, 3), 1.0), torch.full((1, 2, 3), 0.25)])
    left = torch.tensor([[True, True, False], [True, False, False]]).expand(2, 1, 2, 3)
    found = interval_scores(mean, half, target, {"left": left, "none": torch.zeros_like(left)})
    assert found["left", "coverage"].tolist() == pytest.approx([1.0, 1 / 3])  # an error as large as half is covered
    assert found["left", "interval_width"].tolist() == [2.0, 0.5]
    assert found["none", "coverage"].isnan().all()
    assert found["left", "coverage"].dtype == torch.float64


@pytest.mark.parametrize(
    ("half", "message"),
    [
        (torch.full((1, 1, 2, 2), -1.0), "half_width must be 0 or more, got -1"),
        (torch.full((1, 1, 2, 2), float("nan")), "half_width has NaN"),
        (torch.ones(1, 1, 2, 3), "half_width must have the shape of mean"),
    ],
)
def test_widths_that_cannot_be_are_refused(half: torch.Tensor, message: str):
    image = torch.zeros(1, 1, 2, 2)
    with pytest.raises(ValueError, match=message):
        interval_scores(image, half, image, {})
