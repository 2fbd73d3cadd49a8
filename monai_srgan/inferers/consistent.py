# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Inference with measurement consistency: the result degrades to the measured image."""

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
    """Run another inferer and project its result onto the set of images that degrade to the input.

    Wrap this inferer in a :class:`~monai_srgan.inferers.SelfEnsembleInferer`, not the other way round: the mean of
    consistent images is consistent, but the spread is not an image and cannot be projected.

    Args:
        inferer: runs the network, such as :class:`~monai_srgan.inferers.TiledSRInferer`.
        projection: projection for the operator that degraded the input, see
            :class:`~monai_srgan.physics.ConsistencyProjection`.

    Raises:
        TypeError: an argument has another type; the message names it.
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
            inputs: ``(B, C, X, Y)``, or ``(B, C, X, Y, D)`` with slices along D; floating point, as measured: if values
                were clipped before, the result degrades to the clipped values.
            network: passed to the inferer.
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``(B, C, s * X, s * Y[, D])``, where s is the operator's scale, on the device of the inferer's result, in
            float32 (float64 if the inferer returns that), with the metadata of ``inputs`` if it is a MetaTensor.

        Raises:
            ValueError: ``inputs`` has another number of dimensions, or the inferer's result does not have the batch
                size, channels and slices of ``inputs`` or is not enlarged by the operator's scale.
        """
        if inputs.ndim not in (4, 5):
            raise ValueError(f"inputs must have shape (B, C, X, Y) or (B, C, X, Y, D), got {tuple(inputs.shape)}")
        measured, pred = plain(inputs), plain(self.inferer(inputs, network, *args, **kwargs))
        if pred.shape[:2] != measured.shape[:2] or pred.shape[4:] != measured.shape[4:] or pred.ndim != measured.ndim:
            raise ValueError(
                f"inferer must keep batch, channels and slices, got {tuple(pred.shape)} for inputs of shape "
                f"{tuple(measured.shape)} (a self-ensemble must wrap this inferer)"
            )
        # Reduced precision could not represent the projection's corrections.
        pred = pred.to(torch.promote_types(pred.dtype, torch.float32))
        if pred.ndim == 5:
            # Slice by slice, so that the projection needs memory for only one slice.
            slices = [self.projection(pred[..., i], measured[..., i].to(pred.device)) for i in range(pred.shape[-1])]
            result = torch.stack(slices, dim=-1)
        else:
            result = self.projection(pred, measured.to(pred.device))
        if isinstance(inputs, MetaTensor):
            return convert_to_dst_type(result, inputs, device=result.device, dtype=result.dtype)[0]
        return result
