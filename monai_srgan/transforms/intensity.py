# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Percentile normalization of intensities, and its inverse back to scanner units."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from torch import Tensor

from monai_srgan.transforms.conversion import as_array, as_tensor
from monai_srgan.transforms.source_name import source_name

__all__ = [
    "INTENSITY_SCALE",
    "WHITE_PERCENTILE",
    "RestoreIntensity",
    "RestoreIntensityD",
    "RestoreIntensityDict",
    "RestoreIntensityd",
    "ScaleIntensityByPercentile",
    "ScaleIntensityByPercentileD",
    "ScaleIntensityByPercentileDict",
    "ScaleIntensityByPercentiled",
]

INTENSITY_SCALE = "intensity_scale"
"""Metadata key of the intensity, in scanner units, that was mapped to 1."""


WHITE_PERCENTILE = 99.9
"""Default percentile that is mapped to 1: the maximum of a slice is often one bright vessel."""


class ScaleIntensityByPercentile(Transform):
    """``y = clip(x / p, 0, 1)`` with p the given percentile of all values of x; the minimum is not subtracted.

    The maximum of a slice is often one bright vessel, so a high percentile is mapped to 1 instead. A MetaTensor keeps p
    in ``meta["intensity_scale"]``, where :class:`RestoreIntensity` reads it.

    Args:
        percentile: in (0, 100]; 100 is the maximum.
        clip: whether to clip the result to [0, 1]; otherwise about ``100 - percentile`` percent exceed 1.

    Raises:
        ValueError: if `percentile` is out of range.
    """

    def __init__(self, percentile: float = WHITE_PERCENTILE, clip: bool = True) -> None:
        if not 0 < percentile <= 100:
            raise ValueError(f"percentile must lie in (0, 100], got {percentile}")
        self.percentile = float(percentile)
        self.clip = clip

    @property
    def settings(self) -> dict[str, Any]:
        """``percentile`` and ``clip``, to record how intensities were scaled."""
        return {"percentile": self.percentile, "clip": self.clip}

    def scale_of(self, image: Any) -> float:
        """Return the percentile of `image` in its own units.

        Raises:
            ValueError: if the image is empty, contains NaN or infinity, is constant, or its percentile is not positive.
        """
        values = as_array(image)
        name = source_name(image)
        if values.size == 0:
            raise ValueError(f"{name}: empty array of shape {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError(
                f"{name}: {np.count_nonzero(~np.isfinite(values))} values are NaN or infinite, all must be finite: "
                "exclude the file or repair it"
            )
        if values.min() == values.max():
            raise ValueError(
                f"{name}: constant image (every pixel is {values.flat[0]:g}), cannot be scaled: exclude it"
            )
        scale = float(np.percentile(values.astype(np.float32, copy=False), self.percentile))
        if not scale > 0:
            raise ValueError(
                f"{name}: percentile {self.percentile:g} must be > 0, got {scale:g}: raise percentile, "
                "or shift the intensities above 0 first"
            )
        return scale

    def __call__(self, image: Any) -> Any:
        """Scale an image of any shape and real dtype; the input is not modified.

        Returns:
            float32, of the input's kind: MetaTensor (with the scale in its metadata), tensor or numpy array.
        """
        scale = self.scale_of(image)
        # Convert to float32 first: int16 silently overflows.
        if isinstance(image, np.ndarray):
            scaled = image.astype(np.float32) / np.float32(scale)
            return np.clip(scaled, 0, 1, out=scaled) if self.clip else scaled
        out = as_tensor(image).as_subclass(Tensor).float() / scale
        if self.clip:
            out = out.clamp_(0, 1)
        if not isinstance(image, MetaTensor):
            return out
        return MetaTensor(
            out, meta={**image.meta, INTENSITY_SCALE: scale}, applied_operations=list(image.applied_operations)
        )


class RestoreIntensity(Transform):
    """``x = y * p``: back to scanner units, the inverse of ScaleIntensityByPercentile except for clipped values."""

    def __call__(self, image: Any, scale: float | None = None) -> Any:
        """Multiply by `scale`, or by ``meta["intensity_scale"]`` of a MetaTensor if `scale` is None.

        Args:
            image: any shape, in units of the scale, real dtype; not modified.
            scale: the intensity in scanner units that corresponds to 1, > 0.

        Returns:
            float32 in scanner units, of the input's kind; the scale in the metadata of a MetaTensor becomes 1.

        Raises:
            ValueError: if no scale is known, or it is not a positive number.
        """
        if scale is None:
            scale = intensity_scale_of(image, "image")
        if not (np.isfinite(scale) and scale > 0):
            raise ValueError(f"scale must be a finite number > 0, got {scale}")
        if isinstance(image, np.ndarray):
            return image.astype(np.float32) * np.float32(scale)
        out = as_tensor(image).as_subclass(Tensor).float() * scale
        if not isinstance(image, MetaTensor):
            return out
        # 1, so that a second restoration does not multiply again.
        return MetaTensor(
            out, meta={**image.meta, INTENSITY_SCALE: 1.0}, applied_operations=list(image.applied_operations)
        )


def intensity_scale_of(image: Any, name: str) -> float:
    """Return ``meta["intensity_scale"]`` of one (not batched) MetaTensor; raise a ValueError if missing."""
    if not isinstance(image, MetaTensor):
        raise ValueError(
            f"'{name}' must be a MetaTensor, whose meta['{INTENSITY_SCALE}'] is the scale, got {type(image).__name__}: "
            "leave set_track_meta(True), and give a PersistentDataset track_meta=True and weights_only=False"
        )
    if INTENSITY_SCALE not in image.meta:
        raise ValueError(
            f"'{name}' has no meta['{INTENSITY_SCALE}']: apply ScaleIntensityByPercentiled to a MetaTensor first"
        )
    scale = np.asarray(image.meta[INTENSITY_SCALE], dtype=float)
    if scale.size != 1:
        raise ValueError(f"'{name}' has the scales of {scale.size} images: apply decollate_batch first")
    return float(scale.reshape(()))


class ScaleIntensityByPercentiled(MapTransform):
    """Dictionary version of :class:`ScaleIntensityByPercentile`; each key is scaled by its own percentile.

    Args:
        keys: images to scale.
        percentile: see :class:`ScaleIntensityByPercentile`.
        clip: see :class:`ScaleIntensityByPercentile`.
        allow_missing_keys: whether to skip missing keys.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        percentile: float = WHITE_PERCENTILE,
        clip: bool = True,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.scaler = ScaleIntensityByPercentile(percentile, clip)

    @property
    def settings(self) -> dict[str, Any]:
        """See :attr:`ScaleIntensityByPercentile.settings`."""
        return self.scaler.settings

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with `keys` scaled to [0, 1]."""
        d = dict(data)
        for key in self.key_iterator(d):
            d[key] = self.scaler(d[key])
        return d


class RestoreIntensityd(MapTransform):
    """Dictionary version of :class:`RestoreIntensity`: the scale comes from the metadata of a reference image.

    Args:
        keys: images to restore, such as the network's output.
        ref_key: the MetaTensor whose ``meta["intensity_scale"]`` to use; None to use that of each image.
        allow_missing_keys: whether to skip missing keys.
    """

    def __init__(
        self, keys: KeysCollection = "pred", ref_key: str | None = "image", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.ref_key = ref_key
        self.restore = RestoreIntensity()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with `keys` in scanner units."""
        d = dict(data)
        for key in self.key_iterator(d):
            name = key if self.ref_key is None else self.ref_key
            # From `data`, not `d`: a key may be its own reference, and a restored image has scale 1.
            d[key] = self.restore(d[key], intensity_scale_of(data.get(name), str(name)))
        return d


RestoreIntensityD = RestoreIntensityDict = RestoreIntensityd
ScaleIntensityByPercentileD = ScaleIntensityByPercentileDict = ScaleIntensityByPercentiled
