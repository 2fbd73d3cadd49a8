# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Upgrade interval files of version 0.2 to the current format."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from monai_srgan.physics import Measurement

__all__ = ["upgraded"]

_KINDS = {"GaussianDownsample": "gaussian", "BicubicDownsample": "bicubic", "KSpaceDownsample": "kspace"}


def upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the content of a file from "monai_srgan intervals 1" to "monai_srgan intervals 2".

    Version 0.2 stored the attributes of the degradation transform, with operators as the text of ``repr``. They become
    the dictionary of a :class:`~monai_srgan.physics.Measurement`. If that is impossible, as for an operator of your
    own, ``measurement`` is None and the old text stays among the settings. Numbers are not changed.

    Args:
        content: of the JSON file.
    """
    record = dict(content["record"])
    settings = dict(record.get("settings") or {})
    measurement = _measurement(settings.get("degradation"))
    if measurement is not None:
        settings.pop("degradation")
    fit = record.get("fit")
    if fit is not None:
        record["fit"] = {name: value for name, value in fit.items() if name != "features"}
    return {
        **{name: value for name, value in content.items() if name != "record"},
        "format": "monai_srgan intervals 2",
        "measurement": measurement,
        "precision": settings.pop("precision", None),
        "record": {**record, "settings": settings},
    }


def _measurement(degradation: Any) -> dict[str, Any] | None:
    if not isinstance(degradation, Mapping):
        return None
    outside = _operator(degradation.get("operator"))
    inside = None
    if degradation.get("sides"):
        inside = {
            "sigma": (_operator(degradation["sides"][1]) or {}).get("sigma"),
            "feather": degradation.get("feather", 0.0),
            "isolate": degradation.get("isolate", False),
        }
    record = {"operator": outside, "noise_std": degradation.get("noise_std", 0.0), "inside": inside}
    try:
        return Measurement.from_dict(record).to_dict()
    except ValueError:
        return None


def _operator(text: Any) -> dict[str, Any] | None:
    """Parse a text such as "GaussianDownsample(scale=4, sigma=1.5)"."""
    found = re.fullmatch(r"(\w+)\(((?:\w+=[-+.\w]+(?:, )?)*)\)", str(text))
    if found is None or found[1] not in _KINDS:
        return None
    pairs = (part.split("=") for part in found[2].split(", ") if part)
    try:
        return {"kind": _KINDS[found[1]], **{name: ast.literal_eval(value) for name, value in pairs}}
    except (ValueError, SyntaxError, RecursionError, MemoryError):  # the last two: signs without end
        return None
