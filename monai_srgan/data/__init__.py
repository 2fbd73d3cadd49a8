# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Readers, data lists and folds of the figshare brain tumour set, and made-up slices of the same layout."""

from __future__ import annotations

from monai_srgan.data.dicom import DicomReader
from monai_srgan.data.download import DownloadError, download_figshare
from monai_srgan.data.figshare import FigshareBrainTumorDataset, figshare_datalist
from monai_srgan.data.inputs import IMAGE_SUFFIXES, check_inputs, image_stem, inference_datalist
from monai_srgan.data.mat_file import MatFileError, read_mat
from monai_srgan.data.mat_reader import (
    PIXEL_SPACING,
    CJData,
    MatReader,
    read_cjdata,
    slice_affine,
)
from monai_srgan.data.phantom import PhantomSlice, draw_phantom_slice, write_phantom_dataset
from monai_srgan.data.shards import PatientShardDataset, shard_by_patient
from monai_srgan.data.splits import assert_patient_disjoint, patient_folds, patient_stem
from monai_srgan.data.stream import SeededItems, ShuffledStream, batch_share

__all__ = [
    "IMAGE_SUFFIXES",
    "PIXEL_SPACING",
    "CJData",
    "DicomReader",
    "DownloadError",
    "FigshareBrainTumorDataset",
    "MatFileError",
    "MatReader",
    "PatientShardDataset",
    "PhantomSlice",
    "SeededItems",
    "ShuffledStream",
    "assert_patient_disjoint",
    "batch_share",
    "check_inputs",
    "download_figshare",
    "draw_phantom_slice",
    "figshare_datalist",
    "image_stem",
    "inference_datalist",
    "patient_folds",
    "patient_stem",
    "read_cjdata",
    "read_mat",
    "shard_by_patient",
    "slice_affine",
    "write_phantom_dataset",
]
