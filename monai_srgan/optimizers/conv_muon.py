# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Muon for the convolutions of a network, Adam for its other parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

__all__ = ["ConvMuon"]

# Quintic iteration of Jordan et al., steep at 0 rather than convergent: singular values end in about [0.7, 1.2].
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_STEPS = 5
_TINY = 1e-7


class ConvMuon(torch.optim.Adam):
    r"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) on the convolutions of a network.

    The weight of a convolution is treated as a matrix with one row per output channel. Instead of the momentum
    :math:`m = U S V^T` of the gradient, the update is the nearest matrix with orthogonal rows or columns, about
    :math:`U V^T`, computed by five steps of a Newton-Schulz iteration. All directions of the weight are then learned
    equally fast, whereas Adam follows the few that dominate the gradient. Scaled by
    :math:`0.2 \sqrt{\max(rows, columns)}` (Liu et al., arXiv 2502.16982, section 2.2), updates are as large as those of
    Adam, so that one learning rate serves both.

    Adam updates all other parameters: biases, slopes, norms, dense layers, and convolutions with fewer than
    `min_channels` input or output channels, such as the first and last of a network.

    Deviation from ``torch.optim.Muon``, which accepts only matrices and iterates in bfloat16.

    Args:
        params: parameters or parameter groups.
        lr: learning rate of both.
        momentum: Nesterov momentum of Muon, in [0, 1).
        betas: coefficients of Adam.
        eps: epsilon of Adam.
        min_channels: fewest input and output channels of a convolution for Muon.
        fused: see ``torch.optim.Adam``.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        min_channels: int = 32,
        fused: bool | None = None,
    ) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), got {momentum}")
        super().__init__(params, lr=lr, betas=betas, eps=eps, fused=fused)
        for group in self.param_groups:
            group.setdefault("momentum", momentum)
        self.min_channels = min_channels
        # The gradient scaler must unscale and check for infinities itself: Muon's part of the step does neither.
        self._step_supports_amp_scaling = False

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: reevaluates the model and returns the loss.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        held: list[tuple[Tensor, Tensor]] = []
        try:
            for group in self.param_groups:
                pairs = [(p, p.grad) for p in group["params"] if p.grad is not None and self._is_matrix(p)]
                held += pairs
                self._step_matrices(pairs, group["lr"], group["momentum"])
            for p, _ in held:
                p.grad = None
            super().step()
        finally:
            for p, gradient in held:
                p.grad = gradient
        return loss

    def _is_matrix(self, weight: Tensor) -> bool:
        return weight.ndim == 4 and min(weight.shape[:2]) >= self.min_channels

    def _step_matrices(self, pairs: list[tuple[Tensor, Tensor]], lr: float, momentum: float) -> None:
        updates: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
        for p, gradient in pairs:
            state = self.state[p]
            if not state:
                state["step"] = torch.zeros(())  # Adam expects it for every parameter
                state["momentum_buffer"] = torch.zeros_like(p)
            state["step"] += 1
            buffer = state["momentum_buffer"]
            buffer.lerp_(gradient, 1 - momentum)
            updates.setdefault(tuple(p.shape), []).append((p, gradient.lerp(buffer, momentum)))
        for (rows, *rest), alike in updates.items():
            matrices = torch.stack([update.flatten(1) for _, update in alike])
            scale = 0.2 * max(rows, matrices.shape[2]) ** 0.5
            for (p, _), matrix in zip(alike, orthogonalize(matrices), strict=True):
                p.add_(matrix.unflatten(1, rest), alpha=-lr * scale)


def orthogonalize(matrices: Tensor) -> Tensor:
    """Approximate the nearest matrices with orthonormal rows (or columns, if there are fewer columns than rows).

    Args:
        matrices: ``(N, rows, columns)`` floating point; zeros stay zeros.

    Returns:
        matrices of the same shape, float32, with singular values in about [0.7, 1.2].
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).float()
    x = x / x.flatten(1).norm(dim=1).clamp_min(_TINY)[:, None, None]
    a, b, c = _COEFFICIENTS
    for _ in range(_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
