# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Set the factor of the intervals from slices of validation patients, and measure its coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from monai_srgan.uncertainty.conformal import conformal_risk_control, patients_needed
from monai_srgan.uncertainty.quantiles import QuantileTable
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

    Args:
        table: widths before the factor.
    """

    def __init__(self, table: QuantileTable) -> None:
        self.table = table
        self._slices: dict[str, list[dict[str, np.ndarray]]] = {}

    def add(
        self,
        patients: Sequence[str],
        mean: torch.Tensor,
        spread: torch.Tensor,
        target: torch.Tensor,
        masks: Mapping[str, torch.Tensor],
    ) -> None:
        """Add a batch of slices.

        Args:
            patients: name of the patient of each slice.
            mean: mean of the self-ensemble, ``(B, C, H, W)``.
            spread: its spread, of the same shape.
            target: HR images of the same shape.
            masks: region to mask ``(B, 1, H, W)`` bool, including "inside" and "outside".

        Raises:
            ValueError: if the numbers of patients and slices differ, or a region is missing.
        """
        if len(patients) != len(mean):
            raise ValueError(f"patients must have one name for each of {len(mean)} slices, got {len(patients)}")
        missing = [name for name in _BALANCED if name not in masks]
        if missing:
            raise ValueError(f"masks must contain {_BALANCED}, which the loss is computed from: {missing} are missing")
        ratios = ((mean.float() - target.float()).abs() / self.table(mean, spread)).cpu().numpy()
        for i, patient in enumerate(patients):
            places = np.searchsorted(_FACTORS, ratios[i])  # the first factor that covers the pixel
            curves = {}
            for name, mask in masks.items():
                covered = places[mask[i].bool().expand(mean.shape[1:]).cpu().numpy()]
                if covered.size:
                    counts = np.bincount(covered, minlength=len(_FACTORS) + 1)[:-1]
                    curves[name] = np.cumsum(counts) / covered.size
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
        curves = [_mean_curves(slices) for slices in self._slices.values()]
        losses = np.stack([_loss(patient, cap) for patient in curves])
        factor = conformal_risk_control(losses, _FACTORS, 1 - level, cap)
        place = int(np.searchsorted(_FACTORS, factor))
        return Calibration(
            factor=factor,
            patients=len(curves),
            slices=sum(map(len, self._slices.values())),
            cap=cap,
            capped_patients=int((losses[:, place] >= cap).sum()),
            coverage=_summary(curves, [place] * len(curves)),
            held_out=self._held_out(curves, losses, level, cap),
        )

    @staticmethod
    def _held_out(
        curves: list[dict[str, np.ndarray]], losses: np.ndarray, level: float, cap: float
    ) -> dict[str, CoverageSummary] | None:
        if len(curves) <= patients_needed(1 - level, cap):
            return None
        try:
            factors = [
                conformal_risk_control(np.delete(losses, i, axis=0), _FACTORS, 1 - level, cap)
                for i in range(len(curves))
            ]
        except ValueError:
            return None  # with one patient fewer no factor is large enough
        return _summary(curves, [int(place) for place in np.searchsorted(_FACTORS, factors)])


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


def _summary(curves: Sequence[Mapping[str, np.ndarray]], places: Sequence[int]) -> dict[str, CoverageSummary]:
    """Mean and standard deviation over patients of the coverage at one place of each patient's curves."""
    found = {}
    for name in dict.fromkeys(name for patient in curves for name in patient):
        values = [float(p[name][place]) for p, place in zip(curves, places, strict=True) if name in p]
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
        found[name] = CoverageSummary(float(np.mean(values)), sd, len(values))
    return found
