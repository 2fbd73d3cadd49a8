# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The channel layout of trust maps: mean, spread and half-width in one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch

__all__ = ["TrustMaps"]

Image = TypeVar("Image", torch.Tensor, np.ndarray)


@dataclass(frozen=True, eq=False)
class TrustMaps(Generic[Image]):
    """Mean, spread and, where intervals are calibrated, half-width of an image, all of the same shape.

    Args:
        mean: mean of the self-ensemble.
        spread: its standard deviation.
        half_width: half the width of the intervals; None without intervals.
    """

    mean: Image
    spread: Image
    half_width: Image | None = None

    @classmethod
    def split(cls, maps: Image, channels: int, *, dim: int = 1) -> TrustMaps[Image]:
        """Split the output of a :class:`~monai_srgan.inferers.SelfEnsembleInferer`.

        Args:
            maps: ``K * channels`` channels with K = 2 or 3, the result of :meth:`joined`.
            channels: number of channels of the image itself.
            dim: axis of the channels: 1 in a batch, 0 in a single item.

        Returns:
            views of `maps`.

        Raises:
            ValueError: if the number of channels is not 2 or 3 times `channels`.
        """
        count, rest = divmod(maps.shape[dim], channels)
        if count not in (2, 3) or rest:
            raise ValueError(
                f"trust maps must have {2 * channels} channels (mean, spread) or {3 * channels} (with half-width) on "
                f"axis {dim}, got {maps.shape[dim]} of shape {tuple(maps.shape)}: pass the output of a "
                "SelfEnsembleInferer"
            )
        first = maps.swapaxes(0, dim)
        return cls(*(first[i * channels : (i + 1) * channels].swapaxes(0, dim) for i in range(count)))

    @property
    def images(self) -> tuple[Image, ...]:
        """The maps that exist, in the order of the channels."""
        return (self.mean, self.spread) if self.half_width is None else (self.mean, self.spread, self.half_width)

    def joined(self: TrustMaps[torch.Tensor]) -> torch.Tensor:
        """One tensor ``(B, K * C, ...)`` of tensors ``(B, C, ...)``: the inverse of :meth:`split`."""
        return torch.cat(self.images, dim=1)
