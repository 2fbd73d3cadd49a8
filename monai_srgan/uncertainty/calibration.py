# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Set the factor of the intervals from slices of validation patients, and measure its coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from monai_srgan.uncertainty.conformal import conformal_risk_control, patients_needed
from monai_srgan.uncertainty.record import Calibration, CoverageSummary

__all__ = ["PatientCoverage", "check_cap", "loss_cap"]

_FACTORS = np.exp(np.arange(math.log(1e-2), math.log(1e2), 1e-3))  # steps of 0.1 %: less than 0.03 % of coverage
_BALANCED = ("inside", "outside")


class PatientCoverage:
    """Coverage of each patient's slices by the intervals, for any factor on their width.

    The unit is the patient: slices of one head resemble each other, only patients are exchangeable. A patient's
    coverage of a region is the mean over the slices that contain it. A patient's loss is the mean of the miscoverage
    inside and outside the tumor, so that both have the same weight although a tumor is a fiftieth of a slice. The
    larger of the two would bound both, but the maximum of two noisy numbers is well above either, and the intervals
    would cover more than they state. The table is what brings the two close to each other; ``coverage`` shows whether
    it succeeds.

    The loss is cut off at ``cap``, see :mod:`monai_srgan.uncertainty.conformal`. ``capped_patients`` counts the
    patients who reach the cap; if there are none, the bounded loss is the miscoverage itself.
    """

    def __init__(self) -> None:
        self._slices: dict[str, list[dict[str, np.ndarray]]] = {}

    def add(self, patient: str, ratios: Mapping[str, np.ndarray]) -> None:
        """Add a slice.

        Args:
            patient: name of the patient.
            ratios: region to ``(N,)`` absolute errors of its pixels, divided by their widths before the factor; regions
                without pixels are left out or empty.

        Raises:
            ValueError: if neither "inside" nor "outside" has pixels.
        """
        curves = {}
        for name, values in ratios.items():
            if np.size(values):
                places = np.searchsorted(_FACTORS, values)  # the first factor that covers the pixel
                counts = np.bincount(places, minlength=len(_FACTORS) + 1)[:-1]
                curves[name] = np.cumsum(counts) / np.size(values)
        if not any(name in curves for name in _BALANCED):
            raise ValueError(f"ratios must have pixels of {' or '.join(_BALANCED)}, which the loss is computed from")
        self._slices.setdefault(str(patient), []).append(curves)

    @property
    def patients(self) -> list[str]:
        """Names of the patients added so far, sorted."""
        return sorted(self._slices)

    def calibrate(self, level: float = 0.9, cap: float | None = None) -> Calibration:
        """Set the factor by conformal risk control.

        Args:
            level: mean coverage over patients, and over inside and outside, to reach; in (0, 1).
            cap: see :func:`loss_cap`.

        Raises:
            ValueError: if an argument is out of range, or see
                :func:`~monai_srgan.uncertainty.conformal.conformal_risk_control`.
        """
        cap = loss_cap(level, cap)
        if not self._slices:
            raise ValueError("there are no slices to calibrate on: call add first")
        curves = {patient: _mean_curves(slices) for patient, slices in self._slices.items()}
        losses = np.stack([_loss(of_patient, cap) for of_patient in curves.values()])
        factor = conformal_risk_control(losses, _FACTORS, 1 - level, cap)
        place = int(np.searchsorted(_FACTORS, factor))
        others = self.held_out_factors(level, cap)
        return Calibration(
            factor=factor,
            patients=len(curves),
            slices=sum(map(len, self._slices.values())),
            cap=cap,
            capped_patients=int((losses[:, place] >= cap).sum()),
            coverage=_summary(curves, dict.fromkeys(curves, factor)),
            held_out=None if others is None else _summary(curves, others),
        )

    def held_out_factors(self, level: float = 0.9, cap: float | None = None) -> dict[str, float] | None:
        """For each patient, the factor that the others give; None if they are too few.

        Args:
            level: see :meth:`calibrate`.
            cap: see :func:`loss_cap`.
        """
        cap = loss_cap(level, cap)
        losses = np.stack([_loss(_mean_curves(slices), cap) for slices in self._slices.values()])
        if len(losses) <= patients_needed(1 - level, cap):
            return None
        try:
            return {
                patient: conformal_risk_control(np.delete(losses, i, axis=0), _FACTORS, 1 - level, cap)
                for i, patient in enumerate(self._slices)
            }
        except ValueError:
            return None  # with one patient fewer no factor is large enough


def loss_cap(level: float, cap: float | None = None) -> float:
    """Value at which a patient's loss is cut off.

    Args:
        level: coverage to reach, in (0, 1).
        cap: in (1 - ``level``, 1]; None for twice the tolerated loss, at most 1: 0.2 for a level of 0.9.

    Raises:
        ValueError: if an argument is out of range.
    """
    check_cap(level, cap)
    return min(1.0, 2 * (1 - level)) if cap is None else cap


def check_cap(level: float, cap: float | None = None) -> None:
    """Check the arguments of :func:`loss_cap`.

    Raises:
        ValueError: if an argument is out of range.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    if cap is not None and not 1 - level < cap <= 1:
        raise ValueError(f"cap must lie in (1 - level, 1] = ({1 - level:g}, 1], got {cap}")


def _mean_curves(slices: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """A patient's coverage of each region that at least one slice contains."""
    names = dict.fromkeys(name for curves in slices for name in curves)
    return {name: np.mean([curves[name] for curves in slices if name in curves], axis=0) for name in names}


def _loss(patient: Mapping[str, np.ndarray], cap: float) -> np.ndarray:
    missed = [1.0 - patient[name] for name in _BALANCED if name in patient]
    return np.clip(np.mean(missed, axis=0), 0.0, cap)


def _summary(
    curves: Mapping[str, Mapping[str, np.ndarray]], factors: Mapping[str, float]
) -> dict[str, CoverageSummary]:
    """Mean and standard deviation over patients of the coverage with each patient's factor."""
    found = {}
    for name in dict.fromkeys(name for of_patient in curves.values() for name in of_patient):
        values = [c[name][np.searchsorted(_FACTORS, factors[p])] for p, c in curves.items() if name in c]
        found[name] = CoverageSummary.of(values)
    return found
