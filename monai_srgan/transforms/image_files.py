# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Build NIfTI images and pictures from arrays and the metadata of their source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from monai.config import PathLike
from nibabel.affines import voxel_sizes
from PIL import Image

from monai_srgan.data.spatial_forms import SpatialForms
from monai_srgan.errors import about
from monai_srgan.files import write_atomically
from monai_srgan.transforms.intensity import WHITE_PERCENTILE

__all__ = ["LAST_AXIS", "SLICE_AXIS", "nifti_image", "picture", "restore_nifti_geometry"]

SLICE_AXIS = "slice_axis"
"""Metadata key: the axis of the source file along which the slices lie, 0 or 1; missing where it is the last one."""

LAST_AXIS = 2


def nifti_image(array: np.ndarray, meta: Mapping[str, Any]) -> nib.Nifti1Image:
    """Build a NIfTI image on its true grid, with the coordinate systems, the unit and the axes of its source.

    Args:
        array: ``(X, Y)`` or ``(X, Y, D)``, in the dtype of the file.
        meta: metadata of the image: ``affine`` (default: identity), ``spatial_forms`` and ``slice_axis`` as
            :class:`monai_srgan.transforms.LoadInput` gives them; without forms ``sform_code`` and ``qform_code``
            (default: scanner); ``xyzt_units``.
    """
    affine = np.asarray(meta.get("affine", np.eye(4)), dtype=np.float64)
    axis = int(meta.get(SLICE_AXIS, LAST_AXIS))
    if array.ndim > LAST_AXIS and axis != LAST_AXIS:
        array = np.moveaxis(array, LAST_AXIS, axis)
        affine = affine[:, [*np.insert([0, 1], axis, LAST_AXIS), 3]]
    source = SpatialForms.from_meta(meta)
    forms = _one_form(affine, meta) if source is None else source.on_grid(affine)
    image = nib.Nifti1Image(array, affine)
    # Viewers choose sform or qform by their codes: keep the source's coordinate systems (scanner, standard space).
    image.set_sform(forms.sform if forms.sform_code else None, forms.sform_code)
    image.set_qform(forms.qform if forms.qform_code else None, forms.qform_code)
    if forms.qform_code and not np.allclose(image.get_qform(), forms.qform, atol=1e-3):  # it cannot represent shear
        image.set_qform(None, 0)
        image.header.set_zooms(voxel_sizes(affine)[: array.ndim])
    image.header.set_xyzt_units(int(meta.get("xyzt_units", 2)) % 8 or 2)  # 2: millimeters; the low 3 bits are space
    return image


def restore_nifti_geometry(file: PathLike, meta: Mapping[str, Any]) -> None:
    """Give a NIfTI file that another program wrote the coordinate systems and axes of its source.

    A writer that knows one affine, such as ITK, writes it as scanner coordinates. An image whose source is no NIfTI
    file does not change.

    Args:
        file: the file, whose pixels lie on the grid of `meta`; replaced as a whole.
        meta: metadata of the image that was written, see :func:`nifti_image`.
    """
    if SpatialForms.from_meta(meta) is not None:
        path = Path(file)
        write_atomically(path, nifti_image(np.asarray(nib.load(path).dataobj), meta).to_filename)


def _one_form(affine: np.ndarray, meta: Mapping[str, Any]) -> SpatialForms:
    """The affine as both forms: a source without a record has one, or none if its header says so."""
    codes = [int(meta[name]) for name in ("sform_code", "qform_code") if name in meta] or [1]
    code = next((code for code in codes if code), 0)
    return SpatialForms(affine, affine, code, affine, code)


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
