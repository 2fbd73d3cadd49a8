# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Record in an image's metadata how it is assumed to have been measured."""

from __future__ import annotations

import json
import logging
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from monai_srgan import __version__
from monai_srgan.estimation import AssumedMeasurement, assume_measurement
from monai_srgan.physics import Measurement, read_measurement
from monai_srgan.transforms.native_grid import NATIVE_GRID
from monai_srgan.transforms.source_name import source_name

__all__ = [
    "ASSUMED_MEASUREMENT",
    "AssumeMeasurementD",
    "AssumeMeasurementDict",
    "AssumeMeasurementd",
    "measurement_record",
]

ASSUMED_MEASUREMENT = "assumed_measurement"
"""Key of the metadata: JSON of :class:`~monai_srgan.estimation.AssumedMeasurement`."""

AUTO = "auto"

logger = logging.getLogger(__name__)


class AssumeMeasurementd(MapTransform):
    """Estimate how an image was measured, or take the user's word, and record it in ``meta["assumed_measurement"]``.

    :class:`~monai_srgan.inferers.MeasuredInferer` reads the record, and :class:`SaveSRd` writes it beside the result.
    One line of the log says what is assumed.

    Args:
        keys: images ``(1, X, Y)`` or ``(1, X, Y, D)``, MetaTensors, in any units.
        measurement: "auto" to estimate it; a record, a dictionary or a JSON file otherwise, see
            :func:`~monai_srgan.physics.read_measurement`.
        scale: enlargement of the images.
        log: whether to log what is assumed.
        allow_missing_keys: whether to skip missing keys.

    Raises:
        ValueError: if `measurement` is not a record; on call, if an image is not a MetaTensor.
        FileNotFoundError: if `measurement` is a path without a file.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        measurement: Any = AUTO,
        scale: int = 4,
        log: bool = True,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.log = log
        self.told: Measurement | None = None if measurement == AUTO else read_measurement(measurement, scale)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` whose images carry the record; no pixel changes."""
        d = dict(data)
        for key in self.key_iterator(d):
            image = d[key]
            if not isinstance(image, MetaTensor):
                raise ValueError(f"'{key}' must be a MetaTensor, got {type(image).__name__}: load it with LoadInputd")
            assumed = assume_measurement(image[0], self.told)
            if self.log:
                _log(source_name(image), assumed)
            d[key] = MetaTensor(
                image.as_tensor(),
                meta={**image.meta, ASSUMED_MEASUREMENT: assumed.to_json()},
                applied_operations=list(image.applied_operations),
            )
        return d


def measurement_record(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What an image's metadata says about its measurement, as JSON takes it.

    Args:
        meta: metadata of an enlarged image.

    Returns:
        ``source``, the name of the enlarged file, ``version`` of the package, the fields of
        :meth:`AssumedMeasurement.to_dict <monai_srgan.estimation.AssumedMeasurement.to_dict>`, and ``native_grid``, see
        :class:`ToNativeGrid`, where it was looked for; empty if nothing was assumed.
    """
    text = meta.get(ASSUMED_MEASUREMENT)
    if text is None:
        return {}
    record = {"source": Path(str(meta.get("filename_or_obj", ""))).name, "version": __version__, **json.loads(text)}
    if NATIVE_GRID in meta:
        record["native_grid"] = dict(meta[NATIVE_GRID])
    return record


def _log(name: str, assumed: AssumedMeasurement) -> None:
    if assumed.declined is None:
        logger.info("%s: measurement %s: %s", name, assumed.basis, assumed.summary)
    else:
        logger.warning("%s: the network is not used, the result is bicubic interpolation: %s", name, assumed.declined)


AssumeMeasurementD = AssumeMeasurementDict = AssumeMeasurementd
