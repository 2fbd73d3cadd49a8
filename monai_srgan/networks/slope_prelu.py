# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""PReLU with one slope, with a backward pass that is quick on a CPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.function import once_differentiable

__all__ = ["SlopePReLU"]


class _LeakyReLUOfSlope(torch.autograd.Function):
    """Leaky ReLU that is differentiable in its slope: torch's own prelu is three times slower on a CPU."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.slope = float(weight)
        ctx.save_for_backward(x, weight)
        return F.leaky_relu(x, ctx.slope)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, weight = ctx.saved_tensors
        to_slope = x.clamp(max=0).mul_(gradient).sum()
        to_x = torch.ops.aten.leaky_relu_backward(gradient, x, ctx.slope, False)
        return to_x, to_slope.reshape(weight.shape).to(weight.dtype)


class SlopePReLU(nn.PReLU):
    """``torch.nn.PReLU`` with one slope for all channels, as in the paper's generator; the same values and weights.

    While training on a CPU the backward pass is a leaky ReLU's; it cannot be differentiated a second time, nor
    transformed by ``torch.func``. Everywhere else, under ``torch.compile`` and in exports, it is torch's own.

    Args:
        init: first value of the slope.
    """

    def __init__(self, init: float = 0.2) -> None:
        super().__init__(num_parameters=1, init=init)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape to the same shape."""
        if torch.jit.is_scripting():
            return F.prelu(x, self.weight.to(x.dtype))
        return self._eager(x)

    @torch.jit.unused
    def _eager(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and x.is_cpu and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            return _LeakyReLUOfSlope.apply(x, self.weight)
        return F.prelu(x, self.weight.to(x.dtype))
