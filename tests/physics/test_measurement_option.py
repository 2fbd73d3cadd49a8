# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Measurement records as users write them."""

from __future__ import annotations

import json
import re

import pytest

from monai_srgan.physics import (
    BicubicDownsample,
    GaussianDownsample,
    KSpaceDownsample,
    Measurement,
    PerAxisDownsample,
    WindowedKSpaceDownsample,
    read_measurement,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"kernel": "gaussian"}, Measurement(GaussianDownsample(4))),
        ({"kernel": "gaussian", "sigma": 1, "noise_std": 0.02}, Measurement(GaussianDownsample(4, 1.0), 0.02)),
        (
            {"kernel": "gaussian", "sigma": [1.0, 2.0]},
            Measurement(PerAxisDownsample(GaussianDownsample(4, 1.0), GaussianDownsample(4, 2.0))),
        ),
        (
            {"kernel": "kspace", "support": [1.0, 0.8], "taper": 0.5},
            Measurement(PerAxisDownsample(KSpaceDownsample(4, taper=0.5), KSpaceDownsample(4, taper=0.5, support=0.8))),
        ),
        ({"kernel": "bicubic"}, Measurement(BicubicDownsample(4))),
        (
            {"kernel": "kspace_window", "support": [0.9, 0.7], "exponent": None},
            Measurement(WindowedKSpaceDownsample(4, support=(0.9, 0.7), exponent=None)),
        ),
        (Measurement(BicubicDownsample(4), 0.01).to_dict(), Measurement(BicubicDownsample(4), 0.01)),
    ],
)
def test_short_and_full_dictionaries(value, expected, tmp_path):
    assert read_measurement(value) == expected
    file = tmp_path / "record.json"
    file.write_text(json.dumps(value))
    assert read_measurement(file) == expected
    file.write_text(json.dumps({"summary": "x", "measurement": value}))  # as beside a result
    assert read_measurement(str(file)) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kernel": "gaussian", "sigma": -1.0}, "sigma must be a finite number >= 0, got -1.0"),
        ({"kernel": "gaussian", "sigma": [1.0, 2.0, 3.0]}, "measurement: sigma must be a number or one per axis"),
        ({"kernel": "gaussian", "width": 1.0}, "has unknown ['width']"),
        ({"kernel": "motion"}, "kind 'motion' cannot be rebuilt"),
        ({"kernel": "gaussian", "noise_std": "much"}, "noise_std must be a finite number >= 0, got 'much'"),
        ({"kernel": "bicubic", "scale": 2}, "measurement has scale 2, but images are enlarged by 4"),
        (3, "measurement must be a dictionary or the path of a JSON file, got 3"),
    ],
)
def test_what_is_no_record_is_refused_by_name(value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_measurement(value)


def test_files_that_are_missing_or_not_json_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a file"):
        read_measurement(tmp_path / "missing.json")
    file = tmp_path / "broken.json"
    file.write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json is not JSON"):
        read_measurement(file)
