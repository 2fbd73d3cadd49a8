# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Split the trust maps of an inferer into images, and say whether there are intervals."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.transforms.assumed_measurement import ASSUMED_MEASUREMENT
from monai_srgan.transforms.source_name import source_name
from monai_srgan.uncertainty import CalibratedIntervals, TrustMaps

__all__ = [
    "NoteIntervalsD",
    "NoteIntervalsDict",
    "NoteIntervalsd",
    "SplitTrustMaps",
    "SplitTrustMapsD",
    "SplitTrustMapsDict",
    "SplitTrustMapsd",
]

logger = logging.getLogger(__name__)


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
            up to K images ``(C, X, Y[, D])`` of the input's kind that share no memory; each MetaTensor has its own copy
            of the metadata. A half-width of NaN means that the image has no intervals and is left out.

        Raises:
            ValueError: if the number of channels is not 2 * C or 3 * C.
        """
        plain = maps.as_tensor() if isinstance(maps, MetaTensor) else maps
        split = TrustMaps.split(plain, self.channels, dim=0)
        parts = (split.mean, split.spread) if _is_unknown(split.half_width) else split.images
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
        half_width_key: key of the half-width, which exists only if the inferer has intervals for the image.
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


class NoteIntervalsd(MapTransform):
    """Write to an image's record whether it has intervals, and log why not.

    The record in ``meta["assumed_measurement"]`` gets the key ``intervals``
    (:meth:`CalibratedIntervals.describe <monai_srgan.uncertainty.CalibratedIntervals.describe>`), which
    :class:`SaveSRd` writes beside the result with the rest. Use it after :class:`AssumeMeasurementd`.

    Args:
        keys: images with a record, MetaTensors.
        intervals: those of the inferer; None for none, which changes nothing.
        allow_missing_keys: whether to skip missing keys.

    Raises:
        ValueError: on call, if an image has no record.
    """

    def __init__(
        self, keys: KeysCollection, intervals: CalibratedIntervals | None, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.intervals = intervals

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` whose records tell of the intervals; no pixel changes."""
        d = dict(data)
        for key in self.key_iterator(d):
            if self.intervals is not None:
                d[key] = self._noted(d[key], self.intervals)
        return d

    @staticmethod
    def _noted(image: Any, intervals: CalibratedIntervals) -> MetaTensor:
        text = image.meta.get(ASSUMED_MEASUREMENT) if isinstance(image, MetaTensor) else None
        if text is None:
            raise ValueError(f"{source_name(image)}: must have a record of its measurement: add AssumeMeasurementd")
        found = intervals.describe(AssumedMeasurement.from_json(text))
        if "none" in found:
            logger.warning("%s: no half-widths: %s", source_name(image), found["none"])
        record = json.dumps({**json.loads(text), "intervals": found})
        return MetaTensor(
            image.as_tensor(),
            meta={**image.meta, ASSUMED_MEASUREMENT: record},
            applied_operations=list(image.applied_operations),
        )


def _is_unknown(half_width: Any) -> bool:
    """Whether there is a half-width and it is NaN throughout."""
    return half_width is not None and bool(np.isnan(np.asarray(half_width)).all())


NoteIntervalsD = NoteIntervalsDict = NoteIntervalsd
SplitTrustMapsD = SplitTrustMapsDict = SplitTrustMapsd
