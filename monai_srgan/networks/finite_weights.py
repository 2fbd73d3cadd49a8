# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A cheap check that weights are numbers that a network can compute with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

__all__ = ["non_finite", "require_finite_state"]


def non_finite(tensors: Mapping[str, torch.Tensor]) -> list[str]:
    """Names of the tensors whose Euclidean norm is not finite: with NaN, infinite values, or values above about 1e19.

    One fused reduction for all tensors: 0.4 ms for the bundle's generator on one CPU core, below a thousandth of a
    training step.

    Args:
        tensors: tensors of floating-point numbers by name; others are left out.
    """
    found = {name: t.detach() for name, t in tensors.items() if t.is_floating_point() and t.numel()}
    if not found:
        return []
    half = (torch.float16, torch.bfloat16)
    norms = torch._foreach_norm([t.float() if t.dtype in half else t for t in found.values()])
    devices = {norm.device for norm in norms}
    if len(devices) == 1 and bool(torch.isfinite(torch.stack([norm.double() for norm in norms]).sum())):
        return []
    return [name for name, norm in zip(found, norms, strict=True) if not bool(torch.isfinite(norm))]


def require_finite_state(state: Any, what: str) -> None:
    """Check a state dict or a checkpoint before it is saved.

    Args:
        state: tensors in nested mappings and sequences.
        what: what it is, for the message: "the checkpoint of iteration 100".

    Raises:
        FloatingPointError: tensors are not finite, see :func:`non_finite`; the message names the first.
    """
    tensors = dict(_tensors(state, ""))
    broken = non_finite(tensors)
    if broken:
        raise FloatingPointError(
            f"{what} was not saved: {len(broken)} of its {len(tensors)} tensors hold NaN, infinite or huge values "
            f"(first {broken[0]}); files that were saved before are unchanged. Lower the learning rate"
        )


def _tensors(state: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(state, torch.Tensor):
        yield name, state
    elif isinstance(state, Mapping):
        for key, value in state.items():
            yield from _tensors(value, f"{name}.{key}" if name else str(key))
    elif isinstance(state, Sequence) and not isinstance(state, str):
        for i, value in enumerate(state):
            yield from _tensors(value, f"{name}.{i}")
