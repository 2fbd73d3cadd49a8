# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The distance in the features of a discriminator."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_srgan.losses import FeatureMatchingLoss
from monai_srgan.networks import SRGANDiscriminator


def test_the_loss_is_the_mean_over_layers_and_reaches_the_fake_maps_alone():
    fake = [torch.tensor([1.0, 3.0], requires_grad=True), torch.tensor([[2.0]], requires_grad=True)]
    real = [torch.tensor([0.0, 1.0], requires_grad=True), torch.tensor([[7.0]], requires_grad=True)]
    loss = FeatureMatchingLoss()(fake, real)
    assert loss.item() == (1.5 + 5.0) / 2
    loss.backward()
    assert fake[0].grad.tolist() == [0.25, 0.25]
    assert real[0].grad is None


def test_maps_are_collected_in_order_only_inside_the_context():
    network = SRGANDiscriminator(channels=(2, 3, 4, 5, 6), dense=7)
    loss = FeatureMatchingLoss()
    with loss.maps_of(network) as maps:
        network(torch.rand(2, 1, 32, 48))
    assert [m.shape[1] for m in maps] == [2, 3, 4, 5, 6, 7]
    network(torch.rand(2, 1, 32, 32))
    assert len(maps) == 6


def test_hooks_are_removed_after_an_error():
    network = nn.Sequential(nn.LeakyReLU())
    with pytest.raises(RuntimeError, match="stop"), FeatureMatchingLoss().maps_of(network):
        raise RuntimeError("stop")
    assert not network[0]._forward_hooks


def test_other_layers_can_be_matched():
    network = nn.Sequential(nn.Linear(3, 2), nn.LeakyReLU(), nn.Linear(2, 1))
    with FeatureMatchingLoss((nn.Linear,)).maps_of(network) as maps:
        network(torch.rand(5, 3))
    assert [m.shape for m in maps] == [(5, 2), (5, 1)]


def test_what_cannot_be_matched_is_refused():
    unfit = FeatureMatchingLoss().maps_of(nn.Sequential(nn.ReLU()))
    with pytest.raises(ValueError, match="must have layers of type LeakyReLU, got Sequential with none"), unfit:
        pass
    with pytest.raises(ValueError, match="the same feature maps"):
        FeatureMatchingLoss()([torch.ones(2)], [torch.ones(3)])
    with pytest.raises(ValueError, match="the same feature maps"):
        FeatureMatchingLoss()([], [])


def test_low_precision_maps_are_compared_in_float32():
    fake, real = torch.tensor([256.0, 0.0]).bfloat16(), torch.tensor([0.0, 1.0]).bfloat16()
    loss = FeatureMatchingLoss()([fake], [real])
    assert loss.item() == 128.5  # in bfloat16 it would be 128 or 129
    assert loss.dtype == torch.float32
