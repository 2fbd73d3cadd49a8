# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Linear models of how a low-resolution image arises from a high-resolution one, and ways back."""

from __future__ import annotations

from monai_srgan.physics.consistency import ConsistencyProjection
from monai_srgan.physics.kspace import KSpaceDownsample, WindowedKSpaceDownsample
from monai_srgan.physics.measurement import InsideSettings, Measurement, same_measurement
from monai_srgan.physics.measurement_option import read_measurement
from monai_srgan.physics.native_grid import fourier_resize, native_size
from monai_srgan.physics.operator_record import same_operator
from monai_srgan.physics.operators import BicubicDownsample, GaussianDownsample, SeparableDownsample
from monai_srgan.physics.per_axis import PerAxisDownsample
from monai_srgan.physics.random_measurement import MEASUREMENT_FAMILIES, RandomMeasurements
from monai_srgan.physics.support import AxisSupport, SupportEstimate, axis_profiles, estimate_support, log_spectrum
from monai_srgan.physics.transfer import (
    CONDITION_SIZE,
    NOISE_UNIT,
    TRANSFER_FREQUENCIES,
    condition_noise_std,
    condition_sharpness,
    condition_transfer_std,
    condition_vector,
    noise_unit,
    swap_condition_axes,
    transfer_functions,
)
from monai_srgan.physics.upsample import BicubicUpsample, LanczosUpsample, NearestUpsample

__all__ = [
    "CONDITION_SIZE",
    "MEASUREMENT_FAMILIES",
    "NOISE_UNIT",
    "TRANSFER_FREQUENCIES",
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
    "PerAxisDownsample",
    "RandomMeasurements",
    "SeparableDownsample",
    "SupportEstimate",
    "WindowedKSpaceDownsample",
    "axis_profiles",
    "condition_noise_std",
    "condition_sharpness",
    "condition_transfer_std",
    "condition_vector",
    "estimate_support",
    "fourier_resize",
    "log_spectrum",
    "native_size",
    "noise_unit",
    "read_measurement",
    "same_measurement",
    "same_operator",
    "swap_condition_axes",
    "transfer_functions",
]
