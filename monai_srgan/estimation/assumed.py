# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The measurement that inference assumes for an image, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor

from monai_srgan.estimation.estimate import MeasurementEstimate, estimate_measurement
from monai_srgan.estimation.estimator import MeasurementEstimator
from monai_srgan.physics import Measurement, PerAxisDownsample, condition_transfer_std, swap_condition_axes

__all__ = ["AssumedMeasurement", "assume_measurement"]

Basis = Literal["estimated", "told", "default"]


@dataclass(frozen=True, eq=False)
class AssumedMeasurement:
    """What is assumed about how an image was measured.

    Attributes:
        condition: ``(36,)``, see :func:`monai_srgan.physics.condition_vector`.
        measurement: the record, for the projection onto the measured image.
        basis: "estimated" from the image, "told" by the user, or "default", the degradation of the first training.
        summary: one sentence.
        declined: why the network must not be used for the image; None if it may.
        details: the estimate's figures for the file beside the result.
    """

    condition: Tensor
    measurement: Measurement | None
    basis: Basis
    summary: str
    declined: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def told(cls, measurement: Measurement, basis: Basis = "told") -> AssumedMeasurement:
        """A record that is known."""
        return cls(measurement.condition(), measurement, basis, measurement.description)

    @classmethod
    def of_estimate(cls, estimate: MeasurementEstimate) -> AssumedMeasurement:
        """An estimate; declined if it has doubts."""
        return cls(
            condition=estimate.condition(),
            measurement=estimate.measurement,
            basis="estimated",
            summary=estimate.summary,
            declined="; ".join(estimate.doubts) or None,
            details=estimate.to_dict(),
        )

    @classmethod
    def unknown(cls, reason: str) -> AssumedMeasurement:
        """An image whose measurement cannot be estimated."""
        return cls(torch.zeros(0), None, "estimated", "unknown", declined=reason)

    @property
    def transfer_uncertainty(self) -> float:
        """Standard uncertainty of the transfer functions, root mean square over both axes; 0 for what is told."""
        return float(condition_transfer_std(self.condition).square().mean().sqrt()) if len(self.condition) else 0.0

    def transposed(self) -> AssumedMeasurement:
        """The same for the image with its two spatial axes swapped."""
        if self.declined is not None or self.measurement is None:
            return self
        operator = self.measurement.operator
        if isinstance(operator, PerAxisDownsample):
            operator = PerAxisDownsample(operator.second, operator.first)
        return replace(
            self,
            condition=swap_condition_axes(self.condition),
            measurement=replace(self.measurement, operator=operator),
        )

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON takes them."""
        return {
            "basis": self.basis,
            "summary": self.summary,
            "declined": self.declined,
            "measurement": None if self.measurement is None else self.measurement.to_dict(),
            "condition": [round(value, 6) for value in self.condition.tolist()],
            "estimate": dict(self.details),
        }

    def to_json(self) -> str:
        """:meth:`to_dict` as text, the form in which an image's metadata carries it through batches."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> AssumedMeasurement:
        """Inverse of :meth:`to_json`."""
        record = json.loads(text)
        measurement = record["measurement"]
        return cls(
            condition=torch.tensor(record["condition"], dtype=torch.float32),
            measurement=None if measurement is None else Measurement.from_dict(measurement),
            basis=record["basis"],
            summary=record["summary"],
            declined=record["declined"],
            details=record["estimate"],
        )


def assume_measurement(
    image: Any, told: Measurement | None = None, estimator: MeasurementEstimator | None = None
) -> AssumedMeasurement:
    """What to assume for an image: what the user tells, otherwise the estimate.

    Args:
        image: ``(X, Y)`` or ``(X, Y, D)``, see :func:`~monai_srgan.estimation.estimate_measurement`.
        told: the record if it is known.
        estimator: see :func:`~monai_srgan.estimation.estimate_measurement`.
    """
    if told is not None:
        return AssumedMeasurement.told(told)
    try:
        return AssumedMeasurement.of_estimate(estimate_measurement(image, estimator))
    except ValueError as error:
        return AssumedMeasurement.unknown(str(error))
