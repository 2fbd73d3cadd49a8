# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Intervals for one degradation: widths, file, checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from interval_data import TABLE, maps
from torch import nn

from monai_srgan.errors import argument_of
from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.networks import weights_sha256
from monai_srgan.physics import GaussianDownsample, Measurement
from monai_srgan.uncertainty import (
    Calibration,
    CalibrationRecord,
    CoverageSummary,
    IntervalTable,
    TableFit,
    load_intervals,
)


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
    covered = {"inside": CoverageSummary(0.9, 0.03, 12), "outside": CoverageSummary(0.91, None, 1)}
    found = Calibration(1.02, 12, 24, 0.2, 1, covered, held_out=None)
    record = CalibrationRecord(found, TableFit(6, 6, 900, (4, 4)), ("a", "b"))
    IntervalTable(0.9, 1.02, TABLE, record=record).save(tmp_path / "intervals.json")
    assert IntervalTable.load(tmp_path / "intervals.json").record == record


def test_a_table_holds_for_the_record_of_its_calibration_alone(tmp_path: Path):
    own = Measurement(GaussianDownsample(4), noise_std=0.02)
    IntervalTable(0.9, 1.25, TABLE, measurement=own).save(tmp_path / "intervals.json")
    table = load_intervals(tmp_path / "intervals.json")
    assert isinstance(table, IntervalTable)
    images = [torch.cat([image, image]) for image in maps(0)[:2]]
    records = [AssumedMeasurement.told(own), AssumedMeasurement.told(Measurement(GaussianDownsample(4), 0.021))]
    found = table.half_width(*images, records)
    torch.testing.assert_close(found[:1], table.half_width(*maps(0)[:2]), rtol=0, atol=0)
    assert found[1].isnan().all()
    assert table.describe(records[0]) == {"level": 0.9}
    assert table.describe(records[1])["none"].startswith("the intervals were calibrated for 4x, Gaussian blur")
    assert "the network is not used: noisy" in table.reason_against(AssumedMeasurement.unknown("noisy"))
    assert "an unknown degradation alone" in IntervalTable(0.9, 1.0, TABLE).reason_against(records[0])
    with pytest.raises(ValueError, match="one record for each of 2 images, got 1"):
        table.half_width(*images, records[:1])


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
