# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Split the trust maps of an inferer into images."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform

from monai_srgan.uncertainty import TrustMaps

__all__ = ["SplitTrustMaps", "SplitTrustMapsD", "SplitTrustMapsDict", "SplitTrustMapsd"]


class SplitTrustMaps(Transform):
    """Split the channels of a :class:`~monai_srgan.inferers.SelfEnsembleInferer` into mean, spread and half-width.

    All three are in units of the image and have no offset, so that
    :class:`~monai_srgan.transforms.RestoreIntensity` converts each to scanner units with the same factor.

    Args:
        channels: number of channels C of the image itself, at least 1.

    Raises:
        ValueError: if ``channels`` is below 1.
    """

    def __init__(self, channels: int = 1) -> None:
        if channels < 1:
            raise ValueError(f"channels must be the number of channels of the image, at least 1, got {channels}")
        self.channels = channels

    def __call__(self, maps: Any) -> tuple[Any, ...]:
        """Split the maps of one item.

        Args:
            maps: ``(K * C, X, Y[, D])`` with K = 2 or 3; MetaTensor, tensor or numpy array, not modified.

        Returns:
            K images ``(C, X, Y[, D])`` of the input's kind that share no memory; each MetaTensor has its own copy of
            the metadata.

        Raises:
            ValueError: if the number of channels is not 2 * C or 3 * C.
        """
        plain = maps.as_tensor() if isinstance(maps, MetaTensor) else maps
        parts = TrustMaps.split(plain, self.channels, dim=0).images
        copies = [part.copy() if isinstance(part, np.ndarray) else part.clone() for part in parts]
        if not isinstance(maps, MetaTensor):
            return tuple(copies)
        return tuple(
            # Copies: an in-place change of one image's affine must not reach another image.
            MetaTensor(part, meta=copy.deepcopy(maps.meta), applied_operations=list(maps.applied_operations))
            for part in copies
        )


class SplitTrustMapsd(MapTransform):
    """Dictionary version of :class:`SplitTrustMaps`: the mean keeps the key, spread and half-width get their own keys.

    Args:
        keys: the inferer's output; a single key.
        spread_key: key of the spread.
        half_width_key: key of the half-width, which exists only if the inferer has intervals.
        channels: see :class:`SplitTrustMaps`.
        allow_missing_keys: whether to skip a missing key.

    Raises:
        ValueError: if there are several ``keys``, two keys are the same, or see :class:`SplitTrustMaps`.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        spread_key: str = "spread",
        half_width_key: str = "half_width",
        channels: int = 1,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if len(self.keys) != 1 or len({*self.keys, spread_key, half_width_key}) != 3:
            raise ValueError(
                "keys, spread_key and half_width_key must be three different single keys, "
                f"got {self.keys}, {spread_key!r} and {half_width_key!r}"
            )
        self.spread_key = spread_key
        self.half_width_key = half_width_key
        self.split = SplitTrustMaps(channels)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with the maps split; without a new half-width, an old one is removed."""
        d = dict(data)
        for key in self.key_iterator(d):
            d.pop(self.half_width_key, None)
            names = (key, self.spread_key, self.half_width_key)
            d.update(zip(names, self.split(d[key]), strict=False))
        return d


SplitTrustMapsD = SplitTrustMapsDict = SplitTrustMapsd
