# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Estimates of how an image was measured, from the image alone."""

from __future__ import annotations

from monai_srgan.estimation.assumed import AssumedMeasurement, assume_measurement
from monai_srgan.estimation.estimate import MeasurementEstimate, estimate_measurement
from monai_srgan.estimation.estimator import MeasurementEstimator
from monai_srgan.estimation.features import MIN_SIZE, MeasurementFeatures, measurement_features
from monai_srgan.estimation.kernel_fit import KernelFit, fit_kernel
from monai_srgan.estimation.network import KERNEL_FAMILIES, MeasurementNet, MeasurementOutput
from monai_srgan.estimation.outlier_net import OutlierNet
from monai_srgan.estimation.second_look import negative_excess, negative_limit, overdone, review_result
from monai_srgan.estimation.statistics import fit_statistics

__all__ = [
    "KERNEL_FAMILIES",
    "MIN_SIZE",
    "AssumedMeasurement",
    "KernelFit",
    "MeasurementEstimate",
    "MeasurementEstimator",
    "MeasurementFeatures",
    "MeasurementNet",
    "MeasurementOutput",
    "OutlierNet",
    "assume_measurement",
    "estimate_measurement",
    "fit_kernel",
    "fit_statistics",
    "measurement_features",
    "negative_excess",
    "negative_limit",
    "overdone",
    "review_result",
]
