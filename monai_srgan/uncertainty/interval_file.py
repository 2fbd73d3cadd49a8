# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Interval files: JSON, checked value by value when they are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from monai_srgan.errors import about
from monai_srgan.files import write_atomically
from monai_srgan.json_text import read_json, require_number, require_numbers
from monai_srgan.uncertainty.features import FEATURES
from monai_srgan.uncertainty.interval_checks import REMEDY
from monai_srgan.uncertainty.quantiles import QuantileTable

__all__ = ["checked_factor", "checked_facts", "checked_table", "read_intervals", "table_content", "write_intervals"]

Found = TypeVar("Found")


def write_intervals(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file atomically; the folder must exist."""
    text = json.dumps(content, indent=1, allow_nan=False, default=str) + "\n"
    write_atomically(Path(path), lambda part: part.write_text(text, encoding="utf-8"))


def read_intervals(path: str | Path, build: Callable[[dict[str, Any], Path], Found]) -> Found:
    """Read a file and build intervals from its content.

    Args:
        path: the file.
        build: function of the content and the path; its errors name what is wrong.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not an interval file, or `build` raises an error.
    """
    path = Path(path)
    if not path.is_file():
        raise about(FileNotFoundError(f"intervals: {path} does not exist: {REMEDY}"), "intervals")
    try:
        content = read_json(path)
    except ValueError as error:
        raise about(ValueError(f"intervals: {path} is not a JSON file ({error}): {REMEDY}"), "intervals") from error
    try:
        if not isinstance(content, dict):
            raise TypeError("it must hold an object with the key 'format'")
        return build(content, path)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        message = f"intervals: {path} is not a valid interval file: {reason}: {REMEDY}"
        raise about(ValueError(message), "intervals") from error


def table_content(table: QuantileTable) -> dict[str, Any]:
    """A table as JSON takes it."""
    return {
        "edges": [np.asarray(e, dtype=float).tolist() for e in table.edges],
        "quantiles": np.asarray(table.quantiles, dtype=float).tolist(),
    }


def checked_table(content: Mapping[str, Any], window: Any) -> QuantileTable:
    """The table of :func:`table_content`."""
    if isinstance(window, bool) or not isinstance(window, int) or window < 1 or window % 2 == 0:
        raise ValueError(f"window must be an odd number, got {window!r}")
    lists = {name: content[name] for name in ("edges", "quantiles")}
    for name, values in lists.items():
        if not isinstance(values, list):
            raise ValueError(f"{name} must be a list of lists of numbers, got {values!r}")
    with np.errstate(over="ignore"):  # infinity is refused below
        edges = [np.array(require_numbers("edges", e)).astype(np.float32) for e in lists["edges"]]
    quantiles = np.asarray([require_numbers("quantiles", q) for q in lists["quantiles"]], dtype=np.float64)
    if len(edges) != 2 or any(not np.isfinite(e).all() or (np.diff(e) <= 0).any() for e in edges):
        raise ValueError("edges must be two lists of increasing numbers")
    shape = tuple(len(e) + 1 for e in edges)
    if quantiles.shape != shape:
        raise ValueError(f"quantiles must have one number per bin, {shape}, got shape {quantiles.shape}")
    if not (quantiles.max() < np.finfo(np.float32).max and quantiles.min() > 0):
        raise ValueError("quantiles must be finite numbers > 0")
    return QuantileTable((edges[0], edges[1]), quantiles, window)


def checked_factor(content: Mapping[str, Any]) -> float:
    """The factor of the widths."""
    factor = require_number("lambda", content["lambda"])
    if not factor > 0:
        raise ValueError(f"lambda must be a finite number > 0, got {factor}")
    return factor


def checked_facts(content: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that all formats have: ``level``, ``weights_sha256``, ``consistent`` and ``precision``."""
    if content["features"] != list(FEATURES):
        raise ValueError(f"features must be {list(FEATURES)}, got {content['features']}")
    level = require_number("level", content["level"])
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    for name in ("weights_sha256", "precision"):
        if content[name] is not None and not isinstance(content[name], str):
            raise ValueError(f"{name} must be a string or null, got {content[name]!r}")
    if not isinstance(content["consistent"], bool):
        raise ValueError(f"consistent must be true or false, got {content['consistent']!r}")
    return {"level": level, **{name: content[name] for name in ("weights_sha256", "consistent", "precision")}}
