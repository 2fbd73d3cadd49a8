# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What a reader must know before believing the figures of a report, as far as its settings tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai_srgan.data.splits import DEALT_EVENLY
from monai_srgan.physics import Measurement
from monai_srgan.report.wording import counted

__all__ = ["data_warnings", "trust_warnings"]


def data_warnings(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Warnings of the slices that were evaluated: a short and a longer text each.

    Args:
        settings: of the report.
    """
    found = []
    if settings.get("made_up"):
        found.append(("Made-up slices.", "These are phantoms: the figures show that the software works, and no more."))
    if settings.get("section") == "training":
        found.append(("Training patients.", "A network that was trained on these patients looks better than it is."))
    if settings.get("folds") == "official":
        text = "Later scans of some patients lie in other folds: test patients may have been trained on."
        found.append(("Official folds.", text))
    if settings.get("folds") == DEALT_EVENLY:
        text = "These folds are not those of the whole dataset: weights trained on it may have seen these patients."
        found.append(("Few patients.", text))
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
        found.append(f"{counted(len(common), 'patient')} of this report took part in the calibration: no test of it.")
    calibrated, evaluated = _measurement(calibration.get("degradation")), _measurement(settings.get("degradation"))
    if calibrated is None or evaluated is None:
        source = "The interval file" if calibrated is None else "This report"
        found.append(
            f"{source} does not record a readable degradation: whether the intervals hold here is not checked."
        )
    elif calibrated != evaluated:
        found.append(
            f"The intervals were calibrated for another degradation ({calibrated.description}) and are not valid here."
        )
    precisions = calibration.get("precision"), settings.get("precision")
    if None not in precisions and precisions[0] != precisions[1]:
        found.append("The network ran in {} for the calibration and in {} here.".format(*precisions))
    return found


def _measurement(record: Any) -> Measurement | None:
    """Rebuild a record of the settings; None if it is missing or cannot be rebuilt."""
    try:
        return Measurement.from_dict(record)
    except ValueError:
        return None
