# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrated intervals for images that were all measured in one way."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_srgan.errors import about
from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.physics import Measurement, same_operator
from monai_srgan.uncertainty.features import FEATURES
from monai_srgan.uncertainty.interval_checks import REMEDY, CalibratedIntervals, refused
from monai_srgan.uncertainty.interval_file import (
    checked_factor,
    checked_facts,
    checked_table,
    read_intervals,
    table_content,
    write_intervals,
)
from monai_srgan.uncertainty.migration import upgraded
from monai_srgan.uncertainty.quantiles import QuantileTable
from monai_srgan.uncertainty.record import CalibrationRecord

__all__ = ["TABLE_FORMATS", "IntervalTable"]

_FORMAT = "monai_srgan intervals 2"
_FORMAT_OF_VERSION_0_2 = "monai_srgan intervals 1"

TABLE_FORMATS = (_FORMAT_OF_VERSION_0_2, _FORMAT)
"""Formats that :meth:`IntervalTable.load` reads."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class IntervalTable(CalibratedIntervals):
    """Intervals for one degradation: ``half_width = factor * table(mean, spread)``.

    The table, fitted on training patients, makes intervals wide where errors are large. The factor, set on validation
    patients by conformal risk control, gives them the stated coverage: ``mean - half_width <= ground truth <= mean +
    half_width`` for a fraction ``level`` of the pixels, averaged over patients and over the inside and the outside of
    tumors. This holds for patients, weights and a degradation like those of the calibration, and not for a single pixel
    or image.

    Args:
        level: stated coverage, in (0, 1).
        factor: lambda of the conformal risk control.
        table: widths before the factor.
        weights_sha256: fingerprint of the weights of the calibration; None if unknown.
        consistent: whether the results were projected onto the measured image.
        measurement: degradation of the images of the calibration; None if unknown.
        precision: of the network in the calibration, such as "fp32"; None if unknown.
        record: how the calibration was made and what it found.
    """

    level: float
    factor: float
    table: QuantileTable
    weights_sha256: str | None = None
    consistent: bool = False
    measurement: Measurement | None = None
    precision: str | None = None
    record: CalibrationRecord = field(default_factory=CalibrationRecord)

    def reason_against(self, assumed: AssumedMeasurement | None) -> str | None:
        """Why there are no intervals for an image: its record is declined, or not that of the calibration.

        Args:
            assumed: the record; None if nothing is assumed, which is not checked.
        """
        if assumed is None:
            return None
        if refused(assumed) is not None:
            return refused(assumed)
        if self.measurement is None or assumed.measurement != self.measurement:
            own = "an unknown degradation" if self.measurement is None else self.measurement.description
            return f"the intervals were calibrated for {own} alone"
        return None

    def _table(self, assumed: AssumedMeasurement | None) -> tuple[QuantileTable, float]:  # noqa: ARG002 - only one
        return self.table, self.factor

    def check_operator(self, operator: Any) -> None:
        """Check that an operator degrades images as that of the calibration, if that is known.

        Noise and settings inside the tumor are not compared: a projection does not know them.

        Args:
            operator: of the projection.

        Raises:
            ValueError: if it is another one.
        """
        if self.measurement is not None and not same_operator(self.measurement.operator, operator):
            name = getattr(operator, "description", type(operator).__name__)
            message = (
                f"the intervals were calibrated for images degraded by {self.measurement.description}; the projection "
                f"uses {name}: {REMEDY}"
            )
            raise about(ValueError(message), "intervals")

    def log_measurement(self, measurement: Measurement) -> None:
        """Warn if images were degraded in another way than in the calibration, where that is known.

        Args:
            measurement: how the images were degraded.
        """
        if self.measurement is not None and self.measurement != measurement:
            logger.warning(
                "the intervals were calibrated for another degradation (%s) and are not valid for %s",
                self.measurement.description,
                measurement.description,
            )

    def facts(self) -> dict[str, Any]:
        """Facts on which a report of their coverage depends, as plain values.

        ``level``, ``lambda``, ``precision``, ``degradation`` (:meth:`Measurement.to_dict`, None if unknown), the
        settings of the calibration and the names of its ``patients``.
        """
        return {
            "level": self.level,
            "lambda": self.factor,
            "precision": self.precision,
            "degradation": None if self.measurement is None else self.measurement.to_dict(),
            **self.record.settings,
            "patients": list(self.record.patients),
        }

    def save(self, path: str | Path) -> None:
        """Write a JSON file atomically; the folder must exist."""
        content = {
            "format": _FORMAT,
            "level": self.level,
            "lambda": self.factor,
            "features": list(FEATURES),
            "window": self.table.window,
            **table_content(self.table),
            "weights_sha256": self.weights_sha256,
            "consistent": self.consistent,
            "measurement": None if self.measurement is None else self.measurement.to_dict(),
            "precision": self.precision,
            "record": self.record.to_dict(),
        }
        write_intervals(path, content)

    @classmethod
    def load(cls, path: str | Path) -> IntervalTable:
        """Read and check a file written by :meth:`save`, in this version or in version 0.2.

        A measurement that cannot be rebuilt, such as that of an operator of your own, is logged and becomes None.

        Raises:
            FileNotFoundError: if the file does not exist.
            ValueError: if it is not an interval file, or a value is invalid.
        """
        return read_intervals(path, cls.from_content)

    @classmethod
    def from_content(cls, content: dict[str, Any], path: Path) -> IntervalTable:
        """Build intervals from the content of a file.

        Args:
            content: of the JSON file.
            path: of the file, for the log.

        Raises:
            KeyError: if a key is missing.
            TypeError: if the record has missing or unknown names.
            ValueError: if a value is invalid.
        """
        if content.get("format") == _FORMAT_OF_VERSION_0_2:
            content = upgraded(content)
        if content.get("format") != _FORMAT:
            raise ValueError(f"its format must be {_FORMAT!r}")
        return cls(
            factor=checked_factor(content),
            table=checked_table(content, content["window"]),
            measurement=_measurement(content["measurement"], path),
            record=CalibrationRecord.from_dict(content["record"]),
            **checked_facts(content),
        )


def _measurement(content: Any, path: Path) -> Measurement | None:
    try:
        return None if content is None else Measurement.from_dict(content)
    except ValueError as error:
        logger.warning("intervals: %s: the degradation of the calibration cannot be compared: %s", path, error)
        return None
