# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The two affines of a NIfTI file, qform and sform, each with the code of its space, on any grid of the image."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from monai.config import PathLike
from nibabel.spatialimages import HeaderDataError

__all__ = ["SPATIAL_FORMS", "SpatialForms", "convert_to_millimeters", "is_invertible"]

SPATIAL_FORMS = "spatial_forms"
"""Metadata key of :meth:`SpatialForms.to_meta`: a dictionary."""

_MILLIMETERS = {0: 1.0, 1: 1e3, 2: 1.0, 3: 1e-3}  # NIfTI's codes: unknown, meter, millimeter, micrometer
_MILLIMETER_CODE, _SPACE_BITS = 2, 0b111
_CODES = range(6)  # unknown, scanner, aligned, Talairach, MNI, another template
_SMALLEST_VOXEL = 1e-12  # mm^3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class SpatialForms:
    """Affines in millimeters, float64 ``(4, 4)``. A form of code 0 is not in the file, and its affine says nothing."""

    affine: np.ndarray  #: of the grid on which the image was read: sform, else qform, else made of the spacing alone
    sform: np.ndarray
    sform_code: int
    qform: np.ndarray
    qform_code: int

    @property
    def placed(self) -> bool:
        """Whether the file says where the image lies."""
        return bool(self.sform_code or self.qform_code)

    @classmethod
    def from_header(cls, header: nib.Nifti1Header, path: PathLike) -> SpatialForms:
        """Read the forms of a header in millimeters, see :func:`convert_to_millimeters`.

        A qform that cannot be read is dropped with a warning if there is an sform.

        Args:
            header: NIfTI-1 or NIfTI-2. Where ``pixdim`` is 0, that of axes which the image does not have, or of one
                pixel, and ``qfac`` become 1.
            path: the file, for messages.

        Raises:
            ValueError: a code is unknown, or the form that places the image cannot be read.
        """
        codes = {name: int(header[name]) for name in ("sform_code", "qform_code")}
        for name, code in codes.items():
            if code not in _CODES:
                raise ValueError(f"{path}: {name} must be 0 to {_CODES[-1]}, got {code}: repair the header")
        _fill_spacing(header)
        sform_code, qform_code = codes["sform_code"], codes["qform_code"]
        sform = np.asarray(header.get_sform(), dtype=np.float64)
        if sform_code and not is_invertible(sform):
            raise ValueError(f"{path}: the affine must be finite and invertible, got {sform.tolist()}: repair it")
        qform = sform
        if qform_code:
            try:
                qform = _qform(header)
            except ValueError as error:
                if not sform_code:
                    raise ValueError(f"{path}: {error}: repair the header") from error
                logger.warning("%s: %s; only the sform is used", path, error)
                qform_code = 0
        if sform_code:
            return cls(sform, sform, sform_code, qform, qform_code)
        if qform_code:
            return cls(qform, qform, 0, qform, qform_code)
        if problem := _spacing_problem(header):
            raise ValueError(f"{path}: {problem}: repair the header")
        affine = np.asarray(header.get_base_affine(), dtype=np.float64)
        return cls(affine, affine, 0, affine, 0)

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> SpatialForms | None:
        """The forms in an image's metadata; None if its source has none."""
        record = meta.get(SPATIAL_FORMS)
        if record is None:
            return None
        affines = {name: np.asarray(record[name], dtype=np.float64) for name in ("affine", "sform", "qform")}
        return cls(**affines, sform_code=int(record["sform_code"]), qform_code=int(record["qform_code"]))

    def to_meta(self) -> dict[str, Any]:
        """The forms as MONAI collates them: arrays and numbers, none of them None."""
        return {
            "affine": self.affine.copy(),
            "sform": self.sform.copy(),
            "sform_code": self.sform_code,
            "qform": self.qform.copy(),
            "qform_code": self.qform_code,
        }

    def on_grid(self, affine: np.ndarray) -> SpatialForms:
        """The forms of another grid of the same image.

        Whatever led from the grid of the file to the new one (enlargement, crops, flips) led there in both spaces.

        Args:
            affine: of the new grid, in the space of :attr:`affine`.
        """
        affine = np.asarray(affine, dtype=np.float64)
        indices = np.linalg.solve(self.affine, affine)  # from pixels of the new grid to those of the file
        return SpatialForms(affine, self.sform @ indices, self.sform_code, self.qform @ indices, self.qform_code)


def convert_to_millimeters(header: nib.Nifti1Header, path: PathLike) -> None:
    """Change spacing and forms of a header in place to millimeters; an unknown unit is taken for that.

    Args:
        header: NIfTI-1 or NIfTI-2.
        path: the file, for the message.

    Raises:
        ValueError: the unit's code is not one of NIfTI.
    """
    units = int(header["xyzt_units"])
    space = units & _SPACE_BITS
    if space not in _MILLIMETERS:
        raise ValueError(
            f"{path}: the unit of length (xyzt_units) must have the code {', '.join(map(str, _MILLIMETERS))}, "
            f"got {space}: repair the header"
        )
    factor = _MILLIMETERS[space]
    header["pixdim"][1:4] *= factor
    for name in ("srow_x", "srow_y", "srow_z"):
        header[name] *= factor
    for name in ("qoffset_x", "qoffset_y", "qoffset_z"):
        header[name] = header[name] * factor
    header["xyzt_units"] = units - space + _MILLIMETER_CODE


def _fill_spacing(header: nib.Nifti1Header) -> None:
    sizes = header["dim"]
    for axis in (1, 2, 3):
        if header["pixdim"][axis] == 0 and (axis > sizes[0] or sizes[axis] == 1):
            header["pixdim"][axis] = 1
    if header["pixdim"][0] == 0:  # the standard's default
        header["pixdim"][0] = 1


def _spacing_problem(header: nib.Nifti1Header) -> str:
    spacing = np.asarray(header["pixdim"][1:4], dtype=np.float64)
    if np.isfinite(spacing).all() and (spacing > 0).all():
        return ""
    return f"the spacing (pixdim) must be positive, got {spacing.tolist()}"


def _qform(header: nib.Nifti1Header) -> np.ndarray:
    """The qform.

    Raises:
        ValueError: spacing, quaternion or offset make no sense.
    """
    if problem := _spacing_problem(header):
        raise ValueError(problem)
    try:
        qform = np.asarray(header.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError) as error:  # qfac, or a quaternion longer than 1
        raise ValueError(f"the qform cannot be read ({error})") from error
    if not is_invertible(qform):
        raise ValueError(f"the qform must be finite and invertible, got {qform.tolist()}")
    return qform


def is_invertible(affine: np.ndarray) -> bool:
    """Whether a ``(4, 4)`` affine is finite and gives pixels a volume."""
    return bool(np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) >= _SMALLEST_VOXEL)
