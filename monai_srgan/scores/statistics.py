# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Statistics of scores: means over slices, their uncertainty and comparison over patients.

Slices of one patient resemble each other, so they are not an independent sample. Means are over slices, as in the
literature; statements about *other patients* (interval, p-value) take the patient as the unit:

- interval: cluster bootstrap (Davison & Hinkley 1997, *Bootstrap Methods and their Application*, section 3.8). Patients
  are drawn with replacement, each with all of its slices; percentiles of the mean over the drawn slices are the
  interval's ends, slightly wider than the level to correct for few patients (Hesterberg 2015,
  https://doi.org/10.1080/00031305.2015.1089789, section 5.3);
- p-value: Wilcoxon's signed-rank test (https://doi.org/10.2307/3001968) of the patients' mean differences.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from monai_srgan.metrics import FiniteMean

__all__ = [
    "PatientStatistics",
    "SliceStatistics",
    "bootstrap_interval",
    "paired_wilcoxon",
    "patient_statistics",
    "summarize",
]

# of 5 patients the smallest two-sided p is 2 / 2**5 = 0.0625, and an interval is hardly more than the range
_FEWEST_PATIENTS = 6


@dataclass(frozen=True)
class SliceStatistics:
    """Statistics of one score over slices.

    Attributes:
        mean: mean of the finite values; None where n is 0.
        sd: standard deviation of this sample; None where n is below 2.
        n: number of finite values.
        infinite: number of infinite values: the PSNR of identical images, see
            :class:`monai_srgan.metrics.FiniteMean`.
    """

    mean: float | None
    sd: float | None
    n: int
    infinite: int = 0


@dataclass(frozen=True)
class PatientStatistics:
    """Statistics over patients of each patient's mean over slices.

    Attributes:
        mean: None where patients are unknown or nothing was measured.
        sd: of the sample; None where there are fewer than two patients.
    """

    mean: float | None = None
    sd: float | None = None


def summarize(values: Iterable[float]) -> SliceStatistics:
    """Mean and standard deviation over slices of the finite values.

    Args:
        values: one per slice; NaN was not measured, an infinite PSNR belongs to an identical image.
    """
    values = list(values)
    found = FiniteMean.of(values)
    if not found.count:
        return SliceStatistics(None, None, 0, found.infinite)
    mean, n = found.mean, found.count
    squares = math.fsum((v - mean) ** 2 for v in values if math.isfinite(v))
    return SliceStatistics(mean, math.sqrt(squares / (n - 1)) if n > 1 else None, n, found.infinite)


def bootstrap_interval(
    values: Sequence[float],
    patients: Sequence[str],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Bootstrap interval of the mean over slices, with patients as the resampled unit.

    Each resample draws as many patients as there are, with replacement, and averages all slices of those drawn. The
    bootstrap's spread is too small by ``sqrt((n - 1) / n)`` for n patients, and its percentiles are those of a normal
    distribution; wider percentiles correct for both, as Student's t does (the expanded percentile interval). In
    simulated studies, expanded 95 % intervals contained the true mean in 92 % of cases with 6 and with 10 patients, and
    in 95 % with 24; plain percentiles did in 90 % with 10 and 91 % with 24.

    Args:
        values: one per slice; those that are not finite are left out, as in :func:`summarize`.
        patients: the slices' patients, in the same order.
        level: of the interval, between 0 and 1.
        resamples: number of draws.
        seed: of the draws, which depend only on the seed and the number of patients: the order of the slices does
            not matter, and scores of the same patients share their draws.

    Returns:
        ``(low, high)`` in units of the values; None where fewer than 6 patients were measured or one is unknown (""),
        which is too little to estimate the spread between patients.

    Raises:
        ValueError: if the lengths differ, ``level`` is not between 0 and 1, or ``resamples`` is below 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}: 0.95 for a 95 % interval")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}: 2000 is enough for a 95 % interval")
    by_patient = _by_patient(values, patients)
    if by_patient is None or len(by_patient.sums) < _FEWEST_PATIENTS:
        return None
    n = len(by_patient.sums)
    tail = stats.norm.cdf(-math.sqrt(n / (n - 1)) * stats.t.ppf((1 + level) / 2, n - 1))
    drawn = _draws(n, resamples, seed)
    low, high = np.quantile((drawn @ by_patient.sums) / (drawn @ by_patient.counts), (tail, 1 - tail))
    return float(low), float(high)


def paired_wilcoxon(values: Sequence[float], reference: Sequence[float], patients: Sequence[str]) -> float | None:
    """Two-sided p-value of Wilcoxon's signed-rank test that a method differs from the reference.

    The sample is the patients' mean differences, since slices are not independent. Differences of exactly 0 are left
    out, as in Wilcoxon's paper. The value is not adjusted for the number of comparisons.

    Args:
        values: the method's, one per slice.
        reference: the reference's, of the same slices. Pairs in which either value is not finite are left out.
        patients: the slices' patients, in the same order.

    Returns:
        the p-value; None where fewer than 6 patients differ from 0 (no result could be below 0.05) or a patient is
        unknown ("").

    Raises:
        ValueError: if the lengths differ.
    """
    if len(values) != len(reference):
        raise ValueError(f"values and reference must be of the same slices, got {len(values)} and {len(reference)}")
    with np.errstate(invalid="ignore"):  # inf - inf is NaN and left out
        by_patient = _by_patient(np.subtract(values, reference), patients)
    if by_patient is None:
        return None
    differences = (by_patient.sums / by_patient.counts)[by_patient.sums != 0]
    if len(differences) < _FEWEST_PATIENTS:
        return None
    return float(stats.wilcoxon(differences).pvalue)


def patient_statistics(values: Sequence[float], patients: Sequence[str]) -> PatientStatistics:
    """Mean and standard deviation over patients of each patient's mean over slices.

    Calibrated intervals state a mean over patients, some of whom may have many slices.

    Args:
        values: one per slice; those that are not finite are left out.
        patients: patient of each value.

    Raises:
        ValueError: if the lengths differ.
    """
    found = _by_patient(values, patients)
    if found is None or not len(found.sums):
        return PatientStatistics()
    means = found.sums / found.counts
    return PatientStatistics(float(means.mean()), float(means.std(ddof=1)) if len(means) > 1 else None)


@dataclass(frozen=True)
class _ByPatient:
    """Sum and number of the finite values of each patient, ``(patients,)`` each, patients sorted."""

    sums: np.ndarray
    counts: np.ndarray


def _by_patient(values: Sequence[float] | np.ndarray, patients: Sequence[str]) -> _ByPatient | None:
    """Group the finite values by patient; None where a patient is unknown."""
    if len(values) != len(patients):
        raise ValueError(f"patients must name the patient of every value, got {len(patients)} for {len(values)}")
    finite = np.asarray(values, dtype=np.float64)
    measured = np.isfinite(finite)
    names, index = np.unique(np.asarray(patients, dtype=np.str_)[measured], return_inverse=True)
    if "" in names:
        return None
    return _ByPatient(
        sums=np.bincount(index, weights=finite[measured], minlength=len(names)),
        counts=np.bincount(index, minlength=len(names)),
    )


@functools.lru_cache(maxsize=16)
def _draws(patients: int, resamples: int, seed: int) -> np.ndarray:
    """How often each patient is drawn, ``(resamples, patients)`` float64."""
    drawn = np.random.default_rng(seed).integers(patients, size=(resamples, patients))
    flat = (drawn + patients * np.arange(resamples)[:, None]).ravel()
    return np.bincount(flat, minlength=resamples * patients).reshape(resamples, patients).astype(np.float64)
