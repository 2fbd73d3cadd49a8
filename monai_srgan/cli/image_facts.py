# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What there is to know of an image before it is enlarged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import voxel_sizes

from monai_srgan.data import MatFileError, image_stem, read_cjdata
from monai_srgan.data.tumor_types import tumor_type_name
from monai_srgan.root_cause import reason
from monai_srgan.transforms import LoadInputd
from monai_srgan.transforms.affine import scaled_affine

__all__ = ["image_facts"]

_SCALE = 4


def image_facts(path: str | Path, *, mat_variable: str = "cjdata/image") -> dict[str, Any]:
    """What there is to know of an image before it is enlarged.

    Args:
        path: image file, or folder of a DICOM series.
        mat_variable: path of the image in a .mat file.

    Returns:
        names and values, ready for JSON: "file", "size" (pixels along x, y and slices), "spacing" (mm), "orientation"
        (axis codes in RAS), "type", "intensities" (least, largest, 99.9th percentile), "enlarged size" and "enlarged
        spacing"; of a slice of the figshare layout also "tumour", "patient" and "tumour pixels".

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no image that can be enlarged.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: give an image file or the folder of a DICOM series")
    image_stem(path)  # refuses other kinds by name
    try:
        image = LoadInputd(keys="image", mat_variable=mat_variable)({"image": str(path)})["image"]
    except Exception as error:  # whatever a reader of MONAI may raise
        raise ValueError(reason(error, str(path))) from error
    values, affine = image[0].numpy(), image.affine.numpy()
    finer = scaled_affine(affine, 1 / _SCALE).numpy()
    ndim = int(image.meta["source_ndim"])
    size = values.shape[:ndim]
    facts: dict[str, Any] = {
        "file": str(path),
        "size": list(size),
        "spacing": _spacing(affine, ndim),
        "orientation": "".join(code or "?" for code in nib.aff2axcodes(affine)[:ndim]),
        "type": image.meta["source_dtype"],
        "intensities": {
            "least": _finite(values.min()),
            "largest": _finite(values.max()),
            "99.9th percentile": _finite(np.percentile(values, 99.9)),
        },
        "enlarged size": [_SCALE * size[0], _SCALE * size[1], *size[2:]],
        "enlarged spacing": _spacing(finer, ndim),
    }
    if path.suffix.lower() == ".mat":
        try:
            slice_ = read_cjdata(path)
        except MatFileError:  # a MATLAB file of another layout
            return facts
        facts |= {
            "tumour": tumor_type_name(slice_.label),
            "patient": slice_.patient,
            "tumour pixels": int(slice_.mask.sum()),
        }
    return facts


def _spacing(affine: np.ndarray, ndim: int) -> list[float]:
    return [round(float(s), 6) for s in voxel_sizes(affine)[:ndim]]


def _finite(value: Any) -> float | None:
    """The number, or None for NaN and infinity, which JSON does not have."""
    return float(value) if np.isfinite(value) else None
