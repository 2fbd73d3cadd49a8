# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Descriptions of architectures."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from monai_srgan.networks import SRGANDiscriminator, SRResNet
from monai_srgan.networks.architecture import architecture


def test_the_description_counts_parameters_and_layers():
    found = architecture(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 1, 3, bias=False)))
    assert found["class"] == "Sequential"
    assert found["parameters"] == (9 * 2 + 2) + 9 * 2
    assert found["layers"] == {"Conv2d": 2, "ReLU": 1}


def test_weights_do_not_matter_and_the_description_is_plain():
    torch.manual_seed(0)
    first = SRResNet(num_blocks=1, channels=4)
    torch.manual_seed(1)
    second = SRResNet(num_blocks=1, channels=4).eval()
    assert architecture(first) == architecture(second) == json.loads(json.dumps(architecture(first)))


@pytest.mark.parametrize(
    "changed",
    [
        {"num_blocks": 3},
        {"channels": 8},
        {"norm": None},
        {"norm": "instance"},
        {"global_residual": "bicubic"},
        {"output": "tanh"},
        {"out_channels": 2},
        {"scale": 2},
    ],
)
def test_every_argument_of_the_generator_changes_the_description(changed):
    small = {"num_blocks": 2, "channels": 4}
    assert architecture(SRResNet(**small)) != architecture(SRResNet(**{**small, **changed}))


@pytest.mark.parametrize(
    "changed",
    [
        {"channels": (4, 4, 8, 8, 8)},
        {"block": "residual"},
        {"norm": None},
        {"dense": 16},
        {"image_size": 32},
        {"pool_size": 2},
        {"in_channels": 2},
    ],
)
def test_every_argument_of_the_discriminator_changes_the_description(changed):
    small = {"channels": (4, 4, 4, 8, 8), "dense": 8}
    assert architecture(SRGANDiscriminator(**small)) != architecture(SRGANDiscriminator(**{**small, **changed}))


@pytest.mark.parametrize("changed", [{"stride": 2}, {"padding": 1}, {"dilation": 2}, {"padding_mode": "reflect"}])
def test_settings_without_parameters_of_their_own_count_too(changed):
    assert architecture(nn.Conv2d(1, 1, 3)) != architecture(nn.Conv2d(1, 1, 3, **changed))


def test_synchronized_batch_norm_is_batch_norm():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    before = architecture(network)
    assert architecture(nn.SyncBatchNorm.convert_sync_batchnorm(network)) == before
