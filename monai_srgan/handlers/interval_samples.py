# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Collect what a calibration of intervals needs, slice by slice."""

from __future__ import annotations

import zlib
from typing import Any

from ignite.engine import Events
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.estimation import review_result
from monai_srgan.inferers import assumed_measurements
from monai_srgan.precision import plain
from monai_srgan.uncertainty import SampleFolder, SliceSample, draw_pixels, ensemble_slices

__all__ = ["IntervalSamples"]


class IntervalSamples:
    """Draw pixels from the results of an evaluator and write them to a :class:`SampleFolder`.

    Attach it to a MONAI ``SupervisedEvaluator`` with ``decollate=False`` whose inferer is a
    :class:`~monai_srgan.inferers.SelfEnsembleInferer` around a :class:`~monai_srgan.inferers.MeasuredInferer`. Batches
    contain ``image`` with the record in its metadata, ``label``, the tumor's ``mask``, the ``patient``, and
    ``measurement`` and ``sample`` of the folder's items.

    Args:
        folder: of the samples.
        pixels: largest number of pixels drawn from each slice inside the tumor, and the same number outside, >= 1.
        mask_key: key of the tumor mask in a batch.
        patient_key: key of the patients in a batch.

    Raises:
        ValueError: if ``pixels`` is below 1; on call, if an image has no record.
    """

    def __init__(
        self, folder: SampleFolder, pixels: int = 2048, mask_key: str = "mask", patient_key: str = "patient"
    ) -> None:
        if pixels < 1:
            raise ValueError(f"pixels must be at least 1, got {pixels}")
        self.folder = folder
        self.pixels = pixels
        self.mask_key = mask_key
        self.patient_key = patient_key

    def attach(self, engine: Any) -> None:
        """Register with the evaluator of the validation slices."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        """Write the samples of one step."""
        batch = engine.state.batch
        found = ensemble_slices(engine.state.output, batch, self.mask_key, self.patient_key)
        records = assumed_measurements(batch[Keys.IMAGE])
        if len(records) != len(found.mean):
            raise ValueError(
                f"the images must have a record each, got {len(records)} for {len(found.mean)}: add AssumeMeasurementd"
            )
        for i, assumed in enumerate(records):
            one = slice(i, i + 1)
            reviewed = review_result(assumed, plain(batch[Keys.IMAGE][one]), found.mean[one])
            name, used = batch["sample"][i], reviewed.declined is None
            images = (found.mean[one], found.spread[one], found.target[one], found.mask[one])
            seed = zlib.crc32(name.encode())
            sample = SliceSample(
                patient=found.patients[i],
                measurement=batch["measurement"][i],
                condition=assumed.condition if used else None,
                regions=draw_pixels(*images, pixels=self.pixels, seed=seed) if used else {},
            )
            self.folder.add(name, sample)
