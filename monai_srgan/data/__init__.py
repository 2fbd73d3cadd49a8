# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Data: readers for MATLAB and DICOM images, lists of inputs, splits by patient, and the training stream."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.data.cjdata import CJData, read_cjdata
from monai_srgan.data.dicom import DicomReader
from monai_srgan.data.dicom_witness import AcquisitionCheck, AcquisitionTags, compare_acquisition, read_acquisition
from monai_srgan.data.inputs import IMAGE_SUFFIXES, check_inputs, image_stem, inference_datalist
from monai_srgan.data.mat_file import MatFileError, read_mat
from monai_srgan.data.mat_reader import PIXEL_SPACING, MatReader, slice_affine
from monai_srgan.data.nifti_file import NiftiFile, read_nifti
from monai_srgan.data.nifti_reader import NiftiReader
from monai_srgan.data.png_reader import PngReader
from monai_srgan.data.shards import PatientShardDataset, shard_by_patient
from monai_srgan.data.spatial_forms import SpatialForms
from monai_srgan.data.splits import check_patient_disjoint, patient_folds, patient_stem
from monai_srgan.data.stream import SeededItems, ShuffledStream, batch_share
from monai_srgan.data.tumor_types import TUMOR_TYPES, tumor_type_name

__all__ = [
    "IMAGE_SUFFIXES",
    "PIXEL_SPACING",
    "TUMOR_TYPES",
    "AcquisitionCheck",
    "AcquisitionTags",
    "CJData",
    "DicomReader",
    "MatFileError",
    "MatReader",
    "NiftiFile",
    "NiftiReader",
    "PatientShardDataset",
    "PngReader",
    "SeededItems",
    "ShuffledStream",
    "SpatialForms",
    "batch_share",
    "check_inputs",
    "check_patient_disjoint",
    "compare_acquisition",
    "image_stem",
    "inference_datalist",
    "patient_folds",
    "patient_stem",
    "read_acquisition",
    "read_cjdata",
    "read_mat",
    "read_nifti",
    "shard_by_patient",
    "slice_affine",
    "tumor_type_name",
]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
