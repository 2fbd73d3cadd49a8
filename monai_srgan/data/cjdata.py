# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Slices of the figshare brain tumor dataset with all their fields, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from monai.config import PathLike

from monai_srgan.data.mat_file import MatFile, MatFileError, check_version, open_mat
from monai_srgan.data.splits import patient_stem

__all__ = ["CJData", "read_cjdata"]

# Fields, and how many values each may have: of an image 8192 by 8192, of the rest far more than a real file.
_FIELDS = {"PID": 1 << 10, "image": 1 << 26, "label": 1 << 10, "tumorBorder": 1 << 20, "tumorMask": 1 << 26}


@dataclass(frozen=True, eq=False)
class CJData:
    """One slice of the figshare set as stored, with x as the first axis.

    Attributes:
        image: ``(X, Y)``, scanner units, in the data type of the file (int16 in the figshare set).
        mask: ``(X, Y)`` uint8 {0, 1}, 1 in the tumor.
        label: tumor type: 1 meningioma, 2 glioma, 3 pituitary tumor.
        pid: patient ID as in the file, such as ``"MR024780B"``.
        patient: its stem, which identifies the person: ``"MR024780"``.
        border: ``(K, 2)`` float64, the annotated outline: x and y as zero-based indices of ``image``.
    """

    image: np.ndarray
    mask: np.ndarray
    label: int
    pid: str
    patient: str
    border: np.ndarray


def read_cjdata(path: PathLike, *, version: str | None = None) -> CJData:
    """Read and check one slice of the figshare set or a phantom set. The file is opened once.

    Args:
        path: MATLAB file with the struct ``cjdata``, which has the fields ``image``, ``tumorMask``, ``label``,
            ``tumorBorder`` and ``PID``.
        version: accept only files of this version, ``"7.3"`` or ``"5"``; None accepts both.

    Raises:
        MatFileError: the file is not a MATLAB file, is truncated or has the other version; ``cjdata`` or a field is
            missing; the image is not 2-D, not finite or constant; the mask has another size, values other than 0 and 1,
            or no tumor; label, PID or border do not follow the layout.
        FileNotFoundError: the file does not exist.
    """
    check_version(version)
    with open_mat(path, version) as file:
        try:
            raw = {name: file.array(f"cjdata/{name}", most=most) for name, most in _FIELDS.items()}
            pid_class = file.matlab_class("cjdata/PID")
        except MatFileError:
            _check_fields(path, file)  # lists all missing fields at once
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
            f"{path}: cjdata lacks field(s) {', '.join(missing)}: it has {', '.join(names) or 'none'}. "
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
        raise MatFileError(f"{path}: tumorMask must have the image's size {shape}, got {mask.shape} (x, y).")
    if mask.dtype.kind not in "biuf" or not _is_binary(mask):
        raise MatFileError(f"{path}: tumorMask must contain only 0 and 1, got {np.unique(mask)[:5].tolist()} ...")
    if not mask.any():
        raise MatFileError(
            f"{path}: tumorMask must not be empty, every slice of the set shows a tumor: remove the file."
        )
    return mask.astype(np.uint8, copy=False)


def _is_binary(mask: np.ndarray) -> bool:
    if mask.dtype.kind == "f":
        return bool(((mask == 0) | (mask == 1)).all())
    # For integers the extremes suffice, which is several times faster than comparing every value.
    return mask.max() <= 1 and (mask.dtype.kind != "i" or mask.min() >= 0)


def _label(path: PathLike, label: np.ndarray) -> int:
    if label.size != 1 or label.dtype.kind not in "biuf" or label.flat[0] not in (1, 2, 3):
        raise MatFileError(
            f"{path}: label must be 1 (meningioma), 2 (glioma) or 3 (pituitary tumor), got {label.tolist()}."
        )
    return int(label.flat[0])


def _text(path: PathLike, pid: np.ndarray, matlab_class: str) -> str:
    if pid.dtype.kind == "U":  # char written by MATLAB
        text = "".join(pid.ravel())
    elif matlab_class == "char" and pid.dtype == np.uint8:  # char written by other software
        text = "".join(chr(code) for code in pid.ravel())
    elif pid.size == 1 and pid.dtype.kind in "iuf" and float(pid.flat[0]).is_integer():  # saved as a number
        text = str(int(pid.flat[0]))
    elif not matlab_class and pid.dtype == np.uint16:  # character codes from software that omits the class
        text = "".join(chr(code) for code in pid.ravel())
    else:
        text = ""
    text = text.strip()
    if not text or not text.isprintable():
        raise MatFileError(f"{path}: PID must be the patient ID as text, got {pid.ravel()[:8].tolist()}.")
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
            f"{path}: tumorBorder must be x1, y1, x2, y2, ... for at least 3 points, "
            f"got shape {border.shape} of {border.dtype}."
        )
    points = border.astype(np.float64).reshape(-1, 2) - 1.0  # MATLAB counts pixels from 1
    return cast(np.ndarray, points)
