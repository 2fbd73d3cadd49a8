# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training samples of the network that estimates how an image was measured."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor

from monai_srgan.estimation import KERNEL_FAMILIES
from monai_srgan.physics import (
    BicubicDownsample,
    GaussianDownsample,
    PerAxisDownsample,
    noise_unit,
    transfer_functions,
)
from monai_srgan.transforms.feature_samples import FeatureSamples, white_of

__all__ = ["MeasurementSamplesD", "MeasurementSamplesDict", "MeasurementSamplesd"]


class MeasurementSamplesd(FeatureSamples):
    """Measure an HR slice several times in random ways: features of the LR images, and the truth to be estimated.

    ``label`` ``(34,)`` holds both transfer functions, ``sqrt(noise_std / 0.05)`` and the index of the kernel family,
    the noise in units of the LR image's 99.9th percentile. See :class:`FeatureSamples` for the features, the arguments
    and the errors.
    """

    def sample(self, hr: Tensor) -> dict[Hashable, Any]:
        """One sample of an HR image ``(1, H, W)``."""
        measurement = self.measurements.draw(self.R)
        lr = self.measured(self.turned(hr), measurement)
        white = white_of(lr)
        transfer = transfer_functions(measurement.operator).ravel()
        values = [*transfer, noise_unit(measurement.noise_std / white), _family(measurement.operator)]
        return self.features(lr, white, torch.tensor(values, dtype=torch.float32))


def _family(operator: Any) -> int:
    part = operator.first if isinstance(operator, PerAxisDownsample) else operator
    name = {GaussianDownsample: "gaussian", BicubicDownsample: "bicubic"}.get(type(part), "kspace")
    return KERNEL_FAMILIES.index(name)


MeasurementSamplesD = MeasurementSamplesDict = MeasurementSamplesd
