# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Inference whose result degrades to what was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type

from monai_srgan.physics.consistency import ConsistencyProjection
from monai_srgan.precision import plain

__all__ = ["ConsistentInferer"]


class ConsistentInferer(Inferer):
    """Run another inferer, then project what it gives onto the images that degrade to the input.

    A self-ensemble goes around it, not into it: the mean of consistent images is consistent, and a spread is no image.

    Args:
        inferer: runs the network, such as :class:`~monai_srgan.inferers.TiledSRInferer`.
        projection: holds the operator by which the input arose, see
            :class:`~monai_srgan.physics.ConsistencyProjection`.

    Raises:
        TypeError: when an argument is something else; the message names it.
    """

    def __init__(self, inferer: Inferer, projection: ConsistencyProjection) -> None:
        super().__init__()
        if not isinstance(inferer, Inferer):
            raise TypeError(f"inferer must be a monai.inferers.Inferer, got {type(inferer).__name__}")
        if not isinstance(projection, ConsistencyProjection):
            raise TypeError(
                f"projection must be a ConsistencyProjection, got {type(projection).__name__}: "
                "wrap an operator in ConsistencyProjection(operator)"
            )
        self.inferer = inferer
        self.projection = projection

    def __call__(
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """Enlarge a batch of slices or volumes and project it.

        Args:
            inputs: ``(B, C, X, Y)``, or ``(B, C, X, Y, D)`` with slices along D; floating point, as it was measured:
                where it was clipped before, the clipped values are what the result degrades to.
            network: passed to the inferer.
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``(B, C, s * X, s * Y[, D])`` on the device of the inferer's result, float32 (float64 where that is), with
            the meta data of ``inputs`` where that has some.

        Raises:
            ValueError: when ``inputs`` has another number of dimensions, or the inferer does not give as many images,
                channels and slices as ``inputs`` has, enlarged by the operator's scale.
        """
        if inputs.ndim not in (4, 5):
            raise ValueError(f"inputs must have shape (B, C, X, Y) or (B, C, X, Y, D), got {tuple(inputs.shape)}")
        measured, pred = plain(inputs), plain(self.inferer(inputs, network, *args, **kwargs))
        if pred.shape[:2] != measured.shape[:2] or pred.shape[4:] != measured.shape[4:] or pred.ndim != measured.ndim:
            raise ValueError(
                f"the inferer gave {tuple(pred.shape)} for images of {tuple(measured.shape)}: batch, channels and "
                "slices must be those of the input; a self-ensemble takes this inferer instead of being taken by it"
            )
        # a reduced precision could not hold what the projection puts right
        pred = pred.to(torch.promote_types(pred.dtype, torch.float32))
        if pred.ndim == 5:
            # slice by slice, so that memory beyond the result is that of a slice
            slices = [self.projection(pred[..., i], measured[..., i].to(pred.device)) for i in range(pred.shape[-1])]
            result = torch.stack(slices, dim=-1)
        else:
            result = self.projection(pred, measured.to(pred.device))
        if isinstance(inputs, MetaTensor):
            return convert_to_dst_type(result, inputs, device=result.device, dtype=result.dtype)[0]
        return result
