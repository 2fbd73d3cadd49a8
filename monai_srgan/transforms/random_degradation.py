# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Degradation with parameters drawn at random for each image, so that a network learns more than one blur."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import Randomizable, RandomizableTransform
from torch import nn

from monai_srgan.physics import GaussianDownsample
from monai_srgan.transforms.degradation import MaskAwareDegrade, MaskAwareDegraded, check_number
from monai_srgan.transforms.source_name import source_name

__all__ = ["RandMaskAwareDegrade", "RandMaskAwareDegradeD", "RandMaskAwareDegradeDict", "RandMaskAwareDegraded"]

Range = float | tuple[float, float] | None


def _check_range(name: str, value: Range | Sequence[float], unit: str) -> tuple[float, float] | None:
    if value is None:
        return None
    pair = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(pair) != 2 or pair[0] > pair[1]:
        raise ValueError(f"{name} must be a number or a pair (low, high) with low <= high, got {value}")
    return check_number(name, pair[0], unit), check_number(name, pair[1], unit)


class RandMaskAwareDegrade(RandomizableTransform):
    """Draw the parameters of :class:`MaskAwareDegrade` at random for each image, and apply it.

    Each range is a number or a pair (low, high) from which the value is drawn uniformly. With probability ``1 - prob``,
    `plain` degrades the image instead. If the result may depend on the mask, the mask is required for every image,
    whatever is drawn. In Compose, use :class:`RandMaskAwareDegraded` for image and mask together.

    Args:
        prob: probability in [0, 1] that parameters are drawn.
        scale: ratio of the two grids.
        sigma: blur outside the tumor in HR pixels; larger is blurrier. None for ``(scale - 1) / 2``.
        sigma_inside: blur inside the tumor in HR pixels, drawn independently; None for the value drawn for the outside.
        feather: width of the seam in HR pixels; larger is softer. Above 0 it needs `sigma_inside`.
        isolate: whether no intensity crosses the mask's border.
        noise_std: standard deviation of the Rician noise in units of the image; larger is noisier.
        operators: plain operators of the same scale, such as ``KSpaceDownsample(4)``. One of them, each with the same
            probability, replaces the blur; it ignores the mask, and the drawn noise is added to its result.
        operator_prob: probability in [0, 1] that one of `operators` replaces the blur, given that parameters are drawn.
        plain: degradation of the images for which no parameters are drawn; None for ``MaskAwareDegrade(scale=scale)``.

    Raises:
        ValueError: if an argument is out of range or has no effect; on call, see :class:`MaskAwareDegrade`.
    """

    def __init__(
        self,
        prob: float = 1.0,
        *,
        scale: int = 4,
        sigma: Range = (1.0, 2.0),
        sigma_inside: Range = None,
        feather: Range = 0.0,
        isolate: bool = False,
        noise_std: Range = (0.0, 0.02),
        operators: Sequence[nn.Module] = (),
        operator_prob: float = 0.0,
        plain: MaskAwareDegrade | None = None,
    ) -> None:
        for name, value in {"prob": prob, "operator_prob": operator_prob}.items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {value}")
        if bool(operators) != (operator_prob > 0):
            raise ValueError(
                f"operators and operator_prob need each other, got {len(operators)} operators and {operator_prob}: "
                "set both or neither"
            )
        RandomizableTransform.__init__(self, prob)
        self.ranges = {
            "sigma": _check_range("sigma", sigma, "HR pixels"),
            "sigma_inside": _check_range("sigma_inside", sigma_inside, "HR pixels"),
            "feather": _check_range("feather", feather, "seam width in HR pixels"),
            "noise_std": _check_range("noise_std", noise_std, "in units of the image"),
        }
        self.isolate = isolate
        self.plain = MaskAwareDegrade(scale=scale) if plain is None else plain
        if self.plain.scale != scale:
            raise ValueError(f"plain must have the same scale {scale}, got {self.plain.scale}")
        self.degrade = self.plain
        self.operators = tuple(operators)
        self.operator_prob = float(operator_prob)
        for operator in self.operators:
            MaskAwareDegrade(operator, scale=scale)
        # Refuse arguments without effect here and not at some later image.
        widest = {name: pair and pair[1] for name, pair in self.ranges.items()}
        self._twin(widest)

    @property
    def needs_mask(self) -> bool:
        """Whether a result may depend on the mask: the sigmas may differ, or the sides are isolated."""
        inside = self.ranges["sigma_inside"]
        default = GaussianDownsample(self.plain.scale).sigma
        outside = self.ranges["sigma"] or (default, default)
        one_value = inside is None or (inside == outside and inside[0] == inside[1])
        return self.isolate or not one_value or self.plain.needs_mask

    def randomize(self, data: Any = None) -> None:
        """Draw the parameters and set ``self.degrade`` to the deterministic transform with them; `data` is unused."""
        del data
        self.degrade = self.draw()

    def draw(self) -> MaskAwareDegrade:
        """The deterministic transform with drawn parameters; ``self.degrade``, which threads share, is not changed."""
        wanted = self.R.rand() < self.prob
        # Always draw everything, so that the random stream does not depend on prob.
        drawn = {name: None if pair is None else self.R.uniform(*pair) for name, pair in self.ranges.items()}
        chosen, place = self.R.random(2)
        if not wanted:
            return self.plain
        if chosen < self.operator_prob:
            operator = self.operators[int(place * len(self.operators))]
            return MaskAwareDegrade(operator, noise_std=drawn["noise_std"] or 0.0)
        return self._twin(drawn)

    def __call__(self, image: Any, mask: Any = None, randomize: bool = True) -> Any:
        """Degrade ``(C, H, W)`` as :class:`MaskAwareDegrade` does, after drawing the parameters if `randomize`."""
        if mask is None and self.needs_mask:
            raise ValueError(
                f"{source_name(image)}: mask is missing, but isolate and sigma_inside depend on it: "
                "pass the tumor mask, or an empty mask for an image without tumor"
            )
        degrade = self.draw() if randomize else self.degrade
        self.degrade = degrade
        return degrade(image, mask, self.R)

    def _twin(self, drawn: Mapping[str, float | None]) -> MaskAwareDegrade:
        return MaskAwareDegrade(
            scale=self.plain.scale,
            sigma=drawn["sigma"],
            sigma_inside=drawn["sigma_inside"],
            feather=drawn["feather"] or 0.0,
            isolate=self.isolate,
            noise_std=drawn["noise_std"] or 0.0,
        )


class RandMaskAwareDegraded(Randomizable, MaskAwareDegraded):
    """Dictionary version of :class:`RandMaskAwareDegrade`; it returns the same keys as :class:`MaskAwareDegraded`.

    Args:
        keys: HR images, all degraded with the same parameters.
        mask_key: see :class:`MaskAwareDegraded`.
        hr_key: see :class:`MaskAwareDegraded`.
        lr_mask_key: see :class:`MaskAwareDegraded`.
        prob: see :class:`RandMaskAwareDegrade`.
        scale: see :class:`RandMaskAwareDegrade`.
        sigma: see :class:`RandMaskAwareDegrade`.
        sigma_inside: see :class:`RandMaskAwareDegrade`.
        feather: see :class:`RandMaskAwareDegrade`.
        isolate: see :class:`RandMaskAwareDegrade`.
        noise_std: see :class:`RandMaskAwareDegrade`.
        operators: see :class:`RandMaskAwareDegrade`.
        operator_prob: see :class:`RandMaskAwareDegrade`.
        plain: see :class:`RandMaskAwareDegrade`.
        allow_missing_keys: whether to skip missing keys.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        mask_key: str = "mask",
        hr_key: str | Sequence[str] | None = "label",
        lr_mask_key: str | None = None,
        prob: float = 1.0,
        *,
        scale: int = 4,
        sigma: Range = (1.0, 2.0),
        sigma_inside: Range = None,
        feather: Range = 0.0,
        isolate: bool = False,
        noise_std: Range = (0.0, 0.02),
        operators: Sequence[nn.Module] = (),
        operator_prob: float = 0.0,
        plain: MaskAwareDegrade | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, mask_key, hr_key, lr_mask_key, scale=scale, allow_missing_keys=allow_missing_keys)
        self.rand = RandMaskAwareDegrade(
            prob,
            scale=scale,
            sigma=sigma,
            sigma_inside=sigma_inside,
            feather=feather,
            isolate=isolate,
            noise_std=noise_std,
            operators=operators,
            operator_prob=operator_prob,
            plain=plain,
        )
        self._needs_mask = lr_mask_key is not None or self.rand.needs_mask

    def set_random_state(
        self, seed: int | None = None, state: np.random.RandomState | None = None
    ) -> RandMaskAwareDegraded:
        """Seed the draws, as in MONAI."""
        super().set_random_state(seed, state)
        self.rand.set_random_state(seed, state)
        return self

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with the training pair in place of the HR image."""
        self.rand.degrade = degrade = self.rand.draw()  # threads share the attribute
        return self._pair(data, degrade, self.rand.R)


RandMaskAwareDegradeD = RandMaskAwareDegradeDict = RandMaskAwareDegraded
