# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Load a slice of the figshare dataset: image, tumor mask, tumor type, patient and outline from one path."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import DtypeLike, KeysCollection, PathLike
from monai.data import MetaTensor, get_track_meta
from monai.transforms import MapTransform, Transform
from monai.utils import ImageMetaKey, MetaKeys, SpaceKeys

from monai_srgan.data.cjdata import read_cjdata
from monai_srgan.data.mat_reader import PIXEL_SPACING, slice_affine

__all__ = ["BORDER_POINTS", "LoadMat", "LoadMatD", "LoadMatDict", "LoadMatd"]

#: Rows of ``meta["tumor_border"]``.
BORDER_POINTS = 128


class LoadMat(Transform):
    """Load a slice of the figshare dataset (MATLAB 7.3 or 5) and check it, see :func:`monai_srgan.data.read_cjdata`.

    Returns ``(image, mask)``, both MetaTensors of shape ``(1, X, Y)`` with the same affine (see
    :func:`monai_srgan.data.slice_affine`): the image in scanner units, the mask 0 or 1. Channel and dtype transforms
    are not needed. After ``monai.data.set_track_meta(False)`` both are plain tensors, as everywhere in MONAI.

    In Compose, the next array transform would be applied to each item of this tuple (``map_items``): use
    :class:`LoadMatd` and the dictionary transforms for image and mask together.

    ``image.meta`` and ``mask.meta`` also contain ``filename_or_obj``, ``pid`` (as in the file), ``patient`` (the
    person) and ``tumor_type`` (1 meningioma, 2 glioma, 3 pituitary tumor). ``image.meta["tumor_border"]`` is the drawn
    outline as float64 array indices ``(x, y)`` of the loaded slice; later flips and crops do not update it (they do
    update the mask). It always has 128 rows, so that slices collate: the last point is repeated, which does not change
    the polygon, and an outline of more points is thinned evenly. ``read_cjdata`` returns the outline as stored.

    Args:
        dtype: dtype of the image.
        mask_dtype: dtype of the mask.
        version: accept only files of this version, ``"7.3"`` or ``"5"``; None accepts both.
        spacing: millimeters along x, y and between slices; the default is that of the figshare dataset.

    Raises:
        MatFileError: on call, if the file cannot be used; the message names it and the reason.
    """

    def __init__(
        self,
        *,
        dtype: DtypeLike = np.float32,
        mask_dtype: DtypeLike = np.uint8,
        version: str | None = None,
        spacing: Sequence[float] = PIXEL_SPACING,
    ) -> None:
        self.dtype = dtype
        self.mask_dtype = mask_dtype
        self.version = version
        self.affine = slice_affine(spacing)

    def __call__(self, filename: PathLike) -> tuple[torch.Tensor, torch.Tensor]:
        """Load one file."""
        image, mask = self.load(filename)
        return (image, mask) if get_track_meta() else (image.as_tensor(), mask.as_tensor())

    def load(self, filename: PathLike) -> tuple[MetaTensor, MetaTensor]:
        """Load one file, with metadata even after ``monai.data.set_track_meta(False)``."""
        data = read_cjdata(filename, version=self.version)
        meta = {
            MetaKeys.ORIGINAL_AFFINE: self.affine.copy(),
            MetaKeys.SPATIAL_SHAPE: np.asarray(data.image.shape),
            MetaKeys.ORIGINAL_CHANNEL_DIM: float("nan"),
            MetaKeys.SPACE: SpaceKeys.RAS,
            ImageMetaKey.FILENAME_OR_OBJ: str(filename),
            "pid": data.pid,
            "patient": data.patient,
            "tumor_type": data.label,
        }
        image = self._tensor(data.image, self.dtype, {**meta, "tumor_border": _fixed_length(data.border)})
        return image, self._tensor(data.mask, self.mask_dtype, meta)

    def _tensor(self, array: np.ndarray, dtype: DtypeLike, meta: dict) -> MetaTensor:
        return MetaTensor(
            torch.from_numpy(array[None].astype(dtype)), affine=torch.from_numpy(self.affine.copy()), meta=meta
        )


def _fixed_length(border: np.ndarray) -> np.ndarray:
    index = np.arange(BORDER_POINTS)
    if len(border) > BORDER_POINTS:
        index = index * len(border) // BORDER_POINTS
    return border[np.minimum(index, len(border) - 1)]


class LoadMatd(MapTransform):
    """Dictionary version of :class:`LoadMat`: ``data[key]`` is a path.

    Sets ``data[key]`` to the image, ``data[mask_key]`` to the mask, ``data["tumor_type"]`` to the type (int 1..3),
    ``data["patient"]`` to the patient's stem and ``data["source"]`` to the path. Values of the file replace earlier
    ones.

    Args:
        keys: the single key of the path.
        mask_key: key for the mask.
        dtype: dtype of the image.
        mask_dtype: dtype of the mask.
        version: accept only files of this version, ``"7.3"`` or ``"5"``; None accepts both.
        spacing: millimeters along x, y and between slices.
        allow_missing_keys: whether to skip a missing key.

    Raises:
        ValueError: if there are several ``keys``: they would overwrite each other's mask.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        mask_key: str = "mask",
        *,
        dtype: DtypeLike = np.float32,
        mask_dtype: DtypeLike = np.uint8,
        version: str | None = None,
        spacing: Sequence[float] = PIXEL_SPACING,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if len(self.keys) != 1:
            raise ValueError(
                f"keys must be one key, got {self.keys}: each file has its own mask, use one LoadMatd for each"
            )
        self.mask_key = mask_key
        self.loader = LoadMat(dtype=dtype, mask_dtype=mask_dtype, version=version, spacing=spacing)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Load the file at the key."""
        d = dict(data)
        for key in self.key_iterator(d):
            image, mask = self.loader.load(d[key])
            d["tumor_type"] = image.meta["tumor_type"]
            d["patient"] = image.meta["patient"]
            d["source"] = image.meta[ImageMetaKey.FILENAME_OR_OBJ]
            tracked = get_track_meta()
            d[key], d[self.mask_key] = (image, mask) if tracked else (image.as_tensor(), mask.as_tensor())
        return d


LoadMatD = LoadMatDict = LoadMatd
