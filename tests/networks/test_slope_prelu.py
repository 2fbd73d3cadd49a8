# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_srgan.networks.slope_prelu import SlopePReLU


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("slope", [0.2, -0.3, 0.0])
def test_values_and_gradients_are_those_of_torchs_prelu(training, slope):
    quick, plain = SlopePReLU(slope).train(training), nn.PReLU(init=slope)
    x = torch.randn(2, 3, 7, 5, requires_grad=True)
    weights = torch.rand(2, 3, 7, 5)
    torch.testing.assert_close(quick(x), plain(x), rtol=0, atol=0)
    fast = torch.autograd.grad((quick(x) * weights).sum(), [x, quick.weight])
    slow = torch.autograd.grad((plain(x) * weights).sum(), [x, plain.weight])
    for a, b in zip(fast, slow, strict=True):
        torch.testing.assert_close(a, b)


def test_the_gradient_passes_torchs_own_check():
    layer = SlopePReLU(0.3).double()
    x = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, w: torch.func.functional_call(layer, {"weight": w}, (x,)), (x, layer.weight)
    )


def test_a_second_derivative_raises_an_error():
    layer, x = SlopePReLU(), torch.randn(5, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_in_bfloat16_the_slope_keeps_its_precision():
    layer = SlopePReLU(0.2001)
    x = -torch.ones(3, dtype=torch.bfloat16, requires_grad=True)
    y = layer(x)
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32
    assert layer.weight.grad.item() == -3.0
