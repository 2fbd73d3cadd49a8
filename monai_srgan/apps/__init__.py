# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The figshare brain tumor dataset: download, data lists split by patient, and a MONAI dataset."""

from __future__ import annotations

from monai_srgan.apps.figshare import FigshareBrainTumorDataset, dataset_folds, figshare_datalist
from monai_srgan.apps.figshare_download import DownloadError, download_figshare

__all__ = ["DownloadError", "FigshareBrainTumorDataset", "dataset_folds", "download_figshare", "figshare_datalist"]
