# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Measurement records as users write them: a short dictionary, a full one, or a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_srgan.errors import about
from monai_srgan.json_text import read_json
from monai_srgan.physics.measurement import Measurement

__all__ = ["read_measurement"]

_AXES = 2


def read_measurement(value: Any, scale: int = 4) -> Measurement:
    """The measurement record that a user gives.

    Args:
        value: a dictionary of :meth:`Measurement.to_dict`; a short one with ``kernel`` ("gaussian", "bicubic", "kspace"
            or "kspace_window"), the operator's arguments, a pair of numbers where the two axes differ, and
            ``noise_std``, such as ``{"kernel": "gaussian", "sigma": [1.0, 2.0], "noise_std": 0.02}``; or the path of a
            JSON file that holds one of them, also as entry ``measurement``, as in the file beside each result.
        scale: the scale that the record must have; the default of short dictionaries.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the value is not a record, or one of another scale.
    """
    try:
        measurement = _read(value, scale)
        if measurement.scale != scale:
            raise ValueError(f"measurement has scale {measurement.scale}, but images are enlarged by {scale}")
    except (ValueError, FileNotFoundError) as error:
        raise about(error, "measurement") from None
    return measurement


def _read(value: Any, scale: int) -> Measurement:
    if isinstance(value, Measurement):
        return value
    if isinstance(value, str | Path):
        return _read(_from_file(Path(value).expanduser()), scale)
    if not isinstance(value, Mapping):
        raise ValueError(f"measurement must be a dictionary or the path of a JSON file, got {value!r}")
    if "kernel" not in value:
        return Measurement.from_dict(value)
    settings = {
        "scale": scale,
        **{key: setting for key, setting in value.items() if key not in ("kernel", "noise_std")},
    }
    kind = value["kernel"]
    # The window of k-space takes its support as a pair by itself.
    pairs = [key for key, setting in settings.items() if isinstance(setting, list | tuple) and kind != "kspace_window"]
    for key in pairs:
        if len(settings[key]) != _AXES:
            raise ValueError(f"measurement: {key} must be a number or one per axis, got {settings[key]!r}")
    operator: dict[str, Any] = {"kind": kind, **settings}
    if pairs:
        first, second = ({**operator, **{key: settings[key][axis] for key in pairs}} for axis in range(_AXES))
        operator = {"kind": "per_axis", "first": first, "second": second}
    return Measurement.from_dict({"operator": operator, "noise_std": value.get("noise_std", 0.0)})


def _from_file(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"measurement {path} is not a file: give a JSON file or a dictionary with 'kernel'")
    try:
        content = read_json(path)
    except ValueError as error:
        raise ValueError(f"measurement file {path} is not JSON: {error}") from error
    if isinstance(content, Mapping) and isinstance(content.get("measurement"), Mapping):
        return content["measurement"]
    return content
