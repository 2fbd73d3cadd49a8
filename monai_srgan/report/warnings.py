# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Warnings about the validity of a report's figures, derived from its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monai_srgan.data.splits import DEALT_EVENLY
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
    if settings.get("made_up"):
        found.append(
            DataWarning(
                "Synthetic slices.", "These are phantoms: the figures show that the software works, nothing else."
            )
        )
    if settings.get("section") == "training":
        found.append(
            DataWarning("Training patients.", "The network was trained on these patients, so its scores are too good.")
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
    """Why the coverage of the intervals is no test of what they state.

    Args:
        settings: of the report.
        patients: whose slices were evaluated.
    """
    calibration = settings.get("calibration") or {}
    found = []
    common = patients & set(calibration.get("patients") or ())
    if common:
        found.append(f"{counted(len(common), 'patient')} of this report took part in the calibration: no test of it.")
    made_for, here = calibration.get("degradation"), settings.get("degradation")
    if made_for is not None and here is not None and _plain(made_for) != _plain(here):
        found.append("The intervals were calibrated for another degradation: here they state nothing.")
    return found


def _plain(value: Any) -> Any:
    """As it comes back from a JSON file."""
    return json.loads(json.dumps(value, default=str, sort_keys=True))
