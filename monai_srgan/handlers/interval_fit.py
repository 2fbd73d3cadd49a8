# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Fit the shape of the intervals on the slices of one epoch."""

from __future__ import annotations

import logging
from typing import Any

import torch
from ignite.engine import Events
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.precision import plain
from monai_srgan.uncertainty import FEATURES, PixelSample, QuantileTable

__all__ = ["IntervalFit", "ensemble_maps"]


logger = logging.getLogger(__name__)


class IntervalFit:
    """Fit the shape of the intervals, see :class:`~monai_srgan.uncertainty.PixelSample`, on the slices of one epoch.

    Args:
        level: coverage that the intervals shall have, in (0, 1).
        bins: of the table along each feature.
        pixels: largest number of pixels drawn from each slice inside the tumour, and as many outside.
        seed: of the draws.
        mask_key: key of the tumour mask in a batch.
        patient_key: key of the patients in a batch.

    Raises:
        ValueError: when ``level``, ``bins`` or ``pixels`` is out of range.
    """

    def __init__(
        self,
        level: float = 0.9,
        bins: int = 16,
        pixels: int = 4096,
        seed: int = 0,
        mask_key: str = "mask",
        patient_key: str = "patient",
    ) -> None:
        if not 0 < level < 1:
            raise ValueError(f"level must lie in (0, 1), got {level}")
        if bins < 1 or pixels < 1:
            raise ValueError(f"bins and pixels must be at least 1, got {bins} and {pixels}")
        self.level = level
        self.bins = bins
        self.pixels = pixels
        self.seed = seed
        self.mask_key = mask_key
        self.patient_key = patient_key
        self.table: QuantileTable | None = None
        self.facts: dict[str, Any] = {}
        self._start()

    def _start(self) -> None:
        self._sample = PixelSample(self.pixels, seed=self.seed)
        self._slices = 0
        self._patients: set[str] = set()

    def attach(self, engine: Any) -> None:
        """Register with the evaluator of the training slices."""
        engine.add_event_handler(Events.STARTED, lambda engine: self._start())  # noqa: ARG005 - ignite passes it
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.fit)

    def add(self, engine: Any) -> None:
        """Draw pixels from the slices of one step."""
        mean, spread, target, mask, patients = ensemble_maps(engine, self.mask_key, self.patient_key)
        self._sample.add(mean, spread, target, mask)
        self._slices += len(mean)
        self._patients.update(patients)

    def fit(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Make the table."""
        self.table = self._sample.fit(self.level, self.bins)
        self.facts = {
            "slices": self._slices,
            "patients": len(self._patients),
            "pixels": len(self._sample),
            "bins": list(self.table.quantiles.shape),
            "features": list(FEATURES),
        }
        logger.info(
            "table of half-widths from %(pixels)d pixels of %(slices)d slices of %(patients)d patients", self.facts
        )


def ensemble_maps(
    engine: Any, mask_key: str, patient_key: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, list[str]]:
    """Mean, spread, target, tumour mask and patients of a step.

    Raises:
        KeyError: when the batch lacks mask or patients.
        ValueError: when the output is decollated, or holds no trust maps.
    """
    output, batch = engine.state.output, engine.state.batch
    if isinstance(output, list):
        raise ValueError("the evaluator has decollated its output: set decollate=False to calibrate intervals")
    missing = [key for key in (mask_key, patient_key) if key not in batch]
    if missing:
        raise KeyError(f"a batch must hold {missing} to calibrate intervals")
    maps, target = plain(output[Keys.PRED]), plain(output[Keys.LABEL])
    channels = target.shape[1]
    if maps.shape[1] < 2 * channels or maps.shape[2:] != target.shape[2:]:
        raise ValueError(
            f"the inferer gave {tuple(maps.shape)} for HR images of {tuple(target.shape)}: mean and spread are needed, "
            "take SelfEnsembleInferer, and the scale of the network"
        )
    mask = plain(batch[mask_key]).to(target.device)
    return maps[:, :channels], maps[:, channels : 2 * channels], target, mask > 0, [str(p) for p in batch[patient_key]]
