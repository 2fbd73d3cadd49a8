# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training pairs for a network that knows how its input was measured."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform

from monai_srgan.physics import GaussianDownsample, Measurement, RandomMeasurements
from monai_srgan.transforms.degradation import MaskAwareDegrade

__all__ = ["RandMeasurementD", "RandMeasurementDict", "RandMeasurementd"]


class RandMeasurementd(RandomizableTransform, MapTransform):
    """Measure an HR image in a randomly drawn way: LR image, HR target, and the condition that tells the network how.

    Afterwards `keys` hold the LR image, `hr_key` the unchanged HR image and `condition_key` the vector of
    :func:`~monai_srgan.physics.condition_vector`. Pass whole slices and crop the pair afterwards: k-space windows act
    on the whole field of view.

    Args:
        keys: one key, the HR image ``(C, H, W)``.
        measurements: what to draw from; None for ``RandomMeasurements()``.
        prob: probability in [0, 1] that a measurement is drawn; `plain` is used otherwise.
        plain: the measurement of the other images; None for the default degradation.
        estimate: callable from an LR image ``(C, h, w)`` to its estimated condition ``(36,)``, such as
            :meth:`monai_srgan.estimation.MeasurementEstimator.condition`. A network that is trained with estimates
            learns how far to believe them.
        estimate_prob: probability in [0, 1] that the condition is the estimate instead of the truth.
        hr_key: key of the HR image.
        condition_key: key of the condition; None to leave it out.
        allow_missing_keys: whether to skip a missing key.

    Raises:
        ValueError: if an argument is out of range, or the scales of `measurements` and `plain` differ.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        measurements: RandomMeasurements | None = None,
        prob: float = 1.0,
        plain: Measurement | None = None,
        *,
        estimate: Callable[[torch.Tensor], torch.Tensor] | None = None,
        estimate_prob: float = 0.0,
        hr_key: str = "label",
        condition_key: str | None = "condition",
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        for name, value in {"prob": prob, "estimate_prob": estimate_prob}.items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {value}")
        if len(self.keys) != 1:
            raise ValueError(f"keys must be one key, got {self.keys}: each image has a measurement of its own")
        if (estimate is None) != (estimate_prob == 0):
            raise ValueError(f"estimate and estimate_prob={estimate_prob} need each other: set both or neither")
        RandomizableTransform.__init__(self, prob)
        self.measurements = RandomMeasurements() if measurements is None else measurements
        self.plain = Measurement(GaussianDownsample(self.measurements.scale)) if plain is None else plain
        if self.plain.scale != self.measurements.scale:
            raise ValueError(
                f"plain must have the scale of measurements, {self.measurements.scale}, got {self.plain.scale}"
            )
        self.estimate, self.estimate_prob = estimate, float(estimate_prob)
        self.hr_key, self.condition_key = hr_key, condition_key
        self.measurement = self.plain
        self._estimated = False

    def randomize(self, data: Any = None) -> None:
        """Draw the measurement into ``self.measurement``; `data` is unused."""
        del data
        self.measurement, self._estimated = self.draw()

    def draw(self) -> tuple[Measurement, bool]:
        """A measurement, and whether to tell its estimate; the attributes, which threads share, are not changed."""
        wanted = self.R.rand() < self.prob
        # Always draw everything, so that the random stream does not depend on prob.
        drawn, estimated = self.measurements.draw(self.R), self.R.random_sample() < self.estimate_prob
        return drawn if wanted else self.plain, bool(estimated)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with the training pair in place of the HR image."""
        d = dict(data)
        for key in self.key_iterator(d):
            measurement, estimated = self.draw()
            self.measurement, self._estimated = measurement, estimated
            hr = d[key]
            degrade = MaskAwareDegrade(measurement.operator, noise_std=measurement.noise_std)
            d[key] = lr = degrade(hr, None, self.R)
            d[self.hr_key] = hr
            if self.condition_key is not None:
                own = self.estimate is not None and estimated
                d[self.condition_key] = self.estimate(lr) if own else measurement.condition()  # type: ignore[misc]
        return d


RandMeasurementD = RandMeasurementDict = RandMeasurementd
