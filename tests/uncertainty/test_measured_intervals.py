# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Intervals by measurement: choice of the cell, and the file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from interval_data import TABLE, maps

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.physics import GaussianDownsample, Measurement
from monai_srgan.uncertainty import (
    Calibration,
    CellIntervals,
    CoverageSummary,
    IntervalTable,
    MeasuredIntervals,
    MeasurementCell,
    QuantileTable,
    RecordScale,
    load_intervals,
)

COVERED = {"inside": CoverageSummary(0.897, 0.03, 20), "outside": CoverageSummary(0.91, 0.02, 21)}
OTHER = QuantileTable(TABLE.edges, TABLE.quantiles[::-1].copy(), TABLE.window)


def cell(noise: tuple[float, float], bandwidth: tuple[float, float], factor: float, table: Any) -> CellIntervals:
    calibration = Calibration(factor, 21, 60, 0.2, 1, COVERED, {"inside": CoverageSummary(0.88, None, 1)})
    return CellIntervals(MeasurementCell(noise, bandwidth), table, calibration)


SCALE = RecordScale((0.5, *[0.0] * 9), (0.4, *[0.0] * 9), (0.0,) * 10, (1.0,) * 10)  # exp(0.5 (noise - 0.4))
INTERVALS = MeasuredIntervals(
    level=0.9,
    cells=(cell((0.0, 0.01), (0.7, 1.0), 1.25, TABLE), cell((0.01, 0.03), (0.5, 1.0), 1.5, OTHER)),
    weights_sha256="abc",
    consistent=True,
    precision="bf16",
    patients=("a", "b"),
    scale=SCALE,
    operators={"gaussian, no noise": COVERED},
    settings={"seed": 0, "where": Path("x")},
)


def told(sigma: float, noise: float, **changes: Any) -> AssumedMeasurement:
    return replace(AssumedMeasurement.told(Measurement(GaussianDownsample(4, sigma), noise)), **changes)


def test_each_image_has_the_widths_of_its_own_cell_or_none() -> None:
    mean, spread = (torch.cat([image, image.flip(2), image, image]) for image in maps(0)[:2])
    records = [told(1.5, 0.0), told(1.5, 0.02), told(1.5, 0.04), AssumedMeasurement.unknown("too small")]
    found = INTERVALS.half_width(mean, spread, records)
    torch.testing.assert_close(found[:1], 1.25 * np.exp(-0.2) * TABLE(mean[:1], spread[:1]))
    torch.testing.assert_close(found[1:2], 1.5 * np.exp(0.5 * (0.4**0.5 - 0.4)) * OTHER(mean[1:2], spread[1:2]))
    assert found[2:].isnan().all()
    assert INTERVALS.half_width(mean, spread).isnan().all()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, "depend on how the image was measured, which is not known"),
        (told(1.5, 0.04), "no intervals were calibrated for noise of 4.0 % with a bandwidth of 7"),
        (told(5.0, 0.0), r"noise of 0.0 % with a bandwidth of 4\d %"),
        (told(1.5, 0.0, declined="too noisy"), "the network is not used: too noisy"),
        (AssumedMeasurement.unknown("constant"), "the network is not used: constant"),
    ],
)
def test_it_says_why_there_are_none(record: AssumedMeasurement | None, reason: str) -> None:
    found = INTERVALS.reason_against(record)
    assert re.search(reason, str(found))
    assert INTERVALS.describe(record) == {"level": 0.9, "none": found}


def test_it_tells_the_calibration_of_an_image_s_cell() -> None:
    assert INTERVALS.describe(told(1.5, 0.02)) == {
        **{"level": 0.9, "noise": [0.01, 0.03], "bandwidth": [0.5, 1.0], "patients": 21},
        "coverage": {"inside": 0.88},
    }


def test_intervals_of_known_records_do_not_hold_for_estimates_but_the_reverse() -> None:
    estimate = told(1.5, 0.0, basis="estimated")
    assert INTERVALS.reason_against(estimate) is None
    assert INTERVALS.reason_against(told(1.5, 0.0)) is None
    known = replace(INTERVALS, basis="told")
    assert known.reason_against(told(1.5, 0.0)) is None
    assert "for measurements that are known, this one is estimated" in str(known.reason_against(estimate))


def test_a_file_holds_all_of_it(tmp_path: Path) -> None:
    INTERVALS.save(tmp_path / "intervals.json")
    assert [path.name for path in tmp_path.iterdir()] == ["intervals.json"]
    for found in (load_intervals(tmp_path / "intervals.json"), MeasuredIntervals.load(tmp_path / "intervals.json")):
        assert isinstance(found, MeasuredIntervals)
        plain = ("level", "basis", "weights_sha256", "consistent", "precision", "patients", "operators", "scale")
        assert {name: getattr(found, name) for name in plain} == {name: getattr(INTERVALS, name) for name in plain}
        assert found.settings == {"seed": 0, "where": "x"}
        for one, other in zip(found.cells, INTERVALS.cells, strict=True):
            assert (one.cell, one.calibration) == (other.cell, other.calibration)
            mean, spread, _ = maps(3)
            torch.testing.assert_close(one.table(mean, spread), other.table(mean, spread), rtol=0, atol=0)
        assert found.facts() == {
            **{"level": 0.9, "precision": "bf16", "basis": "estimated", "seed": 0, "where": "x"},
            "cells": [
                {"noise": (0.0, 0.01), "bandwidth": (0.7, 1.0)},
                {"noise": (0.01, 0.03), "bandwidth": (0.5, 1.0)},
            ],
            "patients": ["a", "b"],
        }


def changed(content: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    for part in path[:-1]:
        content = content[part]
    if value is None:
        del content[path[-1]]
    else:
        content[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), "monai_srgan intervals 4", "its format must be one of 'monai_srgan intervals 1', .* 3'"),
        (("cells",), [], "cells must have at least one cell"),
        (("cells",), 7, "cells must be a list, got 7"),
        (("cells",), None, "'cells' is missing"),
        (("basis",), "guessed", "basis must be one of estimated, told, got 'guessed'"),
        (("scale", "low"), [0.0], "low must be 10 finite numbers, got"),
        (("scale", "center"), None, "missing 1 required positional argument: 'center'"),
        (("level",), 0, r"level must lie in \(0, 1\), got 0"),
        (("features",), ["spread"], "features must be"),
        (("consistent",), 1, "consistent must be true or false, got 1"),
        (("cells", 1, "noise"), [0.03, 0.01], r"cells\[1\]: noise must be a range \[low, high\]"),
        (("cells", 1, "noise"), [0.005, 0.02], "cells must be disjoint, got noise 0 to 1 %.* and noise 0.5 to 2 %"),
        (("cells", 1, "lambda"), 1.4, r"cells\[1\]: lambda must be the calibration's factor, 1.5, got 1.4"),
        (("cells", 0, "lambda"), -1, r"cells\[0\]: lambda must be a finite number > 0"),
        (("cells", 0, "quantiles"), [[1, 2]], r"cells\[0\]: quantiles must have one number per bin"),
        (("cells", 0, "calibration", "patients"), None, r"cells\[0\]: .*missing 1 required positional argument"),
        (("window",), 4, "window must be an odd number, got 4"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_is_wrong_with_it(
    tmp_path: Path, path: tuple[Any, ...], value: Any, message: str
) -> None:
    file = tmp_path / "intervals.json"
    INTERVALS.save(file)
    content = json.loads(file.read_text())
    changed(content, path, value)
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"intervals.json is not a valid interval file: .*{message}.*intervals=None"):
        load_intervals(file)


def test_a_file_of_one_degradation_is_no_file_by_measurement_and_the_reverse(tmp_path: Path) -> None:
    INTERVALS.save(tmp_path / "new.json")
    IntervalTable(0.9, 1.0, TABLE).save(tmp_path / "old.json")
    assert isinstance(load_intervals(tmp_path / "old.json"), IntervalTable)
    with pytest.raises(ValueError, match="its format must be 'monai_srgan intervals 2'"):
        IntervalTable.load(tmp_path / "new.json")
    with pytest.raises(ValueError, match="its format must be 'monai_srgan intervals 3'"):
        MeasuredIntervals.load(tmp_path / "old.json")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(ValueError, match="it must hold an object"):
        load_intervals(tmp_path / "list.json")
