# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Build NIfTI images and pictures from arrays and the metadata of their source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image

from monai_srgan.errors import about
from monai_srgan.transforms.intensity import WHITE_PERCENTILE

__all__ = ["nifti_image", "picture"]


def nifti_image(array: np.ndarray, meta: Mapping[str, Any]) -> nib.Nifti1Image:
    """Build a NIfTI image on its true grid, with the coordinate system and unit of its source.

    Args:
        array: ``(X, Y)`` or ``(X, Y, D)``, in the dtype of the file.
        meta: metadata of the source: ``affine`` (default: identity), ``sform_code``, ``qform_code``, ``xyzt_units``.
    """
    affine = np.asarray(meta.get("affine", np.eye(4)), dtype=np.float64)
    image = nib.Nifti1Image(array, affine)
    # Viewers choose sform or qform by their codes: keep the source's coordinate system (scanner, standard space).
    code = int(meta.get("sform_code", 0)) or int(meta.get("qform_code", 0)) or 1
    image.set_sform(affine, code)
    image.set_qform(affine, code)
    if not np.allclose(image.get_qform(), affine, atol=1e-3):  # a qform cannot represent shear: write none
        image.set_qform(None, 0)
    image.header.set_xyzt_units(int(meta.get("xyzt_units", 2)) % 8 or 2)  # 2: millimeters; the low 3 bits are space
    return image


def picture(array: np.ndarray, meta: Mapping[str, Any]) -> Image.Image:
    """Build a grayscale picture.

    Args:
        array: ``(X, Y)`` intensities.
        meta: metadata of the source: ``filename_or_obj``; ``mode`` of a source that is a picture, whose unit, bit depth
            and orientation are kept; otherwise ``affine``, by which the picture is turned upright.

    Raises:
        ValueError: for a volume, or if no intensity is above 0; the message names the source.
    """
    source = str(meta["filename_or_obj"])
    if array.ndim != 2:
        message = (
            f"{source}: a volume of {array.shape[2]} slices cannot be written as a picture: set output_ext='.nii.gz'"
        )
        raise about(ValueError(message), "output_ext")
    mode = meta.get("mode")  # Pillow's mode of a source that is a picture
    if mode is None:
        array = _upright(array, np.asarray(meta.get("affine", np.diag((-1, -1, 1, 1)))))
        white = float(np.percentile(array, WHITE_PERCENTILE))
        if not white > 0:
            message = (
                f"{source}: a PNG needs intensities above 0, their percentile is {white}: set output_ext='.nii.gz'"
            )
            raise about(ValueError(message), "output_ext")
        array, dtype = array * (255.0 / white), np.uint8
    else:
        dtype = np.uint8 if mode == "L" else np.uint16
    array = np.clip(np.rint(array), 0, np.iinfo(dtype).max).astype(dtype)
    return Image.fromarray(np.ascontiguousarray(array.T))  # x first in memory, rows first in a picture


def _upright(array: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Turn a slice with scanner axes so that its transpose is a radiological view."""
    codes = nib.aff2axcodes(affine)[:2]
    vertical = next((axis for pair in ("SI", "AP") for axis, code in enumerate(codes) if code and code in pair), 1)
    if vertical == 0:
        array, codes = array.T, codes[::-1]
    if codes[0] in ("R", "A"):
        array = array[::-1]
    if codes[1] in ("S", "A"):
        array = array[:, ::-1]
    return array
