# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What a report warns of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monai_srgan.data.splits import DEALT_EVENLY
from monai_srgan.physics import GaussianDownsample, InsideSettings, Measurement
from monai_srgan.report.warnings import data_warnings, trust_warnings


@pytest.mark.parametrize(
    ("settings", "titles"),
    [
        ({"section": "test", "folds": "patient", "synthetic": False}, []),
        ({"section": "test", "folds": DEALT_EVENLY, "synthetic": True}, ["Synthetic slices.", "Few patients."]),
        ({"section": "training", "folds": "official"}, ["Training patients.", "Official folds."]),
    ],
)
def test_a_report_warns_of_slices_that_prove_little(settings: dict[str, Any], titles: list[str]) -> None:
    assert [warning.title for warning in data_warnings(settings)] == titles


HERE = Measurement(GaussianDownsample(4)).to_dict()


def warnings_of(degradation: Any, calibration: dict[str, Any], patients: set[str] | None = None) -> list[str]:
    settings = {"degradation": degradation, "precision": "fp32", "calibration": {"level": 0.9, **calibration}}
    return trust_warnings(settings, patients or {"c"})


def test_a_report_warns_of_patients_of_the_calibration() -> None:
    calibration = {"patients": ["a", "b"], "degradation": json.loads(json.dumps(HERE))}
    assert warnings_of(HERE, calibration) == []
    assert warnings_of(HERE, calibration, {"b", "d"}) == [
        "1 patient of this report took part in the calibration, so this coverage is not an independent test."
    ]
    assert trust_warnings({}, {"a"}) == []
    assert trust_warnings({"degradation": HERE, "calibration": None}, {"a"}) == []


def test_a_report_warns_of_another_degradation_by_its_meaning() -> None:
    assert warnings_of(HERE, {"degradation": {"operator": {"kind": "gaussian", "scale": 4}}}) == []
    expected = (
        "The intervals were calibrated for another degradation (4x, Gaussian blur with sigma 1.5 pixels) and are not "
        "valid here."
    )
    assert warnings_of({**HERE, "noise_std": 0.02}, {"degradation": HERE}) == [expected]
    inside = Measurement(GaussianDownsample(4), inside=InsideSettings(3)).to_dict()
    assert warnings_of(inside, {"degradation": HERE}) == [expected]


@pytest.mark.parametrize(
    "unreadable", [None, "GaussianDownsample(scale=4, sigma=1.5)", {"operator": {"kind": "my.Blur", "scale": 4}}]
)
def test_a_report_says_when_the_degradation_could_not_be_checked(unreadable: Any) -> None:
    (one,) = warnings_of(HERE, {"degradation": unreadable})
    (other,) = warnings_of(unreadable, {"degradation": HERE})
    rest = " does not record a readable degradation: whether the intervals hold here is not checked."
    assert (one, other) == (f"The interval file{rest}", f"This report{rest}")


def test_intervals_by_measurement_are_not_of_one_degradation() -> None:
    cells = [{"noise": [0.0, 0.01], "bandwidth": [0.5, 1.0]}]
    assert warnings_of({**HERE, "noise_std": 0.02}, {"cells": cells}) == []


def test_equal_records_of_an_operator_of_one_s_own_mean_the_same_degradation() -> None:
    own = {"operator": {"kind": "my.Blur", "scale": 4, "width": 3}, "noise_std": 0.0, "inside": None}
    assert warnings_of(own, {"degradation": json.loads(json.dumps(own))}) == []
    (other,) = warnings_of({**own, "noise_std": 0.02}, {"degradation": own})
    assert other.startswith("The interval file does not record a readable degradation")
    (neither,) = warnings_of(None, {"degradation": None})
    assert neither.startswith("The interval file does not record a readable degradation")


def test_a_report_warns_of_another_precision() -> None:
    assert warnings_of(HERE, {"degradation": HERE, "precision": "fp32"}) == []
    assert warnings_of(HERE, {"degradation": HERE, "precision": "bf16"}) == [
        "The network ran in bf16 for the calibration and in fp32 here."
    ]
