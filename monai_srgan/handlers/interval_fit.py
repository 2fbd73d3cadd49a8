# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Fit the table of the intervals on the slices of one epoch."""

from __future__ import annotations

import logging
from typing import Any

from ignite.engine import Events

from monai_srgan.uncertainty import PixelSample, QuantileTable, TableFit, ensemble_slices

__all__ = ["IntervalFit"]

logger = logging.getLogger(__name__)


class IntervalFit:
    """Fit the table of the intervals on the slices of one epoch, see :class:`~monai_srgan.uncertainty.PixelSample`.

    Attach it to a MONAI ``SupervisedEvaluator`` with ``decollate=False`` whose inferer is a
    :class:`~monai_srgan.inferers.SelfEnsembleInferer`. Batches contain ``label``, the tumor's ``mask`` and the
    ``patient``.

    Args:
        level: coverage of the intervals, in (0, 1).
        bins: number of bins of the table along each feature.
        pixels: largest number of pixels drawn from each slice inside the tumor, and the same number outside.
        seed: of the draws.
        mask_key: key of the tumor mask in a batch.
        patient_key: key of the patients in a batch.

    Raises:
        ValueError: if ``level``, ``bins`` or ``pixels`` is out of range.
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
        self.summary: TableFit | None = None
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
        found = ensemble_slices(engine.state.output, engine.state.batch, self.mask_key, self.patient_key)
        self._sample.add(found.mean, found.spread, found.target, found.mask)
        self._slices += len(found.mean)
        self._patients.update(found.patients)

    def fit(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Fit the table."""
        self.table = self._sample.fit(self.level, self.bins)
        self.summary = TableFit(self._slices, len(self._patients), len(self._sample), self.table.quantiles.shape)
        logger.info(
            "fitted the half-widths to %d pixels from %d slices of %d patients",
            self.summary.pixels,
            self.summary.slices,
            self.summary.patients,
        )
