# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from monai_srgan.networks.shuffle_conv import PixelShuffleConv2d


@pytest.mark.parametrize("cell", [2, 4, 6])
@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7, 9])
def test_it_is_the_convolution_of_the_shuffled_image(cell, kernel_size):
    layer = PixelShuffleConv2d(3, 2, kernel_size, cell).double()
    x = torch.rand(2, 12, 6, 9 if cell == 2 else 12, dtype=torch.float64, requires_grad=True)
    expected = F.conv2d(F.pixel_shuffle(x, 2), layer.weight, layer.bias, padding=kernel_size // 2)
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)
    weights = torch.rand_like(expected)
    inputs = [x, layer.weight, layer.bias]
    fast = torch.autograd.grad((layer(x) * weights).sum(), inputs)
    slow = torch.autograd.grad((expected * weights).sum(), inputs)
    for a, b in zip(fast, slow, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


def test_its_state_dict_is_that_of_a_convolution():
    layer, plain = PixelShuffleConv2d(4, 1, 9, 4), torch.nn.Conv2d(4, 1, 9, padding=4)
    assert layer.load_state_dict(plain.state_dict(), strict=True)
    assert {k: v.shape for k, v in layer.state_dict().items()} == {k: v.shape for k, v in plain.state_dict().items()}


def test_a_size_that_the_cell_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="must have sides divisible by 4, got 6 x 8"):
        PixelShuffleConv2d(1, 1, 9, 4)(torch.rand(1, 4, 3, 4))


@pytest.mark.parametrize(("kernel_size", "cell", "message"), [(4, 2, "kernel_size"), (3, 3, "cell"), (3, 0, "cell")])
def test_bad_arguments_are_refused_by_name(kernel_size, cell, message):
    with pytest.raises(ValueError, match=message):
        PixelShuffleConv2d(4, 1, kernel_size, cell)
