# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How far an image can be trusted: intervals around every pixel, calibrated on patients."""

from __future__ import annotations

from monai_srgan.uncertainty.calibration import Calibration, PatientCoverage
from monai_srgan.uncertainty.conformal import conformal_risk_control, patients_needed
from monai_srgan.uncertainty.features import FEATURES, pixel_features
from monai_srgan.uncertainty.intervals import IntervalTable
from monai_srgan.uncertainty.quantiles import PixelSample, QuantileTable, fit_quantile_table

__all__ = [
    "FEATURES",
    "Calibration",
    "IntervalTable",
    "PatientCoverage",
    "PixelSample",
    "QuantileTable",
    "conformal_risk_control",
    "fit_quantile_table",
    "patients_needed",
    "pixel_features",
]
