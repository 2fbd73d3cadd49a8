# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Uncertainty of a super-resolved image: intervals around every pixel, calibrated on patients."""

from __future__ import annotations

from monai_srgan.uncertainty.calibration import PatientCoverage
from monai_srgan.uncertainty.cells import MeasurementCell, MeasurementNumbers, populated_cells
from monai_srgan.uncertainty.conformal import conformal_risk_control, patients_needed
from monai_srgan.uncertainty.cross_fit import CrossFit, FoldedScale, SliceCoverage, cross_fit, deal_patients
from monai_srgan.uncertainty.features import FEATURES, pixel_features
from monai_srgan.uncertainty.interval_calibration import BANDWIDTH_EDGES, NOISE_EDGES, IntervalCalibration
from monai_srgan.uncertainty.interval_checks import CalibratedIntervals
from monai_srgan.uncertainty.intervals import IntervalTable
from monai_srgan.uncertainty.measured_intervals import CellIntervals, MeasuredIntervals, load_intervals
from monai_srgan.uncertainty.quantiles import QuantileTable, fit_quantile_table
from monai_srgan.uncertainty.record import Calibration, CalibrationRecord, CoverageSummary, TableFit
from monai_srgan.uncertainty.record_scale import RECORD_FEATURES, RecordScale, fit_record_scale, record_features
from monai_srgan.uncertainty.samples import PixelErrors, SampleFolder, SliceSample, draw_pixels, fit_samples
from monai_srgan.uncertainty.slices import EnsembleSlices, ensemble_slices
from monai_srgan.uncertainty.trust_maps import TrustMaps

__all__ = [
    "BANDWIDTH_EDGES",
    "FEATURES",
    "NOISE_EDGES",
    "RECORD_FEATURES",
    "CalibratedIntervals",
    "Calibration",
    "CalibrationRecord",
    "CellIntervals",
    "CoverageSummary",
    "CrossFit",
    "EnsembleSlices",
    "FoldedScale",
    "IntervalCalibration",
    "IntervalTable",
    "MeasuredIntervals",
    "MeasurementCell",
    "MeasurementNumbers",
    "PatientCoverage",
    "PixelErrors",
    "QuantileTable",
    "RecordScale",
    "SampleFolder",
    "SliceCoverage",
    "SliceSample",
    "TableFit",
    "TrustMaps",
    "conformal_risk_control",
    "cross_fit",
    "deal_patients",
    "draw_pixels",
    "ensemble_slices",
    "fit_quantile_table",
    "fit_record_scale",
    "fit_samples",
    "load_intervals",
    "patients_needed",
    "pixel_features",
    "populated_cells",
    "record_features",
]
