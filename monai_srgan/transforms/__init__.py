# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""MONAI transforms: an array version ``X`` and a dictionary version ``Xd`` (also ``XD`` and ``XDict``) of each."""

from __future__ import annotations

from monai_srgan.transforms.affine import SRGeometry, SRGeometryD, SRGeometryd, SRGeometryDict, scaled_affine
from monai_srgan.transforms.apply_measurement import ApplyMeasurementD, ApplyMeasurementd, ApplyMeasurementDict
from monai_srgan.transforms.assumed_measurement import (
    ASSUMED_MEASUREMENT,
    AssumeMeasurementD,
    AssumeMeasurementd,
    AssumeMeasurementDict,
    measurement_record,
)
from monai_srgan.transforms.check_magnitudes import CheckMagnitudesD, CheckMagnitudesd, CheckMagnitudesDict
from monai_srgan.transforms.crop import RandRegionCrop, RandRegionCropD, RandRegionCropd, RandRegionCropDict
from monai_srgan.transforms.degradation import (
    MaskAwareDegrade,
    MaskAwareDegradeD,
    MaskAwareDegraded,
    MaskAwareDegradeDict,
)
from monai_srgan.transforms.dihedral import RandDihedral, RandDihedralD, RandDihedrald, RandDihedralDict
from monai_srgan.transforms.image_files import restore_nifti_geometry
from monai_srgan.transforms.intensity import (
    RestoreIntensity,
    RestoreIntensityD,
    RestoreIntensityd,
    RestoreIntensityDict,
    ScaleIntensityByPercentile,
    ScaleIntensityByPercentileD,
    ScaleIntensityByPercentiled,
    ScaleIntensityByPercentileDict,
)
from monai_srgan.transforms.load_input import LoadInput, LoadInputD, LoadInputd, LoadInputDict
from monai_srgan.transforms.load_mat import LoadMat, LoadMatD, LoadMatd, LoadMatDict
from monai_srgan.transforms.measurement_samples import (
    MeasurementSamplesD,
    MeasurementSamplesd,
    MeasurementSamplesDict,
)
from monai_srgan.transforms.native_grid import (
    FromNativeGrid,
    FromNativeGridD,
    FromNativeGridd,
    FromNativeGridDict,
    ToNativeGrid,
    ToNativeGridD,
    ToNativeGridd,
    ToNativeGridDict,
    resized_affine,
)
from monai_srgan.transforms.outlier_samples import OutlierSamplesD, OutlierSamplesd, OutlierSamplesDict
from monai_srgan.transforms.processing import RandomProcessing
from monai_srgan.transforms.random_degradation import (
    RandMaskAwareDegrade,
    RandMaskAwareDegradeD,
    RandMaskAwareDegraded,
    RandMaskAwareDegradeDict,
)
from monai_srgan.transforms.random_measurement import RandMeasurementD, RandMeasurementd, RandMeasurementDict
from monai_srgan.transforms.save import SaveSR, SaveSRD, SaveSRd, SaveSRDict
from monai_srgan.transforms.uncertainty_maps import (
    NoteIntervalsD,
    NoteIntervalsd,
    NoteIntervalsDict,
    SplitTrustMaps,
    SplitTrustMapsD,
    SplitTrustMapsd,
    SplitTrustMapsDict,
)

__all__ = [
    "ASSUMED_MEASUREMENT",
    "ApplyMeasurementD",
    "ApplyMeasurementDict",
    "ApplyMeasurementd",
    "AssumeMeasurementD",
    "AssumeMeasurementDict",
    "AssumeMeasurementd",
    "CheckMagnitudesD",
    "CheckMagnitudesDict",
    "CheckMagnitudesd",
    "FromNativeGrid",
    "FromNativeGridD",
    "FromNativeGridDict",
    "FromNativeGridd",
    "LoadInput",
    "LoadInputD",
    "LoadInputDict",
    "LoadInputd",
    "LoadMat",
    "LoadMatD",
    "LoadMatDict",
    "LoadMatd",
    "MaskAwareDegrade",
    "MaskAwareDegradeD",
    "MaskAwareDegradeDict",
    "MaskAwareDegraded",
    "MeasurementSamplesD",
    "MeasurementSamplesDict",
    "MeasurementSamplesd",
    "NoteIntervalsD",
    "NoteIntervalsDict",
    "NoteIntervalsd",
    "OutlierSamplesD",
    "OutlierSamplesDict",
    "OutlierSamplesd",
    "RandDihedral",
    "RandDihedralD",
    "RandDihedralDict",
    "RandDihedrald",
    "RandMaskAwareDegrade",
    "RandMaskAwareDegradeD",
    "RandMaskAwareDegradeDict",
    "RandMaskAwareDegraded",
    "RandMeasurementD",
    "RandMeasurementDict",
    "RandMeasurementd",
    "RandRegionCrop",
    "RandRegionCropD",
    "RandRegionCropDict",
    "RandRegionCropd",
    "RandomProcessing",
    "RestoreIntensity",
    "RestoreIntensityD",
    "RestoreIntensityDict",
    "RestoreIntensityd",
    "SRGeometry",
    "SRGeometryD",
    "SRGeometryDict",
    "SRGeometryd",
    "SaveSR",
    "SaveSRD",
    "SaveSRDict",
    "SaveSRd",
    "ScaleIntensityByPercentile",
    "ScaleIntensityByPercentileD",
    "ScaleIntensityByPercentileDict",
    "ScaleIntensityByPercentiled",
    "SplitTrustMaps",
    "SplitTrustMapsD",
    "SplitTrustMapsDict",
    "SplitTrustMapsd",
    "ToNativeGrid",
    "ToNativeGridD",
    "ToNativeGridDict",
    "ToNativeGridd",
    "measurement_record",
    "resized_affine",
    "restore_nifti_geometry",
    "scaled_affine",
]
