# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure an image as a record says."""

from __future__ import annotations

import json
import zlib
from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.physics import Measurement
from monai_srgan.transforms.assumed_measurement import ASSUMED_MEASUREMENT
from monai_srgan.transforms.degradation import MaskAwareDegrade

__all__ = ["ApplyMeasurementD", "ApplyMeasurementDict", "ApplyMeasurementd"]


class ApplyMeasurementd(MapTransform):
    """Measure an HR image as the record in its item says; the deterministic twin of :class:`RandMeasurementd`.

    Afterwards `keys` hold the LR image and `hr_key` the HR image. The noise depends on the record and the pixels alone.

    Args:
        keys: one key, the HR image ``(C, H, W)``, a MetaTensor.
        measurement_key: key of the record: JSON of :meth:`Measurement.to_dict
            <monai_srgan.physics.Measurement.to_dict>`.
        hr_key: key of the HR image.
        told: whether to write the record to ``meta["assumed_measurement"]`` of the LR image, as
            :class:`AssumeMeasurementd` does with an estimate.
        allow_missing_keys: whether to skip a missing key.

    Raises:
        ValueError: if `keys` are several; on call, if the record depends on the tumor, or see
            :class:`MaskAwareDegrade`.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        measurement_key: str = "measurement",
        hr_key: str = "label",
        *,
        told: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if len(self.keys) != 1:
            raise ValueError(f"keys must be one key, got {self.keys}: each image has a measurement of its own")
        self.measurement_key, self.hr_key, self.told = measurement_key, hr_key, told

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with the LR image in place of the HR image."""
        d = dict(data)
        for key in self.key_iterator(d):
            record, hr = d[self.measurement_key], d[key]
            measurement = Measurement.from_dict(json.loads(record))
            if measurement.inside is not None:
                raise ValueError(f"measurement must not depend on the tumor, got {measurement.description}")
            seed = zlib.crc32(record.encode())
            lr = MaskAwareDegrade(measurement.operator, noise_std=measurement.noise_std, seed=seed)(hr)
            if self.told:
                assumed = AssumedMeasurement.told(measurement).to_json()
                lr = MetaTensor(lr.as_tensor(), meta={**lr.meta, ASSUMED_MEASUREMENT: assumed})
            d[key], d[self.hr_key] = lr, hr
        return d


ApplyMeasurementD = ApplyMeasurementDict = ApplyMeasurementd
