# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Leave an image to interpolation whose result shows that its measurement was estimated wrongly."""

from __future__ import annotations

import json
import logging
from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from monai_srgan.estimation import AssumedMeasurement, overdone, review_result
from monai_srgan.physics import BicubicUpsample
from monai_srgan.precision import plain
from monai_srgan.transforms.assumed_measurement import ASSUMED_MEASUREMENT
from monai_srgan.transforms.source_name import source_name

__all__ = ["CheckMagnitudesD", "CheckMagnitudesDict", "CheckMagnitudesd"]

logger = logging.getLogger(__name__)


class CheckMagnitudesd(MapTransform):
    """Replace a result with negative magnitudes by bicubic interpolation, and decline its record.

    See :func:`~monai_srgan.estimation.review_result`. A measurement that the user told is not declined: a line of the
    log warns. Use it where image and result are in units in which white is 1, before
    :class:`~monai_srgan.transforms.RestoreIntensityd`, and after :class:`~monai_srgan.transforms.SplitTrustMapsd`.

    Args:
        keys: results ``(C, s * X, s * Y[, D])``.
        ref_key: the image ``(C, X, Y[, D])`` that was enlarged, a MetaTensor; without a record nothing is checked.
        spread_key: spread of a self-ensemble, which is 0 for interpolation.
        half_width_key: half-width of its intervals, which is removed: they hold for the network.
        scale: enlargement.
        allow_missing_keys: whether to skip missing keys.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        ref_key: str = "image",
        spread_key: str = "spread",
        half_width_key: str = "half_width",
        scale: int = 4,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.ref_key = ref_key
        self.spread_key = spread_key
        self.half_width_key = half_width_key
        self.interpolate = BicubicUpsample(scale)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data`; results that are believed stay as they are."""
        d = dict(data)
        for key in self.key_iterator(d):
            image = d[self.ref_key]
            text = image.meta.get(ASSUMED_MEASUREMENT) if isinstance(image, MetaTensor) else None
            if text is None:
                continue
            assumed, slices, result = AssumedMeasurement.from_json(text), plain(image), plain(d[key])
            reviewed = review_result(assumed, slices, result)
            if reviewed.declined == assumed.declined:
                _warn_if_told(source_name(image), assumed, slices, result)
                continue
            logger.warning(
                "%s: the result of the network is not used, but bicubic interpolation: %s",
                source_name(image),
                reviewed.declined,
            )
            record = _record(text, reviewed)
            d[self.ref_key] = _noted(image, slices, record)
            d[key] = _noted(d[key], self._enlarged(slices.float()), record)
            if self.spread_key in d:
                d[self.spread_key] = _noted(d[self.spread_key], torch.zeros_like(result), record)
            d.pop(self.half_width_key, None)
        return d

    def _enlarged(self, image: torch.Tensor) -> torch.Tensor:
        """Bicubic interpolation of a slice, or of each slice of a volume."""
        if image.ndim == 3:
            return self.interpolate(image[None])[0]
        return self.interpolate(image.movedim(-1, 0)).movedim(0, -1)


def _record(text: str, reviewed: AssumedMeasurement) -> str:
    """The record, declined."""
    record = {**json.loads(text), "declined": reviewed.declined}
    if "intervals" in record:
        record["intervals"] = {**record["intervals"], "none": f"the network is not used: {reviewed.declined}"}
    return json.dumps(record)


def _noted(image: torch.Tensor, pixels: torch.Tensor, record: str) -> MetaTensor:
    """Pixels with the metadata of an image and another record."""
    known = image if isinstance(image, MetaTensor) else MetaTensor(image)
    meta = {**known.meta, ASSUMED_MEASUREMENT: record}
    return MetaTensor(pixels, meta=meta, applied_operations=list(known.applied_operations))


def _warn_if_told(name: str, assumed: AssumedMeasurement, image: torch.Tensor, result: torch.Tensor) -> None:
    if assumed.basis != "told" or assumed.measurement is None:
        return
    found = overdone(image, result, assumed.measurement.noise_std)
    if found is not None:
        logger.warning("%s: check the measurement that was told: %s", name, found)


CheckMagnitudesD = CheckMagnitudesDict = CheckMagnitudesd
