# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What all calibrated intervals have in common: where they hold, and half-widths image by image."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from monai_srgan.errors import about
from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.networks.fingerprint import weights_sha256
from monai_srgan.physics import Measurement
from monai_srgan.uncertainty.quantiles import QuantileTable

__all__ = ["REMEDY", "CalibratedIntervals", "refused"]

REMEDY = "calibrate with bundle/configs/calibrate.json, or set intervals=None"

logger = logging.getLogger(__name__)


class CalibratedIntervals(ABC):
    """Intervals around every pixel: ``mean - half_width <= ground truth <= mean + half_width``.

    Subclasses are frozen dataclasses, read from a file by :func:`~monai_srgan.uncertainty.load_intervals`.

    Attributes:
        level: stated coverage, in (0, 1).
        weights_sha256: fingerprint of the weights of the calibration; None if unknown.
        consistent: whether the results were projected onto the measured image.
        precision: of the network in the calibration, such as "fp32"; None if unknown.
    """

    level: float
    weights_sha256: str | None
    consistent: bool
    precision: str | None

    @abstractmethod
    def reason_against(self, assumed: AssumedMeasurement | None) -> str | None:
        """Why there are no intervals for an image; None if there are.

        Args:
            assumed: how the image is assumed to have been measured; None if nothing is assumed.
        """

    @abstractmethod
    def _table(self, assumed: AssumedMeasurement | None) -> tuple[QuantileTable, float]:
        """Table and factor for an image that has intervals."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Facts on which a report of their coverage depends, as plain values."""

    def describe(self, assumed: AssumedMeasurement | None) -> dict[str, Any]:
        """What the file beside a result says about its intervals: ``level``, and ``none`` with the reason if any."""
        reason = self.reason_against(assumed)
        return {"level": self.level} if reason is None else {"level": self.level, "none": reason}

    def half_width(
        self,
        mean: torch.Tensor,
        spread: torch.Tensor,
        assumed: Sequence[AssumedMeasurement] = (),
    ) -> torch.Tensor:
        """Half the width of every pixel's interval.

        Args:
            mean: mean of the self-ensemble, ``(B, C, H, W)`` or ``(B, C, H, W, D)`` with slices along D, in units of
                the normalized image: [0, 1] from air to the 99.9th percentile.
            spread: its spread, of the same shape and unit.
            assumed: how each of the B images is assumed to have been measured; empty if nothing is assumed.

        Returns:
            float32 of the same shape and unit, > 0; NaN in all pixels of an image for which the intervals were not
            calibrated, see :meth:`reason_against`.

        Raises:
            ValueError: if the shapes do not match, or there is not one record per image.
        """
        if not assumed:
            return self._of_images(mean, spread, None)
        if len(assumed) != len(mean):
            raise ValueError(f"assumed must have one record for each of {len(mean)} images, got {len(assumed)}")
        return torch.cat([self._of_images(mean[i : i + 1], spread[i : i + 1], a) for i, a in enumerate(assumed)])

    def _of_images(self, mean: torch.Tensor, spread: torch.Tensor, assumed: AssumedMeasurement | None) -> torch.Tensor:
        if self.reason_against(assumed) is not None:
            return torch.full_like(mean, torch.nan, dtype=torch.float32)
        table, factor = self._table(assumed)
        return table(mean, spread) * factor

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
                f"{found[:12]}...: {REMEDY}"
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
                f"results {other} it: {REMEDY}"
            )
            raise about(ValueError(message), "intervals")

    def check_operator(self, operator: Any) -> None:  # noqa: B027 - nothing to check unless one operator was calibrated
        """Check that an operator is one of the calibration, where that had only one.

        Args:
            operator: of the projection.

        Raises:
            ValueError: if it is another one.
        """

    def log_measurement(self, measurement: Measurement) -> None:  # noqa: B027 - as above
        """Warn if images were degraded in another way than in the calibration, where that had only one.

        Args:
            measurement: how the images were degraded.
        """

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


def refused(assumed: AssumedMeasurement) -> str | None:
    """Why no intervals hold for a record, whatever they were calibrated for; None if some may."""
    if assumed.declined is not None:
        return f"the network is not used: {assumed.declined}"
    return None
