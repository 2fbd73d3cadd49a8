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

from ignite.engine import Events
from torch import nn

from monai_srgan.files import writable_folder
from monai_srgan.flags import require_flags
from monai_srgan.handlers.interval_fit import IntervalFit, ensemble_maps
from monai_srgan.metrics import REGIONS, region_masks
from monai_srgan.networks import weights_sha256
from monai_srgan.uncertainty import Calibration, IntervalTable, PatientCoverage
from monai_srgan.uncertainty.calibration import loss_cap

__all__ = ["IntervalCalibration"]

logger = logging.getLogger(__name__)


class IntervalCalibration:
    """Set the factor of the intervals and write them to a JSON file.

    See :class:`~monai_srgan.uncertainty.PatientCoverage` for how it is set.

    Args:
        fit: handler of an evaluator that has run before on other patients.
        path: the file, see :class:`~monai_srgan.uncertainty.IntervalTable`.
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
        mean, spread, target, mask, patients = ensemble_maps(engine, self.shape.mask_key, self.shape.patient_key)
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
        found: result of :meth:`~monai_srgan.uncertainty.PatientCoverage.calibrate`.
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
