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


@pytest.mark.parametrize("name", ["network_def", "load_mat", "scale_intensity", "load_slice", "degrade"])
@pytest.mark.parametrize("config", ["evaluate", "calibrate"])
def test_evaluation_and_calibration_repeat_the_blocks_of_training(config, name):
    assert block(config, name) == block("train", name)


def test_inference_repeats_the_network_of_training():
    assert block("inference", "network_def") == block("train", "network_def")


@pytest.mark.parametrize("name", ["load_mat", "scale_intensity", "load_slice"])
def test_the_feature_network_is_trained_on_slices_loaded_as_in_training(name):
    assert block("train_features", name) == block("train", name)
