# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The slices of an evaluation step, as a calibration uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.precision import plain
from monai_srgan.uncertainty.trust_maps import TrustMaps

__all__ = ["EnsembleSlices", "ensemble_slices"]


@dataclass(frozen=True, eq=False)
class EnsembleSlices:
    """A batch of slices with the maps of a self-ensemble.

    Args:
        mean: mean of the self-ensemble, ``(B, C, H, W)``.
        spread: its spread, of the same shape.
        target: HR images of the same shape.
        mask: tumor ``(B, 1, H, W)``, bool.
        patients: name of the patient of each slice.
    """

    mean: torch.Tensor
    spread: torch.Tensor
    target: torch.Tensor
    mask: torch.Tensor
    patients: tuple[str, ...]


def ensemble_slices(output: Any, batch: Mapping[str, Any], mask_key: str, patient_key: str) -> EnsembleSlices:
    """Collect mean, spread, target, tumor mask and patients of an evaluation step.

    Args:
        output: of a ``SupervisedEvaluator`` whose inferer is a :class:`~monai_srgan.inferers.SelfEnsembleInferer`.
        batch: of the step.
        mask_key: key of the tumor mask in the batch.
        patient_key: key of the patients in the batch.

    Raises:
        KeyError: if the batch lacks mask or patients.
        ValueError: if the output is decollated or has no trust maps.
    """
    if isinstance(output, list):
        raise ValueError("the evaluator has decollated its output: set decollate=False to calibrate intervals")
    missing = [key for key in (mask_key, patient_key) if key not in batch]
    if missing:
        raise KeyError(f"the batch lacks {missing}, which the calibration needs: add these keys to the data")
    pred, target = plain(output[Keys.PRED]), plain(output[Keys.LABEL])
    if pred.shape[2:] != target.shape[2:]:
        raise ValueError(
            f"the inferer returned {tuple(pred.shape)} for HR images of {tuple(target.shape)}: degrade the images by "
            "the scale of the network"
        )
    maps = TrustMaps.split(pred, target.shape[1])
    return EnsembleSlices(
        mean=maps.mean,
        spread=maps.spread,
        target=target,
        mask=plain(batch[mask_key]).to(target.device) > 0,
        patients=tuple(str(patient) for patient in batch[patient_key]),
    )
