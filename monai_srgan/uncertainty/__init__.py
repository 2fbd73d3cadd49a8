# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Uncertainty of a super-resolved image: intervals around every pixel, calibrated on patients."""

from __future__ import annotations

from monai_srgan.uncertainty.calibration import PatientCoverage
from monai_srgan.uncertainty.conformal import conformal_risk_control, patients_needed
from monai_srgan.uncertainty.features import FEATURES, pixel_features
from monai_srgan.uncertainty.intervals import IntervalTable
from monai_srgan.uncertainty.quantiles import PixelSample, QuantileTable, fit_quantile_table
from monai_srgan.uncertainty.record import Calibration, CalibrationRecord, CoverageSummary, TableFit
from monai_srgan.uncertainty.slices import EnsembleSlices, ensemble_slices
from monai_srgan.uncertainty.trust_maps import TrustMaps

__all__ = [
    "FEATURES",
    "Calibration",
    "CalibrationRecord",
    "CoverageSummary",
    "EnsembleSlices",
    "IntervalTable",
    "PatientCoverage",
    "PixelSample",
    "QuantileTable",
    "TableFit",
    "TrustMaps",
    "conformal_risk_control",
    "ensemble_slices",
    "fit_quantile_table",
    "patients_needed",
    "pixel_features",
]
