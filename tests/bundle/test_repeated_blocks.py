# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Blocks that several configs repeat, since MONAI cannot include one file in another: they must not drift apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CONFIGS = Path(__file__).parents[2] / "bundle" / "configs"


def block(config: str, name: str) -> Any:
    """A block of a config, with the scale, which is a knob or a number, taken as given."""
    content = json.loads((CONFIGS / f"{config}.json").read_text(encoding="utf-8"))
    text = json.dumps(content[name]).replace('"@scale"', "4")
    return json.loads(text)


SLICE = ("load_mat", "scale_intensity", "load_slice")
REPEATED = {
    "evaluate": ("network_def", *SLICE, "degrade"),
    "calibrate": ("network_def", "load_mat", "scale_intensity"),
    "inference": ("network_def",),
    "train_features": SLICE,
    "train_measurement": SLICE,
    "train_outliers": SLICE,
}


@pytest.mark.parametrize(("config", "name"), [(config, name) for config, names in REPEATED.items() for name in names])
def test_other_configs_repeat_the_blocks_of_training(config, name):
    assert block(config, name) == block("train", name)


@pytest.mark.parametrize("name", ["measurements", "load_slice", "optimizer", "lr_scheduler", "prepare_batch"])
def test_both_networks_of_the_estimate_are_trained_alike(name):
    assert block("train_outliers", name) == block("train_measurement", name)
