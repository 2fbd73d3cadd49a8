# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Transfer functions of operators, and the vector of numbers by which a network knows how its input was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from monai_srgan.physics.operators import GaussianDownsample

__all__ = [
    "CONDITION_SIZE",
    "NOISE_UNIT",
    "TRANSFER_FREQUENCIES",
    "condition_noise_std",
    "condition_sharpness",
    "condition_transfer_std",
    "condition_vector",
    "noise_unit",
    "swap_condition_axes",
    "transfer_functions",
]

_SAMPLES = 16
TRANSFER_FREQUENCIES = np.arange(1, _SAMPLES + 1) / _SAMPLES
"""Frequencies in cycles per LR pixel at which transfer functions are sampled, to twice the LR grid's Nyquist limit."""

CONDITION_SIZE = 2 * _SAMPLES + 4
"""Length of :func:`condition_vector`."""

NOISE_UNIT = 0.05
"""Standard deviation of the noise, in units of the image's range, that counts as 1: the strongest in training."""

_CELLS = 32


def transfer_functions(operator: Any, scale: int | None = None) -> np.ndarray:
    """Transfer functions of a linear operator along both axes, far from the borders.

    Operators of this package know theirs. Any other is run on the complex exponentials ``e(p) = exp(2 pi i f p)`` in HR
    coordinates p, and ``H(f)`` is the mean of ``(A e)(p) / e(p)`` over the middle of the LR image.

    Args:
        operator: callable from ``(B, C, H, W)`` to ``(B, C, H / scale, W / scale)``.
        scale: ratio of the two grids; None for the operator's attribute ``scale``.

    Returns:
        float64 ``(2, 16)``: rows are the spatial axes H and W, columns :data:`TRANSFER_FREQUENCIES`.
    """
    own = getattr(operator, "transfer", None)
    if own is not None:
        return np.stack([own(TRANSFER_FREQUENCIES, axis) for axis in (0, 1)])
    scale = int(operator.scale) if scale is None else scale
    position = torch.arange(_CELLS * scale, dtype=torch.float32)
    center = torch.arange(_CELLS, dtype=torch.float64) * scale + (scale - 1) / 2
    angles = 2 * torch.pi * torch.from_numpy(TRANSFER_FREQUENCIES)[:, None] / scale
    middle = slice(_CELLS // 4, -_CELLS // 4)
    rows = []
    with torch.no_grad():
        for axis in (0, 1):
            parts = []
            for wave in (torch.cos(angles * position), torch.sin(angles * position)):
                image = wave.float()[:, None, :, None].expand(-1, 1, -1, _CELLS * scale)
                output = operator(image if axis == 0 else image.mT.contiguous()).double()
                parts.append((output if axis == 0 else output.mT)[:, 0, middle, _CELLS // 2])
            response = torch.complex(*parts) * torch.exp(-1j * angles * center[middle])
            rows.append(response.real.mean(1).numpy())
    return np.stack(rows)


def condition_vector(
    transfer: np.ndarray,
    noise_std: float,
    *,
    transfer_std: tuple[float, float] = (0.0, 0.0),
    noise_uncertainty: float = 0.0,
) -> Tensor:
    """What a conditioned network is told about the measurement; all zeros for the default one, known with certainty.

    Args:
        transfer: ``(2, 16)`` of :func:`transfer_functions`.
        noise_std: standard deviation of the noise in units of an image in [0, 1].
        transfer_std: standard uncertainty of the transfer functions along both axes, root mean square over frequencies.
        noise_uncertainty: standard uncertainty of ``sqrt(noise_std / 0.05)``.

    Returns:
        float32 ``(36,)``: the differences to the default's transfer functions (Gaussian blur with sigma 1.5 HR pixels
        at scale 4), ``sqrt(noise_std / 0.05)``, and the three uncertainties.
    """
    values = np.concatenate(
        [
            (np.asarray(transfer, dtype=float) - _DEFAULT).ravel(),
            [noise_unit(noise_std), *transfer_std, noise_uncertainty],
        ]
    )
    return torch.from_numpy(values.astype(np.float32))


def noise_unit(noise_std: float) -> float:
    """``sqrt(noise_std / 0.05)``: 0 without noise, 1 for the strongest noise in training."""
    return float(np.sqrt(noise_std / NOISE_UNIT))


def swap_condition_axes(condition: Tensor) -> Tensor:
    """The condition ``(..., 36)`` of the transposed image."""
    first, second, rest = condition.split([_SAMPLES, _SAMPLES, 4], dim=-1)
    noise, std_first, std_second, noise_uncertainty = rest.unbind(-1)
    swapped = torch.stack([noise, std_second, std_first, noise_uncertainty], dim=-1)
    return torch.cat([second, first, swapped], dim=-1)


def condition_transfer_std(condition: Tensor) -> Tensor:
    """The uncertainties ``(..., 2)`` of the transfer functions along both axes in a condition ``(..., 36)``."""
    return condition[..., 2 * _SAMPLES + 1 : 2 * _SAMPLES + 3]


def condition_noise_std(condition: Tensor) -> Tensor:
    """The standard deviation of the noise ``(...)`` in a condition ``(..., 36)``, in units of an image in [0, 1]."""
    return NOISE_UNIT * condition[..., 2 * _SAMPLES].square()


def condition_sharpness(condition: Tensor) -> Tensor:
    """How much more than the default a measurement passed, ``(...)`` of a condition ``(..., 36)``.

    Root mean square, over both axes and all frequencies, of what its transfer functions exceed the default's by: 0 for
    a stronger blur, 0.15 for a k-space crop, 0.22 for a Gaussian blur with sigma 1.
    """
    return condition[..., : 2 * _SAMPLES].clamp_min(0).square().mean(-1).sqrt()


_DEFAULT = transfer_functions(GaussianDownsample(4))
