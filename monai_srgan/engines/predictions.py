# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What the methods of an evaluation make of LR images: told how these were measured, projected, and as estimated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from monai_srgan.estimation import AssumedMeasurement, review_result
from monai_srgan.physics import (
    BicubicUpsample,
    ConsistencyProjection,
    Measurement,
    estimate_support,
    fourier_resize,
    native_size,
)
from monai_srgan.scores import CONSISTENCY, ESTIMATED, Method
from monai_srgan.transforms import MaskAwareDegrade, ScaleIntensityByPercentile
from monai_srgan.uncertainty import TrustMaps

__all__ = [
    "Degradation",
    "Degrade",
    "Enlarge",
    "Enlarger",
    "Estimate",
    "Estimates",
    "LRImages",
    "Prediction",
    "Projection",
    "predict",
    "takes_condition",
]

Degrade = Callable[[torch.Tensor], torch.Tensor]
Enlarge = Callable[..., torch.Tensor]
Estimate = Callable[[torch.Tensor], AssumedMeasurement]
Projection = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def takes_condition(method: object) -> bool:
    """Whether a network or a baseline has a true attribute ``takes_condition``."""
    return bool(getattr(method, "takes_condition", False))


@dataclass(frozen=True, eq=False)
class Degradation:
    """A further degradation: how its LR images are made, and what is known about them.

    Attributes:
        name: in tables.
        degrade: from HR images ``(B, C, H, W)`` to LR images.
        condition: ``(1, n)``, what conditioned networks are told; None where nothing is known.
        projection: onto the LR images; None for none.
    """

    name: str
    degrade: Degrade
    condition: torch.Tensor | None = None
    projection: Projection | None = None

    @classmethod
    def of(cls, name: str, given: Measurement | Degrade, *, tell: bool, project: bool) -> Degradation:
        """The degradation of a record, whose noise depends on the HR image alone, or of a callable.

        Args:
            name: in tables.
            given: a record; or a callable of HR images, which tells nothing but its ``adjoint`` where it has one.
            tell: whether any method can be told a record.
            project: whether results are projected where the operator has an ``adjoint``, weighted by the noise.

        Raises:
            ValueError: if the record depends on the tumor mask.
        """
        if not isinstance(given, Measurement):
            return cls(name, given, projection=_projection(given) if project else None)
        if given.inside is not None:
            raise ValueError(
                f"degradations: the record {name!r} depends on the tumor mask ({given.description}): set inside=None"
            )
        degrade = MaskAwareDegrade(given.operator, noise_std=given.noise_std)
        return cls(
            name,
            lambda hr: torch.stack([degrade(image) for image in hr]),
            given.condition()[None] if tell else None,
            _projection(given.operator, given.noise_std) if project else None,
        )


def _projection(operator: object, noise_std: float = 0.0) -> Projection | None:
    return ConsistencyProjection(operator, noise_std=noise_std) if hasattr(operator, "adjoint") else None


@dataclass(frozen=True, eq=False)
class EstimatedImage:
    """An LR image as inference sees it, which does not know where it comes from.

    Attributes:
        scaled: ``(1, C, h', w')`` on its native grid, divided by `white`.
        white: its 99.9th percentile.
        record: what is assumed about its measurement.
        size: ``(h, w)``, the grid of the image itself.
    """

    scaled: torch.Tensor
    white: float
    record: AssumedMeasurement
    size: tuple[int, int]

    @classmethod
    def of(cls, image: torch.Tensor, estimate: Estimate) -> EstimatedImage:
        """Reduce ``(C, h, w)`` to its native grid, scale it, and estimate its measurement from the first channel."""
        size = (int(image.shape[-2]), int(image.shape[-1]))
        reduced = fourier_resize(image, native_size(estimate_support(image[0])))
        white = ScaleIntensityByPercentile(clip=False).scale_of(reduced)
        scaled = reduced / white
        return cls(scaled[None], white, estimate(scaled[0]), size)

    def enlarged(self, enlarge: Enlarge) -> Prediction:
        """The image enlarged by a method, or by bicubic interpolation where the record is, or then is, declined."""
        result = enlarge(self.scaled, measurements=[self.record])
        declined = self._declined(result)
        image = self.restored(self._interpolated(result) if declined else result)
        return Prediction(image, torch.tensor([float(declined)], dtype=torch.float64))

    def restored(self, enlarged: torch.Tensor, *, ringing: bool = True) -> torch.Tensor:
        """An enlarged image in the units of the LR image, on the enlarged grid of the image itself.

        Args:
            enlarged: ``(1, C, s * h', s * w')``.
            ringing: whether the image may ring; False interpolates linearly, for maps of widths.
        """
        scale = enlarged.shape[-1] // self.scaled.shape[-1]
        size = (scale * self.size[0], scale * self.size[1])
        if tuple(enlarged.shape[-2:]) != size:
            linear = F.interpolate(enlarged, size=size, mode="bilinear", align_corners=False)
            enlarged = fourier_resize(enlarged, size) if ringing else linear
        return enlarged * self.white

    def restored_maps(self, maps: TrustMaps[torch.Tensor]) -> TrustMaps[torch.Tensor]:
        """The maps of a self-ensemble, see :meth:`restored`; without intervals where their mean is not used."""
        if self._declined(maps.mean):
            nothing = None if maps.half_width is None else torch.full_like(maps.half_width, torch.nan)
            maps = TrustMaps(self._interpolated(maps.mean), torch.zeros_like(maps.spread), nothing)
        half_width = None if maps.half_width is None else self.restored(maps.half_width, ringing=False)
        return TrustMaps(self.restored(maps.mean), self.restored(maps.spread, ringing=False), half_width)

    def _declined(self, result: torch.Tensor) -> bool:
        """Whether the network must not be used, by the record or by its result ``(1, C, s * h', s * w')``."""
        return review_result(self.record, self.scaled, result).declined is not None

    def _interpolated(self, result: torch.Tensor) -> torch.Tensor:
        """Bicubic interpolation on the grid of a result."""
        return BicubicUpsample(result.shape[-1] // self.scaled.shape[-1])(self.scaled.float())


@dataclass(frozen=True, eq=False)
class Estimates:
    """The LR images of a batch as inference sees them.

    Attributes:
        images: one by one, since their native grids may differ.
    """

    images: tuple[EstimatedImage, ...]

    @classmethod
    def of(cls, images: torch.Tensor, estimate: Estimate) -> Estimates:
        """Look at each image of a batch ``(B, C, h, w)``."""
        return cls(tuple(EstimatedImage.of(image, estimate) for image in images))


@dataclass(frozen=True, eq=False)
class LRImages:
    """LR images of a batch, and what the methods learn about them.

    Attributes:
        images: ``(B, C, h, w)``.
        condition: ``(1, n)`` or ``(B, n)``, what conditioned networks are told; None for nothing.
        projection: onto the images; None for none.
        estimates: what is assumed without being told; None if no method is run as estimated.
    """

    images: torch.Tensor
    condition: torch.Tensor | None = None
    projection: Projection | None = None
    estimates: Estimates | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """Images of one method.

    Attributes:
        images: ``(B, C, H, W)``.
        declined: ``(B,)``, 1 where the estimate was declined; None for methods that do not estimate.
    """

    images: torch.Tensor
    declined: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class Enlarger:
    """A method that enlarges LR images.

    Attributes:
        method: its name.
        enlarge: callable of LR images; if `conditioned`, also with ``condition`` or ``measurements`` by keyword, see
            :class:`~monai_srgan.inferers.Predictor`.
        conditioned: whether it can be told how the images were measured.
    """

    method: Method
    enlarge: Enlarge
    conditioned: bool = False

    def told(self, lr: LRImages) -> torch.Tensor:
        """The images of the method, which is told what is known if it can be told."""
        if self.conditioned and lr.condition is not None:
            return self.enlarge(lr.images, condition=lr.condition.to(lr.images.device))
        return self.enlarge(lr.images)

    def estimated(self, estimates: Estimates) -> Prediction:
        """The images of the method as ``monai-srgan upscale`` makes them of files that tell nothing."""
        found = [image.enlarged(self.enlarge) for image in estimates.images]
        declined = [one.declined for one in found if one.declined is not None]
        return Prediction(torch.cat([one.images for one in found]), torch.cat(declined))


def predict(
    enlargers: Iterable[Enlarger], lr: LRImages, given: Mapping[Method, torch.Tensor] | None = None
) -> dict[Method, Prediction]:
    """Images of all methods in the order of tables: each as told, then projected, then as estimated.

    Args:
        enlargers: the methods.
        lr: what they enlarge.
        given: images as told that exist already.
    """
    given = given or {}
    found: dict[Method, Prediction] = {}
    for enlarger in enlargers:
        method = enlarger.method
        images = given[method] if method in given else enlarger.told(lr)
        found[method] = Prediction(images)
        if lr.projection is not None:
            found[method.with_(CONSISTENCY)] = Prediction(lr.projection(images, lr.images))
        if enlarger.conditioned and lr.estimates is not None:
            found[method.with_(ESTIMATED)] = enlarger.estimated(lr.estimates)
    return found
