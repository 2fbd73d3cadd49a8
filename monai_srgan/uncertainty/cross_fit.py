# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Table and factor of intervals from the same few patients, none of whom judges a table that was fitted to them.

Table and factor need different patients: a table covers the pixels that it was fitted to better than others. Halving
two dozen patients would leave too few for either. As in cross-conformal prediction (Vovk, *Cross-conformal
predictors*, Annals of Mathematics and Artificial Intelligence 74, 2015, https://arxiv.org/abs/1208.0806) and
cross-validation conformal risk control (Cohen, Park, Simeone and Shamai, 2024, https://arxiv.org/abs/2401.11974),
the patients are dealt into K folds, the errors of a fold are divided by the widths of a table from the other folds, and
one factor is set on all patients by conformal risk control. Deviation: new images get the table of all patients, not
the K tables. The guarantee then holds as far as the tables agree, as for the jackknife (Barber, Candès, Ramdas and
Tibshirani, *Predictive inference with the jackknife+*, Annals of Statistics 49, 2021), which coverage on test patients
has to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monai_srgan.uncertainty.calibration import PatientCoverage
from monai_srgan.uncertainty.quantiles import QuantileTable
from monai_srgan.uncertainty.record import Calibration
from monai_srgan.uncertainty.samples import SliceSample, fit_samples

__all__ = ["CrossFit", "SliceCoverage", "cross_fit"]

_FEWEST_FOLDS = 2


@dataclass(frozen=True)
class SliceCoverage:
    """Coverage of a slice by a table and a factor that its patient had no part in.

    Args:
        patient: name of the patient.
        measurement: as in :class:`SliceSample`.
        coverage: by region, in [0, 1].
    """

    patient: str
    measurement: str
    coverage: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class CrossFit:
    """Result of :func:`cross_fit`.

    Args:
        table: widths before the factor, fitted to all patients.
        calibration: the factor, and the coverage of each fold by the table of the others.
        slices: coverage of every slice; empty if there are too few patients to hold one out.
    """

    table: QuantileTable
    calibration: Calibration
    slices: tuple[SliceCoverage, ...]


def cross_fit(
    samples: Sequence[SliceSample],
    level: float = 0.9,
    *,
    bins: int = 8,
    folds: int = 8,
    seed: int = 0,
    cap: float | None = None,
) -> CrossFit:
    """Fit a table and set its factor on the same patients, by folds of patients.

    Args:
        samples: slices with pixels, of two or more patients.
        level: coverage to reach, in (0, 1).
        bins: largest number of bins of the table along each feature.
        folds: number of folds, at least 2; as many as patients if there are fewer.
        seed: of the folds.
        cap: see :func:`~monai_srgan.uncertainty.calibration.loss_cap`.

    Raises:
        ValueError: if there are fewer than two patients or folds, see also :class:`PatientCoverage`.
    """
    fold_of = _folds({sample.patient for sample in samples}, folds, seed)
    coverage = PatientCoverage()
    ratios: list[tuple[SliceSample, dict[str, np.ndarray]]] = []
    for fold in sorted(set(fold_of.values())):
        table = fit_samples([s for s in samples if fold_of[s.patient] != fold], level, bins=bins)
        for sample in samples:
            if fold_of[sample.patient] == fold:
                found = {name: p.errors / table.lookup(p.features) for name, p in sample.regions.items()}
                coverage.add(sample.patient, found)
                ratios.append((sample, found))
    factors = coverage.held_out_factors(level, cap) or {}
    return CrossFit(
        table=fit_samples(samples, level, bins=bins),
        calibration=coverage.calibrate(level, cap),
        slices=tuple(
            SliceCoverage(
                sample.patient,
                sample.measurement,
                {name: float((values <= factors[sample.patient]).mean()) for name, values in found.items()},
            )
            for sample, found in ratios
            if sample.patient in factors
        ),
    )


def _folds(patients: set[str], folds: int, seed: int) -> dict[str, int]:
    """Deal the patients into folds of nearly equal size."""
    if folds < _FEWEST_FOLDS:
        raise ValueError(f"folds must be at least {_FEWEST_FOLDS}, got {folds}")
    if len(patients) < _FEWEST_FOLDS:
        raise ValueError(f"samples must be of at least {_FEWEST_FOLDS} patients to cross-fit, got {len(patients)}")
    order = np.random.default_rng(seed).permutation(sorted(patients))
    return {str(patient): i % folds for i, patient in enumerate(order)}
