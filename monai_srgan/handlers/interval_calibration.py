# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrate the factor of the intervals on the slices of one epoch."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite.engine import Events
from torch import nn

from monai_srgan.errors import about
from monai_srgan.files import writable_folder
from monai_srgan.flags import require_flags
from monai_srgan.handlers.interval_fit import IntervalFit
from monai_srgan.metrics import REGIONS, region_masks
from monai_srgan.networks import weights_sha256
from monai_srgan.physics import Measurement
from monai_srgan.uncertainty import Calibration, CalibrationRecord, IntervalTable, PatientCoverage, ensemble_slices
from monai_srgan.uncertainty.calibration import check_cap

__all__ = ["IntervalCalibration"]

logger = logging.getLogger(__name__)


class IntervalCalibration:
    """Calibrate the factor of the intervals and write them to a JSON file.

    :class:`~monai_srgan.uncertainty.PatientCoverage` describes the method. Attach it to an evaluator as described in
    :class:`IntervalFit`, on other patients.

    Args:
        fit: handler of an evaluator that has run before.
        path: the file, see :class:`~monai_srgan.uncertainty.IntervalTable`.
        network: network whose weights the file is for.
        consistent: whether the results are projected onto the measured image.
        cap: where a patient's loss is cut off, in (1 - level, 1]; None for twice ``1 - level``.
        overwrite: whether to replace an existing file.
        measurement: degradation of the images, for the file.
        precision: of the network, such as "fp32", for the file.
        settings: further settings that make the intervals reproducible, for the file: section, fold, seed ...

    Raises:
        ValueError: if ``overwrite`` is not a bool, or ``cap`` is out of range.
    """

    def __init__(
        self,
        fit: IntervalFit,
        path: str | Path,
        network: nn.Module,
        consistent: bool = False,
        cap: float | None = None,
        overwrite: bool = False,
        *,
        measurement: Measurement | None = None,
        precision: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        require_flags(overwrite=overwrite)
        check_cap(fit.level, cap)
        self.fit = fit
        self.path = Path(path)
        self.network = network
        self.consistent = consistent
        self.cap = cap
        self.overwrite = overwrite
        self.measurement = measurement
        self.precision = precision
        self.settings = dict(settings or {})
        self.calibration: Calibration | None = None
        self._coverage: PatientCoverage | None = None

    def prepare(self) -> None:
        """Check, before any computation, that the file can be written.

        Raises:
            FileExistsError: if it exists and ``overwrite`` is False.
            OSError: if its folder cannot be created or written to.
        """
        if self.path.exists() and not self.overwrite:
            message = f"{self.path} exists: choose another path, or set overwrite=True to replace it"
            raise about(FileExistsError(message), "overwrite")
        writable_folder(self.path.parent)

    def attach(self, engine: Any) -> None:
        """Register with the evaluator of the validation slices."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def start(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Discard an earlier run.

        Raises:
            RuntimeError: if the table has not been fitted.
        """
        if self.fit.table is None:
            raise RuntimeError("the table of half-widths is missing: run the evaluator with IntervalFit first")
        self.prepare()
        self._coverage = PatientCoverage(self.fit.table)

    def add(self, engine: Any) -> None:
        """Add the slices of one step."""
        found = ensemble_slices(engine.state.output, engine.state.batch, self.fit.mask_key, self.fit.patient_key)
        masks = region_masks(found.mask, found.target, REGIONS)
        self._started().add(found.patients, found.mean, found.spread, found.target, masks)

    def write(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Calibrate, write the file and log the coverage."""
        level, coverage = self.fit.level, self._started()
        self.calibration = found = coverage.calibrate(level, self.cap)
        intervals = IntervalTable(
            level=level,
            factor=found.factor,
            table=coverage.table,
            weights_sha256=weights_sha256(self.network),
            consistent=self.consistent,
            measurement=self.measurement,
            precision=self.precision,
            record=CalibrationRecord(found, self.fit.summary, tuple(coverage.patients), self.settings),
        )
        intervals.save(self.path)
        logger.info("%s", summary_text(found, level))

    def _started(self) -> PatientCoverage:
        if self._coverage is None:
            raise RuntimeError("the calibration has not started: attach it to an evaluator and run the evaluator")
        return self._coverage


def summary_text(found: Calibration, level: float) -> str:
    """Summarize a calibration as lines for the log.

    Args:
        found: result of :meth:`~monai_srgan.uncertainty.PatientCoverage.calibrate`.
        level: stated coverage.
    """
    lines = [
        f"intervals of {level:.0%}: lambda {found.factor:.3f} from {found.slices} slices of {found.patients} patients, "
        f"{found.capped_patients} of them at the cap of {found.cap:g}. Mean coverage over patients:",
        "region    all patients  held out",
    ]
    for region, covered in found.coverage.items():
        held_out = "not measured" if found.held_out is None else f"{found.held_out[region].mean:.1%}"
        lines.append(f"{region:<8}  {covered.mean:<12.1%}  {held_out}")
    return "\n".join(lines)
