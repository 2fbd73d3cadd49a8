# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""From slices of validation patients to the factor of the intervals, and what it covers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from monai_srgan.uncertainty.conformal import conformal_risk_control, patients_needed
from monai_srgan.uncertainty.quantiles import QuantileTable

__all__ = ["Calibration", "PatientCoverage", "loss_cap"]

_FACTORS = np.exp(np.arange(math.log(1e-2), math.log(1e2), 1e-3))  # steps of 0.1 %: less than 0.03 % of coverage
_BALANCED = ("inside", "outside")


class Calibration(NamedTuple):
    """What :meth:`PatientCoverage.calibrate` found.

    ``coverage`` and ``held_out`` are ``{region: {"mean", "sd", "patients"}}`` over patients, the first with the factor
    of all patients, on which it is thus no test, the second for each patient with the factor of the others (None where
    the others are too few).
    """

    factor: float
    patients: int
    slices: int
    cap: float
    capped_patients: int
    coverage: dict[str, dict[str, Any]]
    held_out: dict[str, dict[str, Any]] | None


class PatientCoverage:
    """How much of each patient's slices the intervals cover, for any factor on their width.

    The unit is the patient: slices of one head resemble each other, only patients are exchangeable. A patient's
    coverage of a region is the mean over the slices that have it; the patient's loss is the mean of what is missed
    inside and outside the tumour, so that the two count alike though a tumour is a fiftieth of a slice. Their larger
    one would bound both, but for two noisy numbers it is well above either, and the intervals would cover more than
    they state: that the two are near each other is the work of the table, and ``coverage`` shows whether it succeeds.

    The loss is cut off at ``cap``, see
    :mod:`monai_srgan.uncertainty.conformal`; ``capped_patients`` tells how many reach
    it, and where none does the loss that is bounded is the miscoverage itself.

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
        """Count on a batch of slices.

        Args:
            patients: whose slices they are, one name each.
            mean: mean of the self-ensemble, ``(B, C, H, W)``.
            spread: its spread, of the same shape.
            target: HR images of the same shape.
            masks: region to mask ``(B, 1, H, W)`` bool, with "inside" and "outside" among them.

        Raises:
            ValueError: when there is another number of patients than of slices, or a region is missing.
        """
        if len(patients) != len(mean):
            raise ValueError(f"patients must name one patient for each of {len(mean)} slices, got {len(patients)}")
        missing = [name for name in _BALANCED if name not in masks]
        if missing:
            raise ValueError(f"masks must hold {_BALANCED}, the loss is made of both: {missing} are missing")
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
        """Names of the patients counted on."""
        return sorted(self._slices)

    def calibrate(self, level: float = 0.9, cap: float | None = None) -> Calibration:
        """Set the factor by conformal risk control.

        Args:
            level: coverage to reach in the mean over patients and over inside and outside, in (0, 1).
            cap: see :func:`loss_cap`.

        Raises:
            ValueError: when an argument is out of range, or see
                :func:`~monai_srgan.uncertainty.conformal.conformal_risk_control`.
        """
        cap = loss_cap(level, cap)
        if not self._slices:
            raise ValueError("there are no slices to calibrate on: add some first")
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
    ) -> dict[str, dict[str, Any]] | None:
        if len(curves) <= patients_needed(1 - level, cap):
            return None
        try:
            factors = [
                conformal_risk_control(np.delete(losses, i, axis=0), _FACTORS, 1 - level, cap)
                for i in range(len(curves))
            ]
        except ValueError:
            return None  # one patient fewer is too few where the intervals are as wide as they can be
        return _summary(curves, [int(place) for place in np.searchsorted(_FACTORS, factors)])


def loss_cap(level: float, cap: float | None = None) -> float:
    """Where a patient's loss is cut off.

    Args:
        level: coverage to reach, in (0, 1).
        cap: in (1 - ``level``, 1]; None is twice the tolerated loss, at most 1: 0.2 for a level of 0.9.

    Raises:
        ValueError: when an argument is out of range.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    cap = min(1.0, 2 * (1 - level)) if cap is None else cap
    if not 1 - level < cap <= 1:
        raise ValueError(f"cap must lie in (1 - level, 1] = ({1 - level:g}, 1], got {cap}")
    return cap


def _mean_curves(slices: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """A patient's coverage of each region that at least one slice has."""
    names = dict.fromkeys(name for curves in slices for name in curves)
    return {name: np.mean([curves[name] for curves in slices if name in curves], axis=0) for name in names}


def _loss(patient: Mapping[str, np.ndarray], cap: float) -> np.ndarray:
    missed = [1.0 - patient[name] for name in _BALANCED if name in patient]
    return np.clip(np.mean(missed, axis=0), 0.0, cap)


def _summary(curves: Sequence[Mapping[str, np.ndarray]], places: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Mean and standard deviation over patients of the coverage at one place of each patient's curves."""
    found = {}
    for name in dict.fromkeys(name for patient in curves for name in patient):
        values = [float(p[name][place]) for p, place in zip(curves, places, strict=True) if name in p]
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
        found[name] = {"mean": float(np.mean(values)), "sd": sd, "patients": len(values)}
    return found
