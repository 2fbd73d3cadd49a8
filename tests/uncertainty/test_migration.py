# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Interval files of version 0.2."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from monai_srgan.physics import GaussianDownsample, InsideSettings, KSpaceDownsample, Measurement
from monai_srgan.uncertainty import CoverageSummary, IntervalTable, TableFit

GAUSSIAN = "GaussianDownsample(scale=4, sigma=1.5)"
PLAIN = {
    **{"feather": 0.0, "noise_std": 0.0, "isolate": False, "seed": 0},
    **{"operator": GAUSSIAN, "sides": [GAUSSIAN, GAUSSIAN], "_scale": 4},
}
COVERED = {"inside": {"mean": 0.9033, "sd": None, "patients": 1}}
FILE: dict[str, Any] = {
    **{"format": "monai_srgan intervals 1", "level": 0.9, "lambda": 1.0396, "features": ["spread", "activity"]},
    **{"window": 9, "edges": [[0.001], []], "quantiles": [[0.004], [0.0123]]},
    **{"weights_sha256": "527614", "consistent": True},
    "record": {
        "calibration": {
            **{"factor": 1.0396, "patients": 24, "slices": 101, "cap": 0.19999999999999996, "capped_patients": 0},
            **{"coverage": COVERED, "held_out": None},
        },
        "fit": {
            **{"slices": 95, "patients": 74, "pixels": 654676, "bins": [2, 1]},
            "features": ["spread", "activity"],
        },
        "settings": {"fold": 0, "precision": "bf16", "degradation": PLAIN},
        "patients": ["100920", "101127"],
    },
}


def loaded(tmp_path: Path, degradation: Any = PLAIN, **record: Any) -> IntervalTable:
    content = copy.deepcopy(FILE)
    content["record"]["settings"]["degradation"] = degradation
    content["record"].update(record)
    (tmp_path / "intervals.json").write_text(json.dumps(content))
    return IntervalTable.load(tmp_path / "intervals.json")


def test_a_file_of_version_0_2_is_read_with_every_number(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found.measurement == Measurement(GaussianDownsample(4))
    assert (found.level, found.factor, found.precision, found.consistent) == (0.9, 1.0396, "bf16", True)
    assert found.table.quantiles.tolist() == [[0.004], [0.0123]]
    calibration = found.record.calibration
    assert calibration is not None
    assert (calibration.patients, calibration.slices, calibration.cap) == (24, 101, 0.19999999999999996)
    assert calibration.coverage == {"inside": CoverageSummary(0.9033, None, 1)}
    assert found.record.fit == TableFit(95, 74, 654676, (2, 1))
    assert found.record.patients == ("100920", "101127")
    assert found.record.settings == {"fold": 0}
    found.save(tmp_path / "new.json")
    again = IntervalTable.load(tmp_path / "new.json")
    assert (again.record, again.measurement) == (found.record, found.measurement)


@pytest.mark.parametrize(
    ("degradation", "expected"),
    [
        (
            {**PLAIN, "noise_std": 0.02, "feather": 3.0, "sides": [GAUSSIAN, "GaussianDownsample(scale=4, sigma=3.0)"]},
            Measurement(GaussianDownsample(4), 0.02, InsideSettings(3, feather=3)),
        ),
        ({**PLAIN, "isolate": True}, Measurement(GaussianDownsample(4), inside=InsideSettings(1.5, isolate=True))),
        (
            {**PLAIN, "operator": "KSpaceDownsample(scale=2, taper=0.25)", "sides": None, "_scale": 2},
            Measurement(KSpaceDownsample(2, 0.25)),
        ),
        ({"operator": GAUSSIAN}, Measurement(GaussianDownsample(4))),
    ],
)
def test_every_degradation_of_version_0_2_is_rebuilt(tmp_path: Path, degradation: Any, expected: Measurement) -> None:
    assert loaded(tmp_path, degradation).measurement == expected


@pytest.mark.parametrize(
    "degradation", [{**PLAIN, "operator": "MyBlur(scale=4)"}, {**PLAIN, "operator": "GaussianDownsample()"}, GAUSSIAN]
)
def test_a_degradation_that_cannot_be_read_stays_as_it_is(tmp_path: Path, degradation: Any) -> None:
    found = loaded(tmp_path, degradation)
    assert found.measurement is None
    assert found.facts()["degradation"] == degradation


def test_a_file_without_settings_is_read(tmp_path: Path) -> None:
    found = loaded(tmp_path, settings={}, fit=None, calibration=None)
    assert (found.measurement, found.precision, found.record.fit) == (None, None, None)
