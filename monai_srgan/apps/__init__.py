# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Apps: the figshare brain tumor set as a download, as data lists split by patient, and as a MONAI dataset."""

from __future__ import annotations

from monai_srgan.apps.figshare_datalist import dataset_folds, figshare_datalist
from monai_srgan.apps.figshare_dataset import FigshareBrainTumorDataset
from monai_srgan.apps.figshare_download import DownloadError, download_figshare

__all__ = ["DownloadError", "FigshareBrainTumorDataset", "dataset_folds", "download_figshare", "figshare_datalist"]
