# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrated intervals around every pixel, stored as a small JSON file."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from monai_srgan.errors import about
from monai_srgan.files import write_atomically
from monai_srgan.networks.fingerprint import weights_sha256
from monai_srgan.physics import Measurement, same_operator
from monai_srgan.uncertainty.features import FEATURES
from monai_srgan.uncertainty.migration import upgraded
from monai_srgan.uncertainty.quantiles import QuantileTable
from monai_srgan.uncertainty.record import CalibrationRecord

__all__ = ["IntervalTable"]

_FORMAT = "monai_srgan intervals 2"
_FORMAT_OF_VERSION_0_2 = "monai_srgan intervals 1"
_REMEDY = "calibrate with bundle/configs/calibrate.json, or set intervals=None"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class IntervalTable:
    """Half the width of the interval of each pixel: ``half_width = factor * table(mean, spread)``.

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

    def half_width(self, mean: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
        """Half the width of every pixel's interval.

        Args:
            mean: mean of the self-ensemble, ``(B, C, H, W)`` or ``(B, C, H, W, D)`` with slices along D, in units of
                the normalized image: [0, 1] from air to the 99.9th percentile.
            spread: its spread, of the same shape and unit.

        Returns:
            float32 of the same shape and unit, > 0.

        Raises:
            ValueError: if the shapes do not match.
        """
        return self.table(mean, spread) * self.factor

    def check_weights(self, network: nn.Module) -> None:
        """Check that a network has the weights of the calibration; unknown weights are not checked.

        Args:
            network: as loaded, not an accelerated copy.

        Raises:
            ValueError: if it has other weights.
        """
        if self.weights_sha256 is None:
            return
        found = weights_sha256(network)
        if found != self.weights_sha256:
            message = (
                f"the intervals were calibrated for weights with sha256 {self.weights_sha256[:12]}..., the network has "
                f"{found[:12]}...: {_REMEDY}"
            )
            raise about(ValueError(message), "intervals")

    def check_consistent(self, consistent: bool) -> None:
        """Check that results are projected onto the measured image if and only if those of the calibration were.

        Args:
            consistent: whether they are projected.

        Raises:
            ValueError: if not.
        """
        if consistent != self.consistent:
            own, other = ("with", "without") if self.consistent else ("without", "with")
            message = (
                f"the intervals were calibrated for results {own} the projection onto the measured image, these are "
                f"results {other} it: {_REMEDY}"
            )
            raise about(ValueError(message), "intervals")

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
                f"uses {name}: {_REMEDY}"
            )
            raise about(ValueError(message), "intervals")

    def log_precision(self, precision: str | None) -> None:
        """Log a note if the network's precision differs from that of the calibration, where both are known.

        Args:
            precision: of the network, such as "fp32".
        """
        if None not in (precision, self.precision) and precision != self.precision:
            logger.info(
                "the intervals were calibrated with the network in %s, and it runs in %s: coverage may differ slightly",
                self.precision,
                precision,
            )

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
            "edges": [np.asarray(e, dtype=float).tolist() for e in self.table.edges],
            "quantiles": np.asarray(self.table.quantiles, dtype=float).tolist(),
            "weights_sha256": self.weights_sha256,
            "consistent": self.consistent,
            "measurement": None if self.measurement is None else self.measurement.to_dict(),
            "precision": self.precision,
            "record": self.record.to_dict(),
        }
        text = json.dumps(content, indent=1, allow_nan=False, default=str) + "\n"
        write_atomically(Path(path), lambda part: part.write_text(text, encoding="utf-8"))

    @classmethod
    def load(cls, path: str | Path) -> IntervalTable:
        """Read and check a file written by :meth:`save`, in this version or in version 0.2.

        A measurement that cannot be rebuilt, such as that of an operator of your own, is logged and becomes None.

        Raises:
            FileNotFoundError: if the file does not exist.
            ValueError: if it is not an interval file, or a value is invalid.
        """
        path = Path(path)
        if not path.is_file():
            raise about(FileNotFoundError(f"intervals: {path} does not exist: {_REMEDY}"), "intervals")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise about(
                ValueError(f"intervals: {path} is not a JSON file ({error}): {_REMEDY}"), "intervals"
            ) from error
        try:
            return cls._from(content, path)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            message = f"intervals: {path} is not a valid interval file: {reason}: {_REMEDY}"
            raise about(ValueError(message), "intervals") from error

    @classmethod
    def _from(cls, content: Any, path: Path) -> IntervalTable:
        if isinstance(content, dict) and content.get("format") == _FORMAT_OF_VERSION_0_2:
            content = upgraded(content)
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise ValueError(f"its format must be {_FORMAT!r}")
        if content["features"] != list(FEATURES):
            raise ValueError(f"features must be {list(FEATURES)}, got {content['features']}")
        level, factor = float(content["level"]), float(content["lambda"])
        if not 0 < level < 1:
            raise ValueError(f"level must lie in (0, 1), got {level}")
        if not (math.isfinite(factor) and factor > 0):
            raise ValueError(f"lambda must be a finite number > 0, got {factor}")
        sha256, consistent, precision = content["weights_sha256"], content["consistent"], content["precision"]
        for name, value in (("weights_sha256", sha256), ("precision", precision)):
            if value is not None and not isinstance(value, str):
                raise ValueError(f"{name} must be a string or null, got {value!r}")
        if not isinstance(consistent, bool):
            raise ValueError(f"consistent must be true or false, got {consistent!r}")
        measurement = _measurement(content["measurement"], path)
        record = CalibrationRecord.from_dict(content["record"])
        return cls(level, factor, _table(content), sha256, consistent, measurement, precision, record)


def _table(content: Mapping[str, Any]) -> QuantileTable:
    window = content["window"]
    if not isinstance(window, int) or window < 1 or window % 2 == 0:
        raise ValueError(f"window must be an odd number, got {window!r}")
    edges = [np.asarray(e, dtype=np.float32) for e in content["edges"]]
    quantiles = np.asarray(content["quantiles"], dtype=np.float64)
    if len(edges) != 2 or any(e.ndim != 1 or not np.isfinite(e).all() or (np.diff(e) <= 0).any() for e in edges):
        raise ValueError("edges must be two lists of increasing numbers")
    shape = tuple(len(e) + 1 for e in edges)
    if quantiles.shape != shape:
        raise ValueError(f"quantiles must have one number per bin, {shape}, got shape {quantiles.shape}")
    if not (np.isfinite(quantiles).all() and quantiles.min() > 0):
        raise ValueError("quantiles must be finite numbers > 0")
    return QuantileTable((edges[0], edges[1]), quantiles, window)


def _measurement(content: Any, path: Path) -> Measurement | None:
    try:
        return None if content is None else Measurement.from_dict(content)
    except ValueError as error:
        logger.warning("intervals: %s: the degradation of the calibration cannot be compared: %s", path, error)
        return None
