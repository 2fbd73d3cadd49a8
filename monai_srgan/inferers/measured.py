# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Inference by what is known about the measurement: condition, projection, or no network at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type
from torch import Tensor

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.physics import BicubicUpsample, ConsistencyProjection
from monai_srgan.precision import plain
from monai_srgan.transforms.assumed_measurement import ASSUMED_MEASUREMENT

__all__ = ["MeasuredInferer", "assumed_measurements"]


class MeasuredInferer(Inferer):
    """Run a conditioned network as each image's assumed measurement says, and project the result onto the image.

    The record in an image's metadata (:class:`~monai_srgan.transforms.AssumeMeasurementd`) gives the network's
    condition and the projection (:class:`~monai_srgan.physics.ConsistencyProjection`), weighted by the noise. An image
    whose record is declined is enlarged by bicubic interpolation. An image without a record is enlarged as if the
    default degradation had measured it, without projection.

    Args:
        inferer: runs the network, such as :class:`~monai_srgan.inferers.TiledSRInferer`.
        consistency: whether to project.
        prior_std: see :class:`~monai_srgan.physics.ConsistencyProjection`.
        model_error: standard deviation of what a wrong operator leaves in the LR image, per unit of the transfer
            functions' uncertainty. It counts as noise of the projection, which an uncertain estimate thereby weakens.
        scale: enlargement.

    Raises:
        TypeError: `inferer` is not an inferer.
    """

    def __init__(
        self,
        inferer: Inferer,
        *,
        consistency: bool = True,
        prior_std: float = 0.02,
        model_error: float = 0.2,
        scale: int = 4,
    ) -> None:
        super().__init__()
        if not isinstance(inferer, Inferer):
            raise TypeError(f"inferer must be a monai.inferers.Inferer, got {type(inferer).__name__}")
        self.inferer = inferer
        self.consistency = consistency
        self.prior_std = prior_std
        self.model_error = model_error
        self.interpolate = BicubicUpsample(scale)

    def __call__(
        self,
        inputs: Tensor,
        network: Callable[..., Tensor],
        *args: Any,
        measurements: Sequence[AssumedMeasurement] | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Enlarge a batch of slices or volumes.

        Args:
            inputs: ``(B, C, X, Y)``, or ``(B, C, X, Y, D)`` with slices along D; a MetaTensor with the records.
            network: passed to the inferer; it gets the argument `condition` if its attribute ``takes_condition`` is
                true, as that of ``SRResNet(condition=36)``.
            args: further arguments of the network.
            measurements: one record per image, in place of those in the metadata.
            kwargs: further arguments of the network.

        Returns:
            ``(B, C, s * X, s * Y[, D])`` float32, with the metadata of ``inputs`` if it is a MetaTensor.

        Raises:
            ValueError: ``inputs`` has another number of dimensions, or there are not as many records as images.
        """
        if inputs.ndim not in (4, 5):
            raise ValueError(f"inputs must have shape (B, C, X, Y) or (B, C, X, Y, D), got {tuple(inputs.shape)}")
        records = assumed_measurements(inputs) if measurements is None else list(measurements)
        images = plain(inputs)
        if not records:
            result = self.inferer(images, network, *args, **kwargs)
        elif len(records) != len(images):
            raise ValueError(f"measurements must be one record per image, got {len(records)} for {len(images)} images")
        else:
            result = torch.cat(
                [self._one(images[i : i + 1], record, network, *args, **kwargs) for i, record in enumerate(records)]
            )
        if isinstance(inputs, MetaTensor):
            return convert_to_dst_type(result, inputs, device=result.device, dtype=result.dtype)[0]
        return result

    def _one(self, image: Tensor, assumed: AssumedMeasurement, network: Any, *args: Any, **kwargs: Any) -> Tensor:
        if assumed.declined is not None:
            return _by_slice(lambda x: self.interpolate(x.float()), image)
        # A network of one's own may see the image alone.
        if getattr(network, "takes_condition", False):
            kwargs["condition"] = assumed.condition[None].to(image.device)
        pred = plain(self.inferer(image, network, *args, **kwargs)).float()
        if not self.consistency or assumed.measurement is None:
            return pred
        noise = math.hypot(assumed.measurement.noise_std, self.model_error * assumed.transfer_uncertainty)
        projection = ConsistencyProjection(assumed.measurement.operator, noise_std=noise, prior_std=self.prior_std)
        return _by_slice(projection, pred, image.to(pred.device))


def assumed_measurements(inputs: Tensor) -> list[AssumedMeasurement]:
    """The records in the metadata of a batch, collated or of one image with a batch axis; empty if there are none."""
    found = inputs.meta.get(ASSUMED_MEASUREMENT) if isinstance(inputs, MetaTensor) else None
    if found is None:
        return []
    return [AssumedMeasurement.from_json(text) for text in ([found] if isinstance(found, str) else found)]


def _by_slice(function: Callable[..., Tensor], *images: Tensor) -> Tensor:
    """Apply a function of ``(B, C, H, W)`` images to each slice of volumes ``(B, C, H, W, D)``."""
    if images[0].ndim == 4:
        return function(*images)
    return torch.stack([function(*(image[..., i] for image in images)) for i in range(images[0].shape[-1])], dim=-1)
