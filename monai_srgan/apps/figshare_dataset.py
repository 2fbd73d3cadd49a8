# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The figshare brain tumor set as a MONAI dataset."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from monai.config import PathLike
from monai.data import CacheDataset
from monai.utils import ensure_tuple

from monai_srgan.apps.figshare_datalist import check_split, figshare_datalist
from monai_srgan.apps.figshare_download import download_figshare
from monai_srgan.data.tumor_types import TUMOR_TYPES
from monai_srgan.transforms.load_mat import LoadMatd

__all__ = ["FigshareBrainTumorDataset"]


class FigshareBrainTumorDataset(CacheDataset):
    """The figshare set: 3064 contrast-enhanced T1-weighted slices with a meningioma, glioma or pituitary tumor.

    Like :py:class:`monai.apps.DecathlonDataset` it reads from ``root_dir``, downloads only with ``download=True``, and
    caches the result of deterministic transforms. It is split by patient, see
    :func:`monai_srgan.apps.figshare_datalist`. The set is by J. Cheng, doi 10.6084/m9.figshare.1512427, CC BY 4.0.

    Args:
        root_dir: folder with the slices at any depth, also the target of the download; ``~`` is the home folder.
        section: ``"training"``, ``"validation"`` or ``"test"``.
        fold: the test fold; the next fold is validation.
        num_folds: number of folds, at least 3.
        seed: seed of the split.
        folds: ``"patient"`` or ``"official"`` (leaks patients, with a warning).
        transform: transform of the items ``{"image": path, "patient": stem, "tumor_type": int, "source": path}``; the
            default is :class:`monai_srgan.transforms.LoadMatd`, which loads image and tumor mask.
        download: fetch missing files, 0.9 GB in total, see :func:`monai_srgan.apps.download_figshare`.
        cache_num: number of items to cache.
        cache_rate: share of items to cache.
        num_workers: number of threads that fill the cache.
        progress: show progress bars.
        copy_cache: deep-copy cached items before random transforms.
        as_contiguous: make cached arrays contiguous.
        runtime_cache: fill the cache at runtime, see :py:class:`monai.data.CacheDataset`.

    Raises:
        ValueError: ``root_dir`` is not a folder; see also :func:`monai_srgan.apps.figshare_datalist`.
    """

    def __init__(
        self,
        root_dir: PathLike,
        section: str,
        fold: int = 0,
        num_folds: int = 5,
        seed: int = 0,
        folds: str = "patient",
        transform: Sequence[Callable] | Callable = (),
        download: bool = False,
        cache_num: int = sys.maxsize,
        cache_rate: float = 1.0,
        num_workers: int | None = 1,
        progress: bool = True,
        copy_cache: bool = True,
        as_contiguous: bool = True,
        runtime_cache: bool | str = False,
    ) -> None:
        root_dir = Path(root_dir).expanduser()
        if not root_dir.is_dir():
            raise ValueError(
                f"root_dir must be a folder, got {root_dir}, which is not a folder: create it, then set download=True."
            )
        check_split(section, fold, num_folds, folds)  # before a download of 0.9 GB
        if download:
            download_figshare(root_dir, progress=progress)
        self.section = section
        self.fold = fold
        data = figshare_datalist(root_dir, section, fold, num_folds, seed, folds, progress=progress)
        types = [item["tumor_type"] for item in data]
        self._properties: dict[str, Any] = {
            "name": "figshare brain tumor dataset",
            "reference": "J. Cheng, doi 10.6084/m9.figshare.1512427",
            "license": "CC BY 4.0",
            "section": section,
            "fold": fold,
            "num_folds": num_folds,
            "seed": seed,
            "folds": folds,
            "labels": TUMOR_TYPES,
            "num_slices": len(data),
            "num_slices_by_type": {name: types.count(label) for label, name in TUMOR_TYPES.items()},
            "num_patients": len({item["patient"] for item in data}),
        }
        super().__init__(
            data=data,
            transform=LoadMatd("image") if transform == () else transform,
            cache_num=cache_num,
            cache_rate=cache_rate,
            num_workers=num_workers,
            progress=progress,
            copy_cache=copy_cache,
            as_contiguous=as_contiguous,
            runtime_cache=runtime_cache,
        )

    def get_patients(self) -> list[str]:
        """Sorted stems of the patients in this section."""
        return sorted({item["patient"] for item in self.data})

    def get_properties(self, keys: Sequence[str] | str | None = None) -> dict[str, Any]:
        """Name, reference, license, split, and numbers of slices and patients, or only the properties in ``keys``."""
        if keys is None:
            return dict(self._properties)
        return {key: self._properties[key] for key in ensure_tuple(keys)}
