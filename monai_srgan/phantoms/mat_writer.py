# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Write a phantom slice as a .mat file in the layout of the figshare brain tumor set (MAT v7.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from monai_srgan.phantoms.phantom_slice import PhantomSlice

__all__ = ["write_mat"]

_HEADER = b"MATLAB 7.3 MAT-file, Platform: monai_srgan phantom, HDF5 schema 1.00 ."


def write_mat(path: Path, phantom: PhantomSlice, pid: str) -> None:
    """Write one slice with its tumor mask, outline and type.

    Args:
        path: file to write.
        phantom: the slice.
        pid: patient ID.
    """
    n = phantom.image.shape[0]
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("cjdata")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        names = ("label", "PID", "image", "tumorBorder", "tumorMask")
        fields = np.empty(len(names), dtype=object)
        fields[:] = [np.array([c.encode() for c in name], dtype="S1") for name in names]
        group.attrs.create("MATLAB_fields", fields, dtype=h5py.vlen_dtype(np.dtype("S1")))
        compressed: dict[str, Any] = {"compression": "gzip", "compression_opts": 3, "maxshape": (None, None)}
        # MATLAB stores column-major arrays: in HDF5 axis 0 is x.
        _field(group, "image", "int16", phantom.image.T, chunks=(n, max(1, n // 8)), **compressed)
        _field(group, "tumorMask", "logical", phantom.mask.T, decode=1, chunks=(n, max(1, n // 4)), **compressed)
        _field(group, "label", "double", np.array([[phantom.tumor_type]], dtype=np.float64))
        _field(group, "tumorBorder", "double", phantom.border.reshape(1, -1))
        _field(group, "PID", "char", np.array([[ord(c)] for c in pid], dtype=np.uint16), decode=2)
    header = _HEADER.ljust(116) + bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as stream:
        stream.write(header)


def _field(
    group: h5py.Group, name: str, matlab_class: str, values: np.ndarray, *, decode: int | None = None, **storage: Any
) -> None:
    data = group.create_dataset(name, data=values, **storage)
    data.attrs["H5PATH"] = np.bytes_("/cjdata")
    data.attrs["MATLAB_class"] = np.bytes_(matlab_class)
    if decode is not None:
        data.attrs["MATLAB_int_decode"] = np.int32(decode)
