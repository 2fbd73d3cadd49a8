# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Small MATLAB files of both versions for the tests, made from arrays as MATLAB shows them: (row, column)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

ROWS, COLUMNS = 24, 32


def fields(**changes: Any) -> dict[str, Any]:
    """A slice of 24 rows and 32 columns: tumor in rows 4..9 and columns 15..24; nothing in it is symmetric."""
    rng = np.random.default_rng(7)
    image = rng.integers(0, 3000, (ROWS, COLUMNS)).astype(np.int16)
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    mask[4:10, 15:25] = 1
    corners = [(15, 4), (24, 4), (24, 9), (15, 9)]  # (column, row) from 0; the file counts from 1
    border = np.array([[value + 1.0 for corner in corners for value in corner]])
    made = {"label": 2.0, "PID": "MR024780B", "image": image, "tumorBorder": border, "tumorMask": mask}
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def _put(group: h5py.Group, name: str, value: Any) -> None:
    if isinstance(value, dict):
        child = group.create_group(name)
        child.attrs["MATLAB_class"] = np.bytes_(b"struct")
        for key, item in value.items():
            _put(child, key, item)
    elif isinstance(value, str):
        data = group.create_dataset(name, data=np.array([[ord(c)] for c in value], np.uint16))
        data.attrs["MATLAB_class"] = np.bytes_(b"char")
    else:
        array = np.atleast_2d(value)
        options = {"compression": "gzip"} if array.size > 100 else {}
        group.create_dataset(name, data=array.T, **options)  # MATLAB writes its arrays column by column


def save_v73(path: Path, variables: dict[str, Any]) -> Path:
    """HDF5 behind MATLAB's 512-byte header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            _put(file, name, value)
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def save_v5(path: Path, variables: dict[str, Any]) -> Path:
    """Version 5, by scipy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, variables, do_compression=True)
    return path


def save_slice(path: Path, **changes: Any) -> Path:
    """A slice in version 7.3."""
    return save_v73(path, {"cjdata": fields(**changes)})
