# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What a report warns of."""

from __future__ import annotations

from typing import Any

import pytest

from monai_srgan.data.splits import DEALT_EVENLY
from monai_srgan.physics import GaussianDownsample
from monai_srgan.report.warnings import data_warnings, trust_warnings


@pytest.mark.parametrize(
    ("settings", "titles"),
    [
        ({"section": "test", "folds": "patient", "made_up": False}, []),
        ({"section": "test", "folds": DEALT_EVENLY, "made_up": True}, ["Synthetic slices.", "Few patients."]),
        ({"section": "training", "folds": "official"}, ["Training patients.", "Official folds."]),
    ],
)
def test_a_report_warns_of_slices_that_prove_little(settings: dict[str, Any], titles: list[str]) -> None:
    assert [warning.title for warning in data_warnings(settings)] == titles


def test_a_report_warns_of_calibration_patients_and_of_another_degradation() -> None:
    here = {"operator": GaussianDownsample(4), "noise_std": 0.0}
    same = {"noise_std": 0.0, "operator": "GaussianDownsample(scale=4, sigma=1.5)"}  # as a JSON file gives it back
    settings = {"degradation": here, "calibration": {"patients": ["a", "b"], "degradation": same}}
    assert trust_warnings(settings, {"c", "d"}) == []
    assert trust_warnings(settings, {"b", "d"}) == [
        "1 patient of this report took part in the calibration: no test of it."
    ]
    settings["degradation"] = {**here, "noise_std": 0.02}
    assert trust_warnings(settings, {"c"}) == [
        "The intervals were calibrated for another degradation: here they state nothing."
    ]
    assert trust_warnings({}, {"a"}) == []
