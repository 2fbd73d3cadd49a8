# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A MONAI image reader for MATLAB files, and the slices of the figshare brain tumor set with all their fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from monai.config import PathLike
from monai.data import ImageReader
from monai.data.image_reader import _copy_compatible_dict, _stack_images
from monai.data.utils import is_supported_format
from monai.utils import MetaKeys, SpaceKeys, ensure_tuple

from monai_srgan.data.mat_file import MatFile, MatFileError, check_version, open_mat, read_mat
from monai_srgan.data.splits import patient_stem

__all__ = ["PIXEL_SPACING", "CJData", "MatReader", "read_cjdata", "slice_affine"]

#: Millimeters along x, y and from slice to slice (6 mm thick + 1 mm gap), as the author of the figshare set states.
PIXEL_SPACING = (0.49, 0.49, 7.0)

_FIELDS = ("PID", "image", "label", "tumorBorder", "tumorMask")


def slice_affine(spacing: Sequence[float] = PIXEL_SPACING) -> np.ndarray:
    """Affine of an x-first slice, from pixel indices to millimeters in RAS: ``diag(-sx, -sy, sz, 1)``.

    Only the spacing is documented by the author. The files say neither the slice's plane (axial, sagittal and coronal
    are mixed) nor its position, so the orientation is a convention: x grows to the patient's left, y to the back, as in
    an axial slice in the usual radiological view and as ITK takes a picture without orientation. With it an axial slice
    saved as NIfTI stands upright in a viewer; a sagittal or coronal slice does too, but lies in the axial plane.

    Args:
        spacing: millimeters along x, y and between slices.

    Returns:
        ``(4, 4)`` float64.

    Raises:
        ValueError: when ``spacing`` is not three positive numbers.
    """
    if len(spacing) != 3 or not all(np.isfinite(s) and s > 0 for s in spacing):
        raise ValueError(f"spacing must be three positive numbers of millimeters (x, y, slice), got {tuple(spacing)}.")
    return np.diag([-spacing[0], -spacing[1], spacing[2], 1.0]).astype(np.float64)


class MatReader(ImageReader):
    """Read arrays from MATLAB files, version 7.3 (HDF5) by h5py and version 5 by scipy, as a MONAI image reader.

    Use it as ``LoadImage(reader=MatReader())`` or by name, ``LoadImage(reader="monai_srgan.data.MatReader")``. A 2-D
    array comes out as ``(X, Y)``: x, MATLAB's column, first, like MONAI's other readers; a 3-D one as ``(X, Y, Z)``.
    The same array saved in both versions gives equal results. A list of files is stacked at a new first axis.

    The meta data hold ``affine`` and ``original_affine`` (see :func:`slice_affine` for what is known and what is
    convention), ``spatial_shape``, ``original_channel_dim`` (NaN: no channel) and ``space`` (RAS).

    Under ``LoadImage`` or ``LoadImaged`` a file that cannot be read ends in a long ``RuntimeError`` of MONAI: after any
    reader fails MONAI tries its own ones, and the ``MatFileError`` stands only among the tracebacks that it lists. For
    slices of the figshare set :class:`monai_srgan.transforms.LoadMatd` raises that one error alone.

    Args:
        variable: path of the array in the file, through structs, with slashes.
        version: accept only files of this version, ``"7.3"`` or ``"5"``; None accepts both.
        spacing: millimeters along x, y and between slices. MATLAB files carry none; the default is that of the figshare
            set.

    Raises:
        MatFileError: (in ``read``) the file is no MATLAB file, truncated, of the other version, or has no such numeric
            2-D or 3-D array.
    """

    def __init__(
        self,
        variable: str = "cjdata/image",
        *,
        version: str | None = None,
        spacing: Sequence[float] = PIXEL_SPACING,
    ) -> None:
        super().__init__()
        self.variable = variable
        self.version = check_version(version)
        self.affine = slice_affine(spacing)

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all names end in ``.mat``."""
        return bool(is_supported_format(filename, ["mat"]))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> np.ndarray | list[np.ndarray]:
        """Read the variable of one file, or of each of a list of files.

        Args:
            data: file name or names.
            kwargs: ``variable`` overrides the constructor's.

        Returns:
            an array, or a list of arrays for several files.
        """
        variable = kwargs.pop("variable", self.variable)
        arrays = []
        for name in ensure_tuple(data):
            array = read_mat(name, variable, version=self.version)
            if array.ndim not in (2, 3) or array.dtype.kind not in "biuf" or array.size == 0:
                raise MatFileError(
                    f"{name}: {variable!r} must be a 2-D or 3-D array of real numbers, "
                    f"got shape {array.shape} of {array.dtype}."
                )
            arrays.append(array)
        return arrays if len(arrays) > 1 else arrays[0]

    def get_data(self, img: np.ndarray | Sequence[np.ndarray]) -> tuple[np.ndarray, dict]:
        """Array and meta data of what ``read`` returned; several arrays are stacked at a new first axis."""
        arrays = [img] if isinstance(img, np.ndarray) else list(img)
        meta: dict = {}
        for array in arrays:
            header = {
                MetaKeys.AFFINE: self.affine.copy(),
                MetaKeys.ORIGINAL_AFFINE: self.affine.copy(),
                MetaKeys.SPATIAL_SHAPE: np.asarray(array.shape),
                MetaKeys.ORIGINAL_CHANNEL_DIM: float("nan"),
                MetaKeys.SPACE: SpaceKeys.RAS,
            }
            _copy_compatible_dict(header, meta)
        return _stack_images(arrays, meta), meta


@dataclass(frozen=True, eq=False)
class CJData:
    """One slice of the figshare set, as stored, with axes x first.

    Attributes:
        image: ``(X, Y)``, scanner units, the file's own type (int16 in the figshare set).
        mask: ``(X, Y)`` uint8, 1 in the tumor.
        label: tumor type: 1 meningioma, 2 glioma, 3 pituitary tumor.
        pid: patient id as in the file, such as ``"MR024780B"``.
        patient: its stem, the person: ``"MR024780"``.
        border: ``(K, 2)`` float64, the drawn outline: x and y as zero-based indices of ``image``.
    """

    image: np.ndarray
    mask: np.ndarray
    label: int
    pid: str
    patient: str
    border: np.ndarray


def read_cjdata(path: PathLike, *, version: str | None = None) -> CJData:
    """Read and check one slice of the figshare set (or of the phantom set) with a single opening of the file.

    Args:
        path: MATLAB file with the struct ``cjdata`` of fields ``image``, ``tumorMask``, ``label``, ``tumorBorder`` and
            ``PID``.
        version: accept only files of this version, ``"7.3"`` or ``"5"``; None accepts both.

    Raises:
        MatFileError: the file is no MATLAB file, truncated or of the other version; ``cjdata`` or a field is missing;
            the image is not 2-D, not finite or constant; the mask is of another size, has values other than 0 and 1 or
            is empty; label, PID or border are not of the layout.
        FileNotFoundError: there is no such file.
    """
    check_version(version)
    with open_mat(path, version) as file:
        try:
            raw = {name: file.array(f"cjdata/{name}") for name in _FIELDS}
            pid_class = file.matlab_class("cjdata/PID")
        except MatFileError:
            _check_fields(path, file)  # to name all missing fields at once
            raise
    image = raw["image"]
    _check_image(path, image)
    pid = _text(path, raw["PID"], pid_class)
    return CJData(
        image=image,
        mask=_mask(path, raw["tumorMask"], image.shape),
        label=_label(path, raw["label"]),
        pid=pid,
        patient=patient_stem(pid),
        border=_border(path, raw["tumorBorder"]),
    )


def _check_fields(path: PathLike, file: MatFile) -> None:
    names = file.names(file.node("cjdata"))
    missing = [name for name in _FIELDS if name not in names]
    if missing:
        raise MatFileError(
            f"{path}: cjdata lacks the field(s) {', '.join(missing)}: it has {', '.join(names) or 'none'}. "
            f"A slice needs {', '.join(_FIELDS)}."
        )


def _check_image(path: PathLike, image: np.ndarray) -> None:
    if image.ndim != 2 or min(image.shape) < 2 or image.dtype.kind not in "biuf":
        raise MatFileError(
            f"{path}: image must be a 2-D array of real numbers, got shape {image.shape} of {image.dtype}."
        )
    bad = int(np.count_nonzero(~np.isfinite(image))) if image.dtype.kind == "f" else 0
    if bad:
        raise MatFileError(
            f"{path}: image must be finite, got {bad} NaN or infinite pixel(s): repair or remove the file."
        )
    if image.min() == image.max():
        raise MatFileError(f"{path}: image must not be constant, every pixel is {image.flat[0]}: remove the file.")


def _mask(path: PathLike, mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if mask.shape != shape:
        raise MatFileError(f"{path}: tumorMask must be of the image's size {shape}, got {mask.shape} (x, y).")
    if mask.dtype.kind not in "biuf" or not _is_binary(mask):
        raise MatFileError(f"{path}: tumorMask must hold 0 and 1 only, got {np.unique(mask)[:5].tolist()} ...")
    if not mask.any():
        raise MatFileError(
            f"{path}: tumorMask must not be empty: every slice of the set shows a tumor; remove the file."
        )
    return mask.astype(np.uint8, copy=False)


def _is_binary(mask: np.ndarray) -> bool:
    if mask.dtype.kind == "f":
        return bool(((mask == 0) | (mask == 1)).all())
    # of integers the extremes tell, several times faster than comparing each
    return mask.max() <= 1 and (mask.dtype.kind != "i" or mask.min() >= 0)


def _label(path: PathLike, label: np.ndarray) -> int:
    if label.size != 1 or label.dtype.kind not in "biuf" or label.flat[0] not in (1, 2, 3):
        raise MatFileError(
            f"{path}: label must be 1 (meningioma), 2 (glioma) or 3 (pituitary tumor), got {label.tolist()}."
        )
    return int(label.flat[0])


def _text(path: PathLike, pid: np.ndarray, matlab_class: str) -> str:
    if pid.dtype.kind == "U":  # MATLAB's char
        text = "".join(pid.ravel())
    elif matlab_class == "char" and pid.dtype == np.uint8:  # another writer's
        text = "".join(chr(code) for code in pid.ravel())
    elif pid.size == 1 and pid.dtype.kind in "iuf" and float(pid.flat[0]).is_integer():  # saved as a number
        text = str(int(pid.flat[0]))
    elif not matlab_class and pid.dtype == np.uint16:  # character codes of a writer that leaves the class out
        text = "".join(chr(code) for code in pid.ravel())
    else:
        text = ""
    text = text.strip()
    if not text or not text.isprintable():
        raise MatFileError(f"{path}: PID must be the patient's id as text, got {pid.ravel()[:8].tolist()}.")
    return text


def _border(path: PathLike, border: np.ndarray) -> np.ndarray:
    if (
        border.size < 6
        or border.size % 2
        or border.size != max(border.shape)
        or border.dtype.kind not in "iuf"
        or not np.isfinite(border).all()
    ):
        raise MatFileError(
            f"{path}: tumorBorder must be x1, y1, x2, y2, ... of at least 3 points, "
            f"got shape {border.shape} of {border.dtype}."
        )
    points = border.astype(np.float64).reshape(-1, 2) - 1.0  # MATLAB counts pixels from 1
    return cast(np.ndarray, points)
