# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrated intervals around every pixel, as a small JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from monai_srgan.files import write_atomically
from monai_srgan.networks.fingerprint import weights_sha256
from monai_srgan.uncertainty.features import FEATURES
from monai_srgan.uncertainty.quantiles import QuantileTable

__all__ = ["IntervalTable"]

_FORMAT = "monai_srgan intervals 1"


@dataclass(frozen=True, eq=False)
class IntervalTable:
    """Half the width of the interval of each pixel: ``half_width = factor * table(mean, spread)``.

    The table, fitted on training patients, makes intervals wide where errors are large; the factor, set on validation
    patients by conformal risk control, makes them cover what they state: ``mean - half_width <= truth <= mean +
    half_width`` for ``level`` of the pixels, in the mean over patients and over the inside and the outside of tumours.
    That holds for patients, weights and a degradation like those of the calibration, and for no single pixel or image.

    Args:
        level: stated coverage, in (0, 1).
        factor: lambda of the conformal risk control.
        table: widths before the factor.
        weights_sha256: fingerprint of the weights calibrated for; None where they are not known.
        consistent: whether the results were projected onto what was measured.
        record: how the calibration was made and what it found, kept as it is in the file.
    """

    level: float
    factor: float
    table: QuantileTable
    weights_sha256: str | None = None
    consistent: bool = False
    record: Mapping[str, Any] = field(default_factory=dict)

    def half_width(self, mean: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
        """Half the width of every pixel's interval.

        Args:
            mean: mean of the self-ensemble, ``(B, C, H, W)`` or ``(B, C, H, W, D)`` with slices along D, in units of
                the normalised image: [0, 1] for air to the 99.9th percentile.
            spread: its spread, of the same shape and unit.

        Returns:
            float32 of the same shape and unit, > 0.

        Raises:
            ValueError: when a shape is another one.
        """
        return self.table(mean, spread) * self.factor

    def check_weights(self, network: nn.Module) -> None:
        """Refuse a network with other weights than those calibrated for.

        Args:
            network: as it was loaded, not an accelerated copy.

        Raises:
            ValueError: its weights are others.
        """
        if self.weights_sha256 is None:
            return
        found = weights_sha256(network)
        if found != self.weights_sha256:
            raise ValueError(
                f"the intervals were calibrated for weights with sha256 {self.weights_sha256[:12]}..., the network has "
                f"{found[:12]}...: calibrate for these weights with bundle/configs/calibrate.json, or pass --intervals "
                "'$None' for none"
            )

    def check_consistent(self, consistent: bool) -> None:
        """Refuse results of another kind than those calibrated for.

        Args:
            consistent: whether they are projected onto what was measured.

        Raises:
            ValueError: they are of the other kind.
        """
        if consistent != self.consistent:
            kind = "with" if self.consistent else "without"
            raise ValueError(
                f"the intervals were calibrated for results {kind} the projection onto what was measured: give those "
                f"of bundle/configs/calibrate.json --consistency {consistent}, or pass --intervals '$None' for none"
            )

    def check_operator(self, operator: Any) -> None:
        """Refuse a projection by another operator than that of the degradation calibrated for, where that is recorded.

        Args:
            operator: of the projection.

        Raises:
            ValueError: it is another one.
        """
        degradation = self.record.get("settings", {}).get("degradation", {})
        known = degradation.get("operator") if isinstance(degradation, Mapping) else None
        if known is not None and str(known) != str(operator):
            raise ValueError(
                f"the intervals were calibrated for images degraded by {known}, the projection takes {operator}: "
                "calibrate for it with bundle/configs/calibrate.json, or pass --intervals '$None' for none"
            )

    def facts(self) -> dict[str, Any]:
        """What a report of their coverage depends on: level, factor, settings and patients of the calibration."""
        settings = self.record.get("settings", {})
        return {
            "level": self.level,
            "lambda": self.factor,
            **settings,
            "patients": list(self.record.get("patients", ())),
        }

    def save(self, path: str | Path) -> None:
        """Write a JSON file, beside and then renamed; the folder must exist."""
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
            "record": dict(self.record),
        }
        text = json.dumps(content, indent=1, allow_nan=False, default=str) + "\n"
        write_atomically(Path(path), lambda part: part.write_text(text, encoding="utf-8"))

    @classmethod
    def load(cls, path: str | Path) -> IntervalTable:
        """Read and check a file written by :meth:`save`.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is none of intervals, or a value of it cannot be.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                f"intervals: there is no file {path}. Calibrate with bundle/configs/calibrate.json, "
                "or pass --intervals '$None' for none."
            )
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"intervals: {path} is no JSON file ({error}): calibrate again") from error
        try:
            return cls._from(content)
        except (KeyError, TypeError, ValueError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"intervals: {path} cannot be used: {what}. Calibrate again") from error

    @classmethod
    def _from(cls, content: Any) -> IntervalTable:
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise ValueError(f"its format must be {_FORMAT!r}")
        if content["features"] != list(FEATURES):
            raise ValueError(f"features must be {list(FEATURES)}, got {content['features']}")
        level, factor = float(content["level"]), float(content["lambda"])
        if not 0 < level < 1:
            raise ValueError(f"level must lie in (0, 1), got {level}")
        if not (math.isfinite(factor) and factor > 0):
            raise ValueError(f"lambda must be a finite number > 0, got {factor}")
        window = content["window"]
        if not isinstance(window, int) or window < 1 or window % 2 == 0:
            raise ValueError(f"window must be an odd number, got {window!r}")
        edges = [np.asarray(e, dtype=np.float32) for e in content["edges"]]
        quantiles = np.asarray(content["quantiles"], dtype=np.float64)
        if len(edges) != 2 or any(e.ndim != 1 or not np.isfinite(e).all() or (np.diff(e) <= 0).any() for e in edges):
            raise ValueError("edges must be two lists of increasing numbers")
        if quantiles.shape != tuple(len(e) + 1 for e in edges):
            raise ValueError(
                f"quantiles must have one number for each bin, {tuple(len(e) + 1 for e in edges)}, got shape "
                f"{quantiles.shape}"
            )
        if not (np.isfinite(quantiles).all() and quantiles.min() > 0):
            raise ValueError("quantiles must be finite numbers > 0")
        sha256 = content["weights_sha256"]
        if sha256 is not None and not isinstance(sha256, str):
            raise ValueError(f"weights_sha256 must be a text or null, got {sha256!r}")
        consistent = content["consistent"]
        if not isinstance(consistent, bool):
            raise ValueError(f"consistent must be true or false, got {consistent!r}")
        table = QuantileTable((edges[0], edges[1]), quantiles, window)
        return cls(level, factor, table, sha256, consistent, content["record"])
