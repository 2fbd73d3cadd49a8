# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of a measurement: its dictionary, its meaning, and what it refuses."""

from __future__ import annotations

import doctest
import json
from typing import Any

import pytest
import torch
from torch import nn

from monai_srgan.physics import (
    BicubicDownsample,
    GaussianDownsample,
    InsideSettings,
    KSpaceDownsample,
    Measurement,
    measurement,
    same_measurement,
    same_operator,
)

GAUSSIAN = {"kind": "gaussian", "scale": 4, "sigma": 1.5}


class BoxDownsample(nn.Module):
    """An operator from outside the package: the mean of every cell, times a gain."""

    def __init__(self, scale: int = 4, gain: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.gain = gain

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gain * nn.functional.avg_pool2d(x, self.scale)


class DescribedBox(BoxDownsample):
    description = "4x, box"

    @property
    def settings(self) -> dict[str, Any]:
        return {"gain": self.gain, "kind": "gaussian"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (Measurement(GaussianDownsample(4)), {"operator": GAUSSIAN, "noise_std": 0.0, "inside": None}),
        (
            Measurement(GaussianDownsample(4, 1), 0.02, InsideSettings(3, feather=2, isolate=True)),
            {
                "operator": {**GAUSSIAN, "sigma": 1.0},
                "noise_std": 0.02,
                "inside": {"sigma": 3.0, "feather": 2.0, "isolate": True},
            },
        ),
        (
            Measurement(KSpaceDownsample(2, taper=0.25)),
            {
                "operator": {"kind": "kspace", "scale": 2, "taper": 0.25, "support": 1.0, "pedestal": 0.0},
                "noise_std": 0.0,
                "inside": None,
            },
        ),
        (
            Measurement(BicubicDownsample(3)),
            {"operator": {"kind": "bicubic", "scale": 3}, "noise_std": 0.0, "inside": None},
        ),
    ],
)
def test_the_dictionary_has_stable_names_and_rebuilds_the_record_through_json(record, expected):
    assert record.to_dict() == expected
    again = Measurement.from_dict(json.loads(json.dumps(record.to_dict())))
    assert again == record
    assert hash(again) == hash(record)
    assert again.to_dict() == expected


def test_a_record_that_lacks_what_has_a_default_is_read():
    assert Measurement.from_dict({"operator": {"kind": "gaussian", "scale": 4}}) == Measurement(GaussianDownsample(4))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Measurement(GaussianDownsample(4)), Measurement(GaussianDownsample(4, 1.5))),
        (Measurement(KSpaceDownsample(4)), Measurement(KSpaceDownsample(4, taper=0))),
        (Measurement(GaussianDownsample(4, 0)), Measurement(GaussianDownsample(4, 0.1))),  # truncated to one tap
        (Measurement(GaussianDownsample(4)), Measurement(GaussianDownsample(4), inside=InsideSettings(1.5, feather=3))),
        (
            Measurement(GaussianDownsample(4), inside=InsideSettings(1.5, isolate=True)),
            Measurement(GaussianDownsample(4), inside=InsideSettings(1.5, feather=3, isolate=True)),
        ),
        (Measurement(BoxDownsample()), Measurement(DescribedBox())),
    ],
)
def test_records_that_mean_the_same_are_equal(one, other):
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    "other",
    [
        Measurement(GaussianDownsample(4, 1.6)),
        Measurement(GaussianDownsample(2, 1.5)),
        Measurement(BicubicDownsample(4)),
        Measurement(GaussianDownsample(4), noise_std=0.01),
        Measurement(GaussianDownsample(4), inside=InsideSettings(2)),
        Measurement(GaussianDownsample(4), inside=InsideSettings(1.5, isolate=True)),
        Measurement(BoxDownsample()),
        {"operator": GAUSSIAN, "noise_std": 0.0, "inside": None},
    ],
)
def test_another_degradation_is_another_record(other):
    assert Measurement(GaussianDownsample(4)) != other


@pytest.mark.parametrize(
    ("one", "other"),
    [(InsideSettings(2), InsideSettings(2, feather=3)), (InsideSettings(2), InsideSettings(2, isolate=True))],
)
def test_settings_inside_the_tumor_tell_records_apart(one, other):
    operator = GaussianDownsample(4)
    assert Measurement(operator, inside=one) != Measurement(operator, inside=other)


def test_operators_are_compared_by_what_they_do():
    assert same_operator(BoxDownsample(), DescribedBox())
    assert not same_operator(BoxDownsample(), BoxDownsample(gain=1.001))
    assert not same_operator(BoxDownsample(2), BoxDownsample(4))
    assert not same_operator(KSpaceDownsample(4), KSpaceDownsample(4, taper=0.05))
    assert not same_operator(GaussianDownsample(4, 30), GaussianDownsample(4, 31))
    assert not same_operator(nn.Identity(), nn.ReLU())  # neither says its scale
    double = BoxDownsample().double()
    double.register_buffer("weight", torch.ones(1, dtype=torch.float64))
    assert same_operator(double, BoxDownsample())


def test_an_operator_of_ones_own_is_described_and_cannot_be_rebuilt():
    name = f"{BoxDownsample.__module__}.BoxDownsample"
    record = Measurement(BoxDownsample(), noise_std=0.1)
    written = record.to_dict()
    response = written["operator"].pop("response")
    assert written == {"operator": {"kind": name, "scale": 4}, "noise_std": 0.1, "inside": None}
    assert len(response) == 8
    assert all(0.3 < value < 0.7 for value in response)  # means of 16 random values
    assert record.description == "4x, BoxDownsample, Rician noise of 0.1"
    described = Measurement(DescribedBox(gain=2.0))
    settings = described.to_dict()["operator"]
    assert len(settings.pop("response")) == 8
    assert settings == {"kind": f"{BoxDownsample.__module__}.DescribedBox", "scale": 4, "gain": 2.0}
    assert described.description == "4x, box"
    with pytest.raises(ValueError, match=rf"kind '{name}' cannot be rebuilt .* gaussian, bicubic, kspace.*operator="):
        Measurement.from_dict(record.to_dict())


class Scaled(nn.Module):
    """An operator without settings: only what it does tells two of them apart."""

    scale = 4

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * nn.functional.avg_pool2d(x, 4)


def test_dictionaries_of_ones_own_operators_differ_where_their_results_do():
    one, same, rounded, other = (Measurement(Scaled(k)).to_dict() for k in (1.0, 1.0, 1.0 + 1e-6, 1.1))
    assert same_measurement(one, json.loads(json.dumps(same)))
    assert same_measurement(one, rounded)
    assert not same_measurement(one, other)
    assert not same_measurement(one, Measurement(Scaled(1.0), noise_std=0.01).to_dict())
    assert not same_measurement(one, {**one, "operator": {"kind": one["operator"]["kind"], "scale": 4}})


def test_what_is_no_number_or_no_settings_is_refused():
    with pytest.raises(ValueError, match="noise_std must be a finite number"):
        Measurement(Scaled(1.0), noise_std=10**400)
    with pytest.raises(ValueError, match="inside must be InsideSettings or None"):
        Measurement(GaussianDownsample(4), inside={"sigma": 3})


def test_dictionaries_are_compared_by_meaning():
    full = Measurement(GaussianDownsample(4)).to_dict()
    assert same_measurement(full, {"operator": {"kind": "gaussian", "scale": 4}})
    assert not same_measurement(full, {**full, "noise_std": 0.01})
    assert not same_measurement(full, None)
    own = Measurement(DescribedBox()).to_dict()
    assert same_measurement(own, json.loads(json.dumps(own)))
    assert not same_measurement(own, Measurement(DescribedBox(gain=2.0)).to_dict())


def test_the_description_names_everything_that_departs_from_the_operator():
    inside = InsideSettings(3, feather=2, isolate=True)
    assert Measurement(GaussianDownsample(4), 0.02, inside).description == (
        "4x, Gaussian blur with sigma 1.5 pixels, sigma 3 inside the tumor (seam of 2 pixels), "
        "no intensity across its border, Rician noise of 0.02"
    )
    assert Measurement(BicubicDownsample(2)).description == "2x, antialiased bicubic"
    assert Measurement(KSpaceDownsample(4)).description == "4x, k-space crop"
    assert Measurement(KSpaceDownsample(4, 0.5)).description == "4x, k-space crop with taper 0.5"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, "measurement must be a dictionary, got None"),
        ({"noise_std": 0.1}, r"measurement lacks \['operator'\]: its keys are inside, noise_std, operator"),
        ({"operator": GAUSSIAN, "seed": 3}, r"measurement has unknown \['seed'\]"),
        ({"operator": "GaussianDownsample(4)"}, r"operator must be a dictionary with the key 'kind'"),
        ({"operator": {**GAUSSIAN, "kind": []}}, r"kind \[\] cannot be rebuilt"),
        ({"operator": {"scale": 4}}, r"operator must be a dictionary with the key 'kind'"),
        ({"operator": {"kind": "box", "scale": 4}}, r"kind 'box' cannot be rebuilt"),
        ({"operator": {"kind": "gaussian"}}, r"operator lacks \['scale'\]"),
        (
            {"operator": {**GAUSSIAN, "taper": 0.5}},
            r"operator has unknown .*taper.*: its keys are kind, scale, sigma",
        ),
        ({"operator": {**GAUSSIAN, "sigma": -1}}, "operator: sigma must be a finite number >= 0, got -1"),
        ({"operator": {**GAUSSIAN, "sigma": None}}, "operator: sigma must be a finite number >= 0, got None"),
        ({"operator": {"kind": "kspace", "scale": 4, "taper": 2}}, r"taper must be a fraction in \[0, 1\], got 2"),
        ({"operator": {**GAUSSIAN, "scale": "4"}}, "operator: scale must be an integer of at least 2, got '4'"),
        ({"operator": {**GAUSSIAN, "scale": 4.0}}, "operator: scale must be an integer of at least 2, got 4.0"),
        ({"operator": {**GAUSSIAN, "scale": True}}, "scale must be an integer of at least 2, got True"),
        ({"operator": {**GAUSSIAN, "scale": 1}}, "scale must be an integer of at least 2, got 1"),
        ({"operator": GAUSSIAN, "noise_std": float("nan")}, "noise_std must be a finite number >= 0, got nan"),
        ({"operator": GAUSSIAN, "noise_std": True}, "noise_std must be a finite number >= 0, got True"),
        ({"operator": GAUSSIAN, "inside": 3.0}, "inside must be a dictionary, got 3.0"),
        ({"operator": GAUSSIAN, "inside": {"sigma": 2, "noise": 1}}, r"inside has unknown \['noise'\]"),
        ({"operator": GAUSSIAN, "inside": {"sigma": 2, "feather": -1}}, "feather must be a finite number >= 0, got -1"),
        ({"operator": GAUSSIAN, "inside": {"sigma": 2, "isolate": 1}}, "isolate must be True or False, got 1"),
        (
            {"operator": {"kind": "bicubic", "scale": 4}, "inside": {"sigma": 2}},
            "inside needs a GaussianDownsample as operator, .* got BicubicDownsample: set inside=None",
        ),
    ],
)
def test_a_bad_dictionary_is_refused_by_name(record, message):
    with pytest.raises(ValueError, match=message):
        Measurement.from_dict(record)


def test_an_operator_without_a_scale_is_refused():
    with pytest.raises(ValueError, match="operator must have an integer attribute scale: Identity has none"):
        Measurement(nn.Identity())


def test_documented_example():
    assert doctest.testmod(measurement).failed == 0
