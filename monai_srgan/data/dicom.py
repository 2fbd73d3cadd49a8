# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Read DICOM files and series as images with a true affine, or raise an error that explains why there is none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import PathLike
from monai.data import ImageReader, ITKReader
from monai.utils import ensure_tuple, optional_import

__all__ = ["DICOM_SUFFIXES", "DicomReader", "dicom_files", "is_dicom", "read_header"]

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")

_INDEX = "DICOMDIR"  # a table of contents in DICOM format, not an image
_MAGIC_AT, _MAGIC = 128, b"DICM"
_UNEVEN = 0.01  # relative to the slice distance: covers the rounding of positions in DICOM's decimal strings
_SAME_PLACE = 1e-3  # mm
_SERIES_UID, _PHOTOMETRIC = "0020|000e", "0028|0004"
_GEOMETRY = {"0020|0032": "ImagePositionPatient", "0020|0037": "ImageOrientationPatient", "0028|0030": "PixelSpacing"}

logger = logging.getLogger(__name__)


def is_dicom(path: PathLike) -> bool:
    """Whether a file is DICOM, by its suffix or its first bytes (PS3.10, section 7.1); many have no suffix."""
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
        logger.warning("no permission to read %s, which may be DICOM: skipped", path)
        return False


def dicom_files(folder: PathLike) -> list[Path]:
    """The DICOM files directly in a folder, sorted by name.

    Hidden files are skipped, and so are, with a warning, files and folders without read permission.
    """
    try:
        files = list(Path(folder).iterdir())
    except PermissionError:
        logger.warning("no permission to read %s: skipped", folder)
        return []
    return sorted(f for f in files if not f.name.startswith(".") and is_dicom(f))


class DicomReader(ImageReader):
    """MONAI image reader for a DICOM file, or a folder with one DICOM series, based on ITK.

    MONAI's ITKReader only warns when a folder has several series and reads the first. It stacks slices at the same
    position (echoes, time points, b-values), assigns evenly spaced coordinates to unevenly spaced slices, and casts
    rescaled values to the type of the first slice. This reader raises an error if no single affine is true for all
    slices, and reads slices of different types as float32. Values are rescaled (slope, intercept), x is the first axis,
    and the affine is in RAS.

    ITK is needed only once a file is read.

    Raises:
        OptionalImportError: (in ``read``) ITK is not installed.
        FileNotFoundError: (in ``read``) the folder contains no DICOM file.
        ValueError: (in ``read``) a file cannot be read, has no position, orientation or spacing, is in color, is
            inverted (MONOCHROME1) or has several frames, or the folder contains several series or a series whose slices
            are not evenly stacked along their normal.
    """

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all paths are DICOM files or folders."""
        return all(Path(name).is_dir() or is_dicom(name) for name in ensure_tuple(filename))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> Any:
        """Read one or more files or series folders.

        Args:
            data: path or sequence of paths.
            kwargs: further arguments of ``itk.imread``.

        Returns:
            an ITK image, or a list of ITK images for several paths.
        """
        images = [self._read_one(Path(name), **kwargs) for name in ensure_tuple(data)]
        return images if len(images) > 1 else images[0]

    def get_data(self, img: Any) -> tuple[np.ndarray, dict]:
        """Array and metadata for the result of ``read``, as :py:class:`monai.data.ITKReader` returns them."""
        array, meta = ITKReader().get_data(img)
        return array, meta

    def _read_one(self, path: Path, **kwargs: Any) -> Any:
        itk, _ = optional_import("itk")
        slices = _series(path) if path.is_dir() else [_slice_of(path)]
        names = [str(slice_.file) for slice_ in slices]
        if len({slice_.component for slice_ in slices}) > 1:  # ITK would cast all to the first slice's type
            kwargs = {"pixel_type": itk.F, **kwargs}
        try:
            return itk.imread(names if len(names) > 1 else names[0], **kwargs)
        except RuntimeError as error:
            raise ValueError(f"{path}: the pixels cannot be decoded: decompress or repair the file") from error


@dataclass(frozen=True, eq=False)
class _Slice:
    """The series of a slice and its geometry in millimeters, LPS."""

    file: Path
    series: str
    origin: np.ndarray
    direction: np.ndarray  # columns: along x, along y, normal
    spacing: tuple[float, float]
    size: tuple[int, int]
    component: int  # ITK's code for the type of the rescaled values


def read_header(file: Path) -> Any:
    """ITK's reader of a DICOM file, with its header read.

    Raises:
        OptionalImportError: ITK is not installed.
        ValueError: the file is not a DICOM image.
    """
    itk, _ = optional_import("itk")
    io = itk.GDCMImageIO.New()
    io.SetFileName(str(file))
    try:
        io.ReadImageInformation()
    except RuntimeError as error:
        raise ValueError(f"{file}: cannot be read as a DICOM image: repair or remove it") from error
    return io


def _slice_of(file: Path) -> _Slice:
    io = read_header(file)
    tags = io.GetMetaDataDictionary()
    series, photometric = (str(tags[tag]).strip() if tags.HasKey(tag) else "" for tag in (_SERIES_UID, _PHOTOMETRIC))
    if io.GetNumberOfComponents() != 1:
        raise ValueError(f"{file}: the image must be grayscale, got {photometric or 'color'}: convert it to grayscale")
    if photometric == "MONOCHROME1":
        raise ValueError(f"{file}: MONOCHROME1 displays high values as dark: convert it to MONOCHROME2 first")
    if io.GetNumberOfDimensions() > 2 and io.GetDimensions(2) > 1:
        raise ValueError(
            f"{file}: has {io.GetDimensions(2)} frames, whose positions cannot be checked: export one file per slice"
        )
    missing = [name for tag, name in _GEOMETRY.items() if not tags.HasKey(tag)]
    if missing:
        raise ValueError(
            f"{file}: its position is unknown, missing {' and '.join(missing)}: convert it to NIfTI or PNG first"
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
    """The slices of a folder's only series, sorted along their normal and checked for even spacing."""
    slices = [_slice_of(file) for file in dicom_files(folder)]
    if not slices:
        raise FileNotFoundError(f"{folder}: the folder contains no DICOM file")
    count = len({s.series for s in slices})
    if count > 1:
        raise ValueError(
            f"{folder}: the {len(slices)} DICOM files must be one series, got {count} series: "
            "move each series to its own folder"
        )
    if len(slices) == 1:
        return slices
    first = slices[0]
    remedy = "enlarge the files one by one, or resample the series first"
    for other in slices[1:]:
        same = np.allclose(other.direction, first.direction, atol=1e-3) and np.allclose(other.spacing, first.spacing)
        if other.size != first.size or not same:
            raise ValueError(
                f"{folder}: all slices must have the same size, pixel spacing and orientation, but {other.file.name} "
                f"differs from {first.file.name}: {remedy}"
            )
    normal = first.direction[:, 2]
    slices.sort(key=lambda s: float(s.origin @ normal))
    steps = np.diff([s.origin for s in slices], axis=0)
    along = steps @ normal
    distance = float(np.mean(along))
    if along.min() < max(_UNEVEN * distance, _SAME_PLACE):
        raise ValueError(
            f"{folder}: the series has several images at one position (echoes, times, b-values): split it into volumes"
        )
    worst = float(np.abs(along - distance).max())
    if worst > _UNEVEN * distance:
        raise ValueError(
            f"{folder}: slices must be evenly spaced, but their distance of {distance:.2f} mm varies by {worst:.2f} mm "
            f"(is one missing?): {remedy}"
        )
    sideways = float(np.linalg.norm(steps - np.outer(along, normal), axis=1).max())
    if sideways > _UNEVEN * distance:
        raise ValueError(
            f"{folder}: slices must be stacked along their normal, but one is shifted by {sideways:.2f} mm in plane "
            f"(tilted gantry): {remedy}"
        )
    return slices
