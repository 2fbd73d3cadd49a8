# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_srgan.networks import SRGANDiscriminator
from monai_srgan.networks.blocks import DiscriminatorResidualBlock


def test_default_follows_the_paper_layer_by_layer():
    network = SRGANDiscriminator(image_size=96, in_channels=3)
    convs = [(m.out_channels, m.stride[0]) for m in network.features if isinstance(m, nn.Conv2d)]
    assert convs == [(64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)]
    dense = [(m.in_features, m.out_features) for m in network.classifier if isinstance(m, nn.Linear)]
    assert dense == [(512 * 6 * 6, 1024), (1024, 1)]
    # By hand: 3x3 kernels with bias, two batch-norm weights a filter from the second convolution on, dense layers.
    pairs = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    expected = sum(9 * a * b + b for a, b in pairs) + 2 * sum(b for _, b in pairs[1:])
    expected += 512 * 36 * 1024 + 1024 + 1024 + 1
    assert sum(p.numel() for p in network.parameters()) == expected == 23_565_505


def test_literal_discriminator_of_sixteen_residual_blocks_is_one_argument_away():
    network = SRGANDiscriminator(block="residual")
    blocks = [m for m in network.features if isinstance(m, DiscriminatorResidualBlock)]
    widths = [b.body[0].out_channels for b in blocks]
    assert len(blocks) == 16
    assert widths == sorted(widths)
    assert len(set(widths)) == 4
    slopes = {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}
    assert len([m for m in network.classifier if isinstance(m, nn.Linear)]) == 2
    assert network(torch.rand(2, 1, 32, 32)).shape == (2, 1)


@pytest.mark.parametrize("size", [(32, 32), (33, 50), (96, 64)])
def test_any_size_from_32_on_gives_one_logit_per_image(size):
    network = SRGANDiscriminator(channels=(4, 4, 4, 8, 8))
    assert network(torch.rand(3, 1, *size)).shape == (3, 1)


@pytest.mark.parametrize("block", ["conv", "residual"])
@pytest.mark.parametrize("blocks", [5, 6, 7, 8, 11, 16])
def test_any_number_of_blocks_halves_the_image_four_times(block, blocks):
    network = SRGANDiscriminator(image_size=(48, 64), channels=(4,) * blocks, block=block, dense=8)
    assert network.features(torch.rand(2, 1, 48, 64)).shape == (2, 4, 3, 4)
    assert network(torch.rand(2, 1, 48, 64)).shape == (2, 1)


def test_output_is_a_raw_logit():
    network = SRGANDiscriminator(channels=(4, 4, 4, 8, 8), norm=None)
    nn.init.constant_(network.classifier[-1].bias, -7.0)
    nn.init.zeros_(network.classifier[-1].weight)
    assert network(torch.rand(1, 1, 32, 32)).item() == -7.0


@pytest.mark.parametrize(
    ("size", "image_size", "message"),
    [
        ((31, 64), None, "at least 32x32, got"),
        ((64, 64), 96, r"images must be \(96, 96\) .*, got \(64, 64\)"),
    ],
)
def test_wrong_image_size_is_refused(size, image_size, message):
    network = SRGANDiscriminator(image_size=image_size, channels=(4, 4, 4, 8, 8))
    with pytest.raises(ValueError, match=message):
        network(torch.rand(1, 1, *size))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"block": "dense"}, "block must be"),
        ({"channels": (8, 8, 8, 8)}, "channels needs at least 5 entries"),
        ({"channels": (8, 8), "block": "residual"}, "channels needs at least 4 entries"),
        ({"image_size": 16}, "image_size must be at least 32"),
        ({"norm": "group"}, "norm must be"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        SRGANDiscriminator(**arguments)
