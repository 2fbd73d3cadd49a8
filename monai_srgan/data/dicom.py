# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Read DICOM files and series as images with a true affine, or raise an error that explains why there is none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import PathLike
from monai.data import ImageReader
from monai.data.image_reader import _copy_compatible_dict, _stack_images
from monai.utils import MetaKeys, SpaceKeys, ensure_tuple

from monai_srgan.data.dicom_geometry import sort_slices, stack_affine
from monai_srgan.data.dicom_pixels import stored_pixels
from monai_srgan.data.dicom_slice import DicomSlice, read_slice

__all__ = ["DICOM_SUFFIXES", "DicomImage", "DicomReader", "dicom_files", "is_dicom"]

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")

_INDEX = "DICOMDIR"  # a table of contents in DICOM format, not an image
_MAGIC_AT, _MAGIC = 128, b"DICM"
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


@dataclass(frozen=True, eq=False)
class DicomImage:
    """A slice or a volume.

    Attributes:
        values: ``(X, Y, D)``, rescaled.
        affine: ``(4, 4)``, from indices to millimeters in RAS.
    """

    values: np.ndarray
    affine: np.ndarray


class DicomReader(ImageReader):
    """MONAI image reader for a DICOM file, or a folder with one DICOM series.

    MONAI's ITKReader only warns when a folder has several series and reads the first. It stacks slices at the same
    position (echoes, time points, b-values), assigns evenly spaced coordinates to unevenly spaced slices, takes the
    geometry from tags that make no sense, and casts rescaled values to the type of the first slice. This reader parses
    the tags itself and raises an error if no single affine is true for all slices, or if the pixels are not what the
    tags describe. It builds the affine from positions and cosines; cosines that were rounded become perpendicular unit
    vectors. Values are rescaled (slope, intercept), x is the first axis, and the affine is in RAS.

    Padding (PixelPaddingValue, PixelPaddingRangeLimit) becomes 0, which is no signal, and in CT the lowest value if it
    is below 0. Identical copies of an image in a folder are read once, with a warning.

    ITK is needed only for compressed files, and only once one is read.

    Raises:
        OptionalImportError: (in ``read``) a file is compressed, and ITK is not installed.
        FileNotFoundError: (in ``read``) the folder contains no DICOM file.
        ValueError: (in ``read``) a file is damaged; its position, orientation, spacing or pixel description is missing
            or makes no sense; it is in color, inverted (MONOCHROME1), a mosaic or has several frames; or the folder
            contains several series, different images of one UID, or a series whose slices are not evenly stacked along
            their normal.
    """

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all paths are DICOM files or folders."""
        return all(Path(name).is_dir() or is_dicom(name) for name in ensure_tuple(filename))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> DicomImage | list[DicomImage]:  # noqa: ARG002
        """Read one or more files or series folders.

        Args:
            data: path or sequence of paths.
            kwargs: of MONAI's interface, not used.

        Returns:
            an image, or a list of images for several paths.
        """
        images = [_read_image(Path(name)) for name in ensure_tuple(data)]
        return images if len(images) > 1 else images[0]

    def get_data(self, img: DicomImage | Sequence[DicomImage]) -> tuple[np.ndarray, dict]:
        """Array and metadata for the result of ``read``; several images are stacked along a new first axis."""
        images = [img] if isinstance(img, DicomImage) else list(img)
        meta: dict = {}
        for image in images:
            header = {
                MetaKeys.AFFINE: image.affine.copy(),
                MetaKeys.ORIGINAL_AFFINE: image.affine.copy(),
                MetaKeys.SPATIAL_SHAPE: np.asarray(image.values.shape),
                MetaKeys.ORIGINAL_CHANNEL_DIM: float("nan"),
                MetaKeys.SPACE: SpaceKeys.RAS,
            }
            _copy_compatible_dict(header, meta)
        return _stack_images([image.values for image in images], meta), meta


def _read_image(path: Path) -> DicomImage:
    slices = _series(path) if path.is_dir() else [read_slice(path)]
    return DicomImage(_volume(path, slices), stack_affine(slices))


def _series(folder: Path) -> list[DicomSlice]:
    """The slices of a folder's only series, each once, sorted along their normal."""
    slices = [read_slice(file) for file in dicom_files(folder)]
    if not slices:
        raise FileNotFoundError(f"{folder}: the folder contains no DICOM file")
    count = len({s.series for s in slices})
    if count > 1:
        raise ValueError(
            f"{folder}: the {len(slices)} DICOM files must be one series, got {count} series: "
            "move each series to its own folder"
        )
    return sort_slices(folder, _without_copies(folder, slices))


def _without_copies(folder: Path, slices: list[DicomSlice]) -> list[DicomSlice]:
    kept: dict[str, DicomSlice] = {}  # a file without a UID is a key of its own
    copies = []
    for slice_ in slices:
        original = kept.setdefault(slice_.uid or slice_.file.name, slice_)
        if original is slice_:
            continue
        if not _same_image(original, slice_):
            raise ValueError(
                f"{folder}: {original.file.name} and {slice_.file.name} have the same SOPInstanceUID (0008,0018), "
                f"{slice_.uid!r}, but are different images: remove the wrong one"
            )
        copies.append(f"{slice_.file.name} (of {original.file.name})")
    if copies:
        logger.warning("%s: skipped copies: %s", folder, ", ".join(copies))
    return list(kept.values())


def _same_image(one: DicomSlice, other: DicomSlice) -> bool:
    if replace(one, file=other.file) != other:
        return False
    return np.array_equal(stored_pixels(one.file, one.pixels)[0], stored_pixels(other.file, other.pixels)[0])


def _volume(path: Path, slices: Sequence[DicomSlice]) -> np.ndarray:
    """Rescaled values, x first, in a type that holds those of all slices; padding set to the background."""
    images, padded = [], []
    for slice_ in slices:
        stored, padding = stored_pixels(slice_.file, slice_.pixels)
        is_rescaled = (slice_.slope, slice_.intercept) != (1.0, 0.0)
        images.append(stored.T * slice_.slope + slice_.intercept if is_rescaled else stored.T)
        padded.append(padding.T)
    volume, padding = np.stack(images, axis=-1), np.stack(padded, axis=-1)
    if padding.any():
        # Only in CT does the scale go below "no signal".
        darkest = volume[~padding].min(initial=0) if slices[0].modality == "CT" else 0
        volume[padding] = darkest
        logger.info("%s: set %d pixels of padding to %g", path, padding.sum(), darkest)
    if np.abs(volume).max() > np.finfo(np.float32).max:
        raise ValueError(
            f"{path}: values must fit into 32-bit floats after RescaleSlope (0028,1053) and RescaleIntercept "
            "(0028,1052), but do not: repair the tags, or export the files again"
        )
    return volume
