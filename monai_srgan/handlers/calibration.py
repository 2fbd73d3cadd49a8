# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrate intervals while evaluators run: first the table on training slices, then the factor on validation slices.

Both handlers take a MONAI ``SupervisedEvaluator`` with ``decollate=False`` whose inferer is a
:class:`~monai_srgan.inferers.SelfEnsembleInferer`, and whose batches hold ``label``, the tumour's ``mask`` and the
``patient``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Events
from monai.utils.enums import CommonKeys as Keys
from torch import nn

from monai_srgan.flags import require_flags
from monai_srgan.handlers.output_folder import writable_folder
from monai_srgan.metrics import REGIONS, region_masks
from monai_srgan.precision import plain
from monai_srgan.trust import (
    FEATURES,
    Calibration,
    IntervalTable,
    PatientCoverage,
    PixelSample,
    QuantileTable,
    weights_sha256,
)
from monai_srgan.trust.calibration import loss_cap

__all__ = ["IntervalCalibration", "IntervalFit"]

logger = logging.getLogger(__name__)


class IntervalFit:
    """Fit the shape of the intervals, see :class:`~monai_srgan.trust.PixelSample`, on the slices of one epoch.

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
        mean, spread, target, mask, patients = _maps(engine, self.mask_key, self.patient_key)
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


class IntervalCalibration:
    """Set the factor of the intervals, see :class:`~monai_srgan.trust.PatientCoverage`, and write them to a JSON file.

    Args:
        fit: handler of an evaluator that has run before on other patients.
        path: the file, see :class:`~monai_srgan.trust.IntervalTable`.
        network: whose weights the file is for.
        consistent: whether the results are projected onto what was measured.
        cap: where a patient's loss is cut off, in (1 - level, 1]; None is twice ``1 - level``.
        overwrite: whether an existing file may be replaced.
        settings: whatever makes the intervals reproducible, for the file: degradation, section, fold, seed ...

    Raises:
        ValueError: when ``overwrite`` is no truth value, or ``cap`` is out of range.
    """

    def __init__(
        self,
        fit: IntervalFit,
        path: str | Path,
        network: nn.Module,
        consistent: bool = False,
        cap: float | None = None,
        overwrite: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        require_flags(overwrite=overwrite)
        loss_cap(fit.level, cap)  # before any computing
        self.shape = fit
        self.path = Path(path)
        self.network = network
        self.consistent = consistent
        self.cap = cap
        self.overwrite = overwrite
        self.settings = dict(settings or {})
        self.calibration: Calibration | None = None
        self._coverage: PatientCoverage | None = None

    def prepare(self) -> None:
        """See before any computing that the file can be written.

        Raises:
            FileExistsError: it exists, and ``overwrite`` is False.
            OSError: its folder cannot be made or written to.
        """
        if self.path.exists() and not self.overwrite:
            raise FileExistsError(f"{self.path} exists: choose another file, or pass --overwrite True to replace it")
        writable_folder(self.path.parent)

    def attach(self, engine: Any) -> None:
        """Register with the evaluator of the validation slices."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def start(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Forget an earlier run.

        Raises:
            RuntimeError: when the table has not been fitted yet.
        """
        if self.shape.table is None:
            raise RuntimeError("the table of half-widths is missing: run the evaluator with IntervalFit first")
        self.prepare()
        self._coverage = PatientCoverage(self.shape.table)

    def add(self, engine: Any) -> None:
        """Count on the slices of one step."""
        mean, spread, target, mask, patients = _maps(engine, self.shape.mask_key, self.shape.patient_key)
        self._started().add(patients, mean, spread, target, region_masks(mask, target, REGIONS))

    def write(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Calibrate, write the file and log what was found."""
        level, coverage = self.shape.level, self._started()
        self.calibration = found = coverage.calibrate(level, self.cap)
        intervals = IntervalTable(
            level=level,
            factor=found.factor,
            table=coverage.table,
            weights_sha256=weights_sha256(self.network),
            consistent=self.consistent,
            record={
                "calibration": found._asdict(),
                "fit": self.shape.facts,
                "settings": self.settings,
                "patients": coverage.patients,
            },
        )
        intervals.save(self.path)
        logger.info("%s", summary_text(found, level))

    def _started(self) -> PatientCoverage:
        if self._coverage is None:
            raise RuntimeError("the calibration has not started: attach it to an evaluator and run that")
        return self._coverage


def summary_text(found: Calibration, level: float) -> str:
    """What a calibration found, as lines for the log.

    Args:
        found: result of :meth:`~monai_srgan.trust.PatientCoverage.calibrate`.
        level: stated coverage.
    """
    lines = [
        f"intervals of {level:.0%}: lambda {found.factor:.3f} from {found.slices} slices of {found.patients} patients, "
        f"{found.capped_patients} of them at the cap of {found.cap:g}. Mean coverage over patients:",
        "region    all patients  each by the others",
    ]
    for region, values in found.coverage.items():
        held_out = "not measured" if found.held_out is None else f"{found.held_out[region]['mean']:.1%}"
        lines.append(f"{region:<8}  {values['mean']:<12.1%}  {held_out}")
    return "\n".join(lines)


def _maps(
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
