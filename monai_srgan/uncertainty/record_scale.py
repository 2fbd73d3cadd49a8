# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How the size of the errors depends on the measurement, within the cells and across them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from monai_srgan.json_text import require_mapping, require_numbers
from monai_srgan.physics import TRANSFER_FREQUENCIES, condition_vector
from monai_srgan.uncertainty.cells import NYQUIST, MeasurementNumbers
from monai_srgan.uncertainty.samples import SliceSample, fit_samples

__all__ = ["RECORD_FEATURES", "RecordScale", "fit_record_scale", "record_features"]

RECORD_FEATURES = (
    "noise",
    "noise^2",
    "bandwidth",
    "bandwidth^2",
    "noise * bandwidth",
    "sharpness",
    "aliasing",
    "anisotropy",
    "transfer_uncertainty",
    "noise_uncertainty",
)
"""Names of the features of :func:`record_features`, in their order."""

_RIDGE = 0.01  # of the number of slices: features are standardized
_EVERY = 4  # of the pixels: a quantile per slice needs no more
_SMALLEST = 1e-6


def record_features(condition: torch.Tensor) -> np.ndarray:
    """Features of a record that predict the size of the errors.

    "noise" is ``sqrt(noise_std / 0.05)``; "bandwidth" that of :class:`MeasurementNumbers`; "sharpness" and "aliasing"
    are the means of the transfer functions up to the Nyquist limit of the LR grid and above it, "anisotropy" the
    difference of the two axes' sharpness. None changes when the axes are swapped.

    Args:
        condition: ``(36,)`` of :func:`~monai_srgan.physics.condition_vector`.

    Returns:
        float64 ``(10,)``, in the order of :data:`RECORD_FEATURES`.
    """
    count = len(TRANSFER_FREQUENCIES)
    transfer = (condition - condition_vector(np.zeros((2, count)), 0.0))[: 2 * count].double().numpy().reshape(2, count)
    noise, *doubts = condition[2 * count :].double().tolist()
    bandwidth = MeasurementNumbers.of_condition(condition).bandwidth
    low = TRANSFER_FREQUENCIES <= NYQUIST
    sharpness = transfer[:, low].mean(axis=1)
    aliasing = np.abs(transfer[:, ~low]).mean()
    uncertainty = np.hypot(*doubts[:2])
    own = [noise, noise**2, bandwidth, bandwidth**2, noise * bandwidth, sharpness.mean(), aliasing]
    return np.array([*own, abs(sharpness[0] - sharpness[1]), uncertainty, doubts[2]])


@dataclass(frozen=True)
class RecordScale:
    """``exp(sum_i coefficients_i (f_i - center_i))`` of a record's features f, each clipped to the range of the fit.

    Args:
        coefficients: one number per feature of :func:`record_features`.
        center: mean of each feature in the fit.
        low: smallest value of each feature in the fit.
        high: largest value of each feature in the fit.

    Raises:
        ValueError: if there are not as many finite numbers as features.
    """

    coefficients: tuple[float, ...]
    center: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("coefficients", "center", "low", "high"):
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) != len(RECORD_FEATURES) or not np.isfinite(values).all():
                raise ValueError(f"{name} must be {len(RECORD_FEATURES)} finite numbers, got {list(values)}")
            object.__setattr__(self, name, values)

    def __call__(self, condition: torch.Tensor) -> float:
        """The factor for a record ``(36,)``."""
        features = np.clip(record_features(condition), self.low, self.high)
        return float(np.exp(np.dot(self.coefficients, features - np.array(self.center))))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> RecordScale:
        """Rebuild a scale from ``dataclasses.asdict``.

        Raises:
            TypeError: if there are missing or unknown names.
            ValueError: if the numbers are no valid scale.
        """
        content = require_mapping("scale", content)
        return cls(**{name: tuple(require_numbers(name, values)) for name, values in content.items()})


def fit_record_scale(samples: Sequence[SliceSample], level: float = 0.9) -> RecordScale:
    """Fit the dependence of the errors on the record.

    One table is fitted to all slices. The logarithm of the quantile of ``error / table`` of each slice, as a mean over
    inside and outside, is regressed on the features of its record, with ridge. Both are centered on each patient's
    means first, since patients differ more than measurements of one patient.

    Args:
        samples: slices with pixels and a record.
        level: of the quantile, in (0, 1).

    Raises:
        ValueError: see :func:`fit_samples`.
    """
    thinned = [sample.every(_EVERY) for sample in samples]
    table = fit_samples(thinned, level)
    features = np.stack([record_features(s.condition) for s in samples if s.condition is not None])
    sizes = np.array(
        [
            np.mean(
                [
                    np.log(max(float(np.quantile(p.errors / table.lookup(p.features), level)), _SMALLEST))
                    for p in sample.regions.values()
                ]
            )
            for sample in thinned
        ]
    )
    spread = features.std(axis=0)
    spread[spread < _SMALLEST] = 1.0
    x, y = _centered(features / spread, samples), _centered(sizes[:, None], samples)[:, 0]
    ridge = _RIDGE * len(samples) * np.eye(x.shape[1])
    coefficients = np.linalg.solve(x.T @ x + ridge, x.T @ y) / spread
    parts = (coefficients, features.mean(axis=0), features.min(axis=0), features.max(axis=0))
    return RecordScale(*(tuple(part.tolist()) for part in parts))


def _centered(values: np.ndarray, samples: Sequence[SliceSample]) -> np.ndarray:
    """Subtract each patient's mean."""
    places = defaultdict(list)
    for i, sample in enumerate(samples):
        places[sample.patient].append(i)
    result = np.empty_like(values)
    for rows in places.values():
        result[rows] = values[rows] - values[rows].mean(axis=0)
    return result
