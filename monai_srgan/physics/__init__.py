# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Linear models of how a low-resolution image arises from a high-resolution one, and ways back."""

from __future__ import annotations

from monai_srgan.physics.consistency import ConsistencyProjection
from monai_srgan.physics.measurement import InsideSettings, Measurement, same_measurement, same_operator
from monai_srgan.physics.native_grid import fourier_resize, native_size
from monai_srgan.physics.operators import (
    BicubicDownsample,
    GaussianDownsample,
    KSpaceDownsample,
    SeparableDownsample,
)
from monai_srgan.physics.support import AxisSupport, SupportEstimate, axis_profiles, estimate_support, log_spectrum
from monai_srgan.physics.upsample import BicubicUpsample, LanczosUpsample, NearestUpsample

__all__ = [
    "AxisSupport",
    "BicubicDownsample",
    "BicubicUpsample",
    "ConsistencyProjection",
    "GaussianDownsample",
    "InsideSettings",
    "KSpaceDownsample",
    "LanczosUpsample",
    "Measurement",
    "NearestUpsample",
    "SeparableDownsample",
    "SupportEstimate",
    "axis_profiles",
    "estimate_support",
    "fourier_resize",
    "log_spectrum",
    "native_size",
    "same_measurement",
    "same_operator",
]
