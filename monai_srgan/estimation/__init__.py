# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Estimates of how an image was measured, from the image alone."""

from __future__ import annotations

from monai_srgan.estimation.estimator import MeasurementEstimator
from monai_srgan.estimation.features import MeasurementFeatures, measurement_features
from monai_srgan.estimation.network import MeasurementNet, MeasurementOutput

__all__ = [
    "MeasurementEstimator",
    "MeasurementFeatures",
    "MeasurementNet",
    "MeasurementOutput",
    "measurement_features",
]
