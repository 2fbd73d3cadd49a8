# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM files and series as images with a true affine, or an error that says why there is none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import itk
import numpy as np
from monai.config import PathLike
from monai.data import ITKReader
from monai.utils import ensure_tuple

__all__ = ["DICOM_SUFFIXES", "DicomReader", "dicom_files", "is_dicom"]

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")

_INDEX = "DICOMDIR"  # a table of contents in DICOM's own format, no image
_MAGIC_AT, _MAGIC = 128, b"DICM"
_UNEVEN = 0.01  # of the slices' distance: what rounding of positions in DICOM's decimal strings can explain
_SAME_PLACE = 1e-3  # mm
_SERIES_UID, _PHOTOMETRIC = "0020|000e", "0028|0004"
_GEOMETRY = {"0020|0032": "ImagePositionPatient", "0020|0037": "ImageOrientationPatient", "0028|0030": "PixelSpacing"}

logger = logging.getLogger(__name__)


def is_dicom(path: PathLike) -> bool:
    """Whether a file is DICOM by its suffix or by its first bytes (PS3.10, section 7.1); many have no suffix at all."""
    path = Path(path)
    if path.name.upper() == _INDEX or not path.is_file():
        return False
    if path.suffix.lower() in DICOM_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            file.seek(_MAGIC_AT)
            return file.read(len(_MAGIC)) == _MAGIC
    except PermissionError:
        logger.warning("%s may not be read: whether it is DICOM is not known, it is passed over", path)
        return False


def dicom_files(folder: PathLike) -> list[Path]:
    """The DICOM files that lie directly in a folder, in the order of their names.

    Hidden files are passed over; so is, with a warning, what may not be read.
    """
    try:
        files = list(Path(folder).iterdir())
    except PermissionError:
        logger.warning("%s may not be read and is passed over", folder)
        return []
    return sorted(f for f in files if not f.name.startswith(".") and is_dicom(f))


class DicomReader(ITKReader):
    """Read a DICOM file, or the one series of a folder, by ITK, as a MONAI image reader.

    MONAI's ITKReader takes the first of several series with no more than a warning, stacks slices of one place (echoes,
    time points, b-values) behind each other, gives evenly spaced coordinates to slices that are not, and squeezes
    rescaled values into the first slice's type: this one refuses what has no single true affine, and reads slices of
    different types as float32. Values are rescaled (slope, intercept); x comes first; the affine is in RAS.

    Raises:
        FileNotFoundError: (in ``read``) the folder holds no DICOM file.
        ValueError: (in ``read``) a file cannot be read, does not say where it lies, is in color, inverted
            (MONOCHROME1) or of several frames, or the folder holds several series, or one whose slices do not stand
            evenly behind each other.
    """

    def __init__(self) -> None:
        super().__init__()

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all names are DICOM files or folders."""
        return all(Path(name).is_dir() or is_dicom(name) for name in ensure_tuple(filename))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> Any:
        """Read one file or folder, or each of a list of them.

        Args:
            data: name or names.
            kwargs: further arguments of ``itk.imread``.

        Returns:
            an ITK image, or a list of them.
        """
        images = [self._read_one(Path(name), **kwargs) for name in ensure_tuple(data)]
        return images if len(images) > 1 else images[0]

    def _read_one(self, path: Path, **kwargs: Any) -> Any:
        slices = _series(path) if path.is_dir() else [_slice_of(path)]
        names = [str(slice_.file) for slice_ in slices]
        if len({slice_.component for slice_ in slices}) > 1:  # slopes of their own: ITK would cut to the first's type
            kwargs = {"pixel_type": itk.F, **kwargs}
        try:
            return itk.imread(names if len(names) > 1 else names[0], **kwargs)
        except RuntimeError as error:
            raise ValueError(f"{path}: its pixels cannot be decoded: decompress or repair it") from error


@dataclass(frozen=True, eq=False)
class _Slice:
    """Which series a file's image belongs to and where it lies, in millimeters, LPS."""

    file: Path
    series: str
    origin: np.ndarray
    direction: np.ndarray  # columns: along x, along y, normal
    spacing: tuple[float, float]
    size: tuple[int, int]
    component: int  # ITK's number of the type of its rescaled values


def _slice_of(file: Path) -> _Slice:
    io = itk.GDCMImageIO.New()
    io.SetFileName(str(file))
    try:
        io.ReadImageInformation()
    except RuntimeError as error:
        raise ValueError(f"{file}: not a DICOM image that can be read: repair it or take it out") from error
    tags = io.GetMetaDataDictionary()
    series, photometric = (str(tags[tag]).strip() if tags.HasKey(tag) else "" for tag in (_SERIES_UID, _PHOTOMETRIC))
    if io.GetNumberOfComponents() != 1:
        raise ValueError(f"{file}: the image must be grayscale, got {photometric or 'color'}: convert it")
    if photometric == "MONOCHROME1":
        raise ValueError(f"{file}: MONOCHROME1 shows high values dark: invert it to MONOCHROME2 first")
    if io.GetNumberOfDimensions() > 2 and io.GetDimensions(2) > 1:
        raise ValueError(
            f"{file}: it holds {io.GetDimensions(2)} frames, whose places cannot be checked: export one file a slice"
        )
    missing = [name for tag, name in _GEOMETRY.items() if not tags.HasKey(tag)]
    if missing:
        raise ValueError(
            f"{file}: where it lies is not known, {' and '.join(missing)} are missing: convert it to NIfTI or PNG first"
        )
    return _Slice(
        file,
        series,
        np.array([io.GetOrigin(i) for i in range(3)]),
        np.array([io.GetDirection(i) for i in range(3)]).T,
        (io.GetSpacing(0), io.GetSpacing(1)),
        (io.GetDimensions(0), io.GetDimensions(1)),
        int(io.GetComponentType()),
    )


def _series(folder: Path) -> list[_Slice]:
    """The slices of the folder's only series, along their normal, evenly spaced so that one affine is true of all."""
    slices = [_slice_of(file) for file in dicom_files(folder)]
    if not slices:
        raise FileNotFoundError(f"{folder}: the folder holds no DICOM file")
    count = len({s.series for s in slices})
    if count > 1:
        raise ValueError(
            f"{folder}: the {len(slices)} DICOM files must be one series, got {count} series: "
            "give each series a folder of its own"
        )
    if len(slices) == 1:
        return slices
    first = slices[0]
    remedy = "enlarge the files one by one, or resample the series first"
    for other in slices[1:]:
        same = np.allclose(other.direction, first.direction, atol=1e-3) and np.allclose(other.spacing, first.spacing)
        if other.size != first.size or not same:
            raise ValueError(
                f"{folder}: all slices must have one size, pixel spacing and orientation, {other.file.name} has others "
                f"than {first.file.name}: {remedy}"
            )
    normal = first.direction[:, 2]
    slices.sort(key=lambda s: float(s.origin @ normal))
    steps = np.diff([s.origin for s in slices], axis=0)
    along = steps @ normal
    distance = float(np.mean(along))
    if along.min() < max(_UNEVEN * distance, _SAME_PLACE):
        raise ValueError(
            f"{folder}: the series has several images at one place (echoes, times, b-values): split it into volumes"
        )
    worst = float(np.abs(along - distance).max())
    if worst > _UNEVEN * distance:
        raise ValueError(
            f"{folder}: slices must be evenly spaced, their distance of {distance:.2f} mm varies by {worst:.2f} mm "
            f"(is one missing?): {remedy}"
        )
    sideways = float(np.linalg.norm(steps - np.outer(along, normal), axis=1).max())
    if sideways > _UNEVEN * distance:
        raise ValueError(
            f"{folder}: slices must stand right behind each other, one lies {sideways:.2f} mm aside of the one before "
            f"(a tilted gantry): {remedy}"
        )
    return slices
