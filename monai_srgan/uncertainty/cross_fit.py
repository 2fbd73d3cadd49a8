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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monai_srgan.uncertainty.calibration import PatientCoverage
from monai_srgan.uncertainty.quantiles import QuantileTable
from monai_srgan.uncertainty.record import Calibration
from monai_srgan.uncertainty.record_scale import RecordScale, fit_record_scale
from monai_srgan.uncertainty.samples import SliceSample, fit_samples

__all__ = ["CrossFit", "FoldedScale", "SliceCoverage", "cross_fit", "deal_patients"]

_FEWEST_FOLDS = 2


@dataclass(frozen=True)
class FoldedScale:
    """Scales by record: one of all patients, and for each fold one of the others.

    Args:
        overall: of all patients.
        without: fold to the scale of the other folds.
    """

    overall: RecordScale
    without: Mapping[int, RecordScale]

    @classmethod
    def fit(cls, samples: Sequence[SliceSample], fold_of: Mapping[str, int], level: float = 0.9) -> FoldedScale:
        """Fit all of them.

        Args:
            samples: slices with pixels and a record.
            fold_of: patient to fold, see :func:`deal_patients`.
            level: of the quantiles, in (0, 1).

        Raises:
            ValueError: see :func:`fit_record_scale`.
        """
        folds = sorted(set(fold_of.values()))
        without = {fold: fit_record_scale([s for s in samples if fold_of[s.patient] != fold], level) for fold in folds}
        return cls(fit_record_scale(samples, level), without)


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
    fold_of: Mapping[str, int] | None = None,
    scales: FoldedScale | None = None,
    bins: int = 8,
    cap: float | None = None,
) -> CrossFit:
    """Fit a table and set its factor on the same patients, by folds of patients.

    Args:
        samples: slices with pixels.
        level: coverage to reach, in (0, 1).
        fold_of: patient to fold; None for :func:`deal_patients`.
        scales: factors by record, by which the errors are divided first; None for none.
        bins: largest number of bins of the table along each feature.
        cap: see :func:`~monai_srgan.uncertainty.calibration.loss_cap`.

    Raises:
        ValueError: if the patients are not of two or more folds, see also :class:`PatientCoverage`.
    """
    fold_of = deal_patients(sample.patient for sample in samples) if fold_of is None else fold_of
    folds = sorted({fold_of[sample.patient] for sample in samples})
    if len(folds) < _FEWEST_FOLDS:
        raise ValueError(f"samples must be of patients of at least {_FEWEST_FOLDS} folds to cross-fit: add patients")
    coverage = PatientCoverage()
    ratios: list[tuple[SliceSample, dict[str, np.ndarray]]] = []
    for fold in folds:
        scaled = _scaled(samples, None if scales is None else scales.without[fold])
        table = fit_samples([s for s in scaled if fold_of[s.patient] != fold], level, bins=bins)
        for sample in scaled:
            if fold_of[sample.patient] == fold:
                found = {name: p.errors / table.lookup(p.features) for name, p in sample.regions.items()}
                coverage.add(sample.patient, found)
                ratios.append((sample, found))
    factors = coverage.held_out_factors(level, cap) or {}
    return CrossFit(
        table=fit_samples(_scaled(samples, None if scales is None else scales.overall), level, bins=bins),
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


def deal_patients(patients: Iterable[str], folds: int = 8, seed: int = 0) -> dict[str, int]:
    """Deal patients into folds of nearly equal size.

    Args:
        patients: names; each counts once.
        folds: number of folds, at least 2; with fewer patients, each has a fold of its own.
        seed: of the order.

    Raises:
        ValueError: if there are fewer than two folds.
    """
    if folds < _FEWEST_FOLDS:
        raise ValueError(f"folds must be at least {_FEWEST_FOLDS}, got {folds}")
    names = sorted(set(patients))
    order = np.random.default_rng(seed).permutation(len(names))
    return {names[place]: i % folds for i, place in enumerate(order)}


def _scaled(samples: Sequence[SliceSample], scale: RecordScale | None) -> list[SliceSample]:
    if scale is None:
        return list(samples)
    return [s if s.condition is None else s.scaled(scale(s.condition)) for s in samples]
