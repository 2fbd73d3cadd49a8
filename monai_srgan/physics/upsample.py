# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Interpolation from low to high resolution: the baselines that a network has to beat.

All methods share the geometry of the operators: low-resolution pixel ``i`` lies at high-resolution index
``scale * i + (scale - 1) / 2``. Results are not clipped.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monai_srgan.physics.operators import check_input, check_scale, single_precision

__all__ = ["BicubicUpsample", "LanczosUpsample", "NearestUpsample"]


class _Upsample(nn.Module):
    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.scale = check_scale(scale)

    def extra_repr(self) -> str:
        """Settings for ``repr``."""
        return f"scale={self.scale}"


class NearestUpsample(_Upsample):
    """Nearest-neighbor interpolation: every pixel becomes a ``scale`` x ``scale`` block.

    Args:
        scale: ratio of the two grids, an integer of at least 2.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Upsample ``(B, C, h, w)`` floating point to ``(B, C, h * scale, w * scale)``; metadata is dropped."""
        x = check_input(x, "x")
        return x.repeat_interleave(self.scale, dim=-2).repeat_interleave(self.scale, dim=-1)


class BicubicUpsample(_Upsample):
    """The usual baseline, ``F.interpolate(mode="bicubic", align_corners=False)``: Keys' kernel with a = -0.75.

    Args:
        scale: ratio of the two grids, an integer of at least 2.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Upsample ``(B, C, h, w)`` floating point to ``(B, C, h * scale, w * scale)``; metadata is dropped."""
        x = check_input(x, "x")
        return F.interpolate(x, scale_factor=self.scale, mode="bicubic", align_corners=False)


class LanczosUpsample(_Upsample):
    """Windowed sinc: ``y(p) = sum_i L(p - i) x_i / sum_i L(p - i)``, ``L(t) = sinc(t) sinc(t / lobes)``, |t| < lobes.

    At a border the kernel is truncated and the remaining weights are normalized. With three lobes this is Pillow's
    ``Image.resize(size, Image.Resampling.LANCZOS)`` of a float image, including at the borders.

    Args:
        scale: ratio of the two grids, an integer of at least 2.
        lobes: half width of the kernel in LR pixels, an integer of at least 1; larger is sharper and rings farther.
    """

    def __init__(self, scale: int = 4, lobes: int = 3) -> None:
        super().__init__(scale)
        if isinstance(lobes, bool) or int(lobes) != lobes or lobes < 1:
            raise ValueError(f"lobes must be an integer of at least 1 LR pixel, got {lobes!r}")
        self.lobes = int(lobes)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample ``(B, C, h, w)`` floating point to ``(B, C, h * scale, w * scale)``; metadata is dropped."""
        x = check_input(x, "x")
        work = single_precision(x)
        return self._along_last(self._along_last(work).mT).mT.to(x.dtype)

    def extra_repr(self) -> str:
        """Settings for ``repr``."""
        return f"scale={self.scale}, lobes={self.lobes}"

    def _along_last(self, x: Tensor) -> Tensor:
        index, weight = self._taps(x.shape[-1])
        indices, weights = torch.from_numpy(index).to(x.device), torch.from_numpy(weight).to(x)
        # One tap for all pixels at a time: a dense matrix would cost the image's width instead of the kernel's.
        out = x[..., indices[0]] * weights[0]
        for k in range(1, len(index)):
            out = out + x[..., indices[k]] * weights[k]
        return out

    def _taps(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Indices and weights, ``(2 * lobes, size * scale)``, of the pixels around each new pixel."""
        position = (np.arange(size * self.scale) + 0.5) / self.scale - 0.5
        index = np.floor(position).astype(int) + np.arange(1 - self.lobes, 1 + self.lobes)[:, None]
        distance = position - index
        weight = np.sinc(distance) * np.sinc(distance / self.lobes)
        weight[(index < 0) | (index >= size)] = 0
        return np.clip(index, 0, size - 1), weight / weight.sum(axis=0)
