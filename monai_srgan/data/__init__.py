# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Read images and MATLAB slices, list inputs, split by patient, and stream training crops."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.data.dicom import DicomReader
from monai_srgan.data.inputs import IMAGE_SUFFIXES, check_inputs, image_stem, inference_datalist
from monai_srgan.data.mat_file import MatFileError, read_mat
from monai_srgan.data.mat_reader import (
    PIXEL_SPACING,
    CJData,
    MatReader,
    read_cjdata,
    slice_affine,
)
from monai_srgan.data.shards import PatientShardDataset, shard_by_patient
from monai_srgan.data.splits import assert_patient_disjoint, patient_folds, patient_stem
from monai_srgan.data.stream import SeededItems, ShuffledStream, batch_share
from monai_srgan.data.tumor_types import TUMOR_TYPES, tumor_type_name

__all__ = [
    "IMAGE_SUFFIXES",
    "PIXEL_SPACING",
    "TUMOR_TYPES",
    "CJData",
    "DicomReader",
    "MatFileError",
    "MatReader",
    "PatientShardDataset",
    "SeededItems",
    "ShuffledStream",
    "assert_patient_disjoint",
    "batch_share",
    "check_inputs",
    "image_stem",
    "inference_datalist",
    "patient_folds",
    "patient_stem",
    "read_cjdata",
    "read_mat",
    "shard_by_patient",
    "slice_affine",
    "tumor_type_name",
]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
