# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What a reader must know before believing the figures of a report, as far as its settings tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from monai_srgan.data.splits import DEALT_EVENLY
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
