# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Warnings about the validity of a report's figures, derived from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monai_srgan.data.splits import DEALT_EVENLY
from monai_srgan.physics import Measurement, same_measurement
from monai_srgan.report.wording import counted

__all__ = ["DataWarning", "data_warnings", "trust_warnings"]


@dataclass(frozen=True)
class DataWarning:
    """A warning about the evaluated slices: a short title and a sentence."""

    title: str
    text: str


def data_warnings(settings: Mapping[str, Any]) -> list[DataWarning]:
    """Why the scores may say little about new patients.

    Args:
        settings: of the report.
    """
    found = []
    if settings.get("synthetic"):
        found.append(
            DataWarning(
                "Synthetic slices.", "These are phantoms: the figures show that the software works, nothing else."
            )
        )
    if settings.get("section") == "training":
        found.append(
            DataWarning(
                "Training patients.", "The network was trained on these patients, so its scores are optimistic."
            )
        )
    if settings.get("folds") == "official":
        text = "Some patients have scans in several folds, so the network may have been trained on test patients."
        found.append(DataWarning("Official folds.", text))
    if settings.get("folds") == DEALT_EVENLY:
        text = (
            "These folds differ from those of the whole dataset: weights trained on that may have seen these patients."
        )
        found.append(DataWarning("Few patients.", text))
    return found


def trust_warnings(settings: Mapping[str, Any], patients: set[str]) -> list[str]:
    """Reasons why the coverage in a report does not test what the intervals state.

    Args:
        settings: of the report.
        patients: names of the patients in the report.
    """
    calibration = settings.get("calibration")
    if not calibration:
        return []
    found = []
    common = patients & set(calibration.get("patients") or ())
    if common:
        found.append(
            f"{counted(len(common), 'patient')} of this report took part in the calibration, so this coverage is not "
            "an independent test."
        )
    if "cells" not in calibration:  # intervals by measurement hold for many degradations, or are not there
        found += _degradation_warnings(calibration.get("degradation"), settings.get("degradation"))
    precisions = calibration.get("precision"), settings.get("precision")
    if None not in precisions and precisions[0] != precisions[1]:
        found.append("The network ran in {} for the calibration and in {} here.".format(*precisions))
    return found


def _degradation_warnings(calibrated: Any, evaluated: Any) -> list[str]:
    """Compare the records of the two degradations; equal ones need not be rebuilt."""
    if calibrated is not None and same_measurement(calibrated, evaluated):
        return []
    known = _measurement(calibrated)
    if known is None or _measurement(evaluated) is None:
        source = "The interval file" if known is None else "This report"
        return [f"{source} does not record a readable degradation: whether the intervals hold here is not checked."]
    return [f"The intervals were calibrated for another degradation ({known.description}) and are not valid here."]


def _measurement(record: Any) -> Measurement | None:
    """Rebuild a record of the settings; None if it is missing or cannot be rebuilt."""
    try:
        return Measurement.from_dict(record)
    except ValueError:
        return None
