# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Load an image of any supported format for inference, or explain why it cannot be enlarged."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection, PathLike
from monai.data import ImageReader, MetaTensor, get_track_meta
from monai.transforms import LoadImage, LoadImaged
from monai.utils import MetaKeys, ensure_tuple
from nibabel.affines import voxel_sizes

from monai_srgan.data import DicomReader, MatReader, NiftiReader, PngReader, image_stem, read_acquisition
from monai_srgan.data.mat_file import MatVariableError
from monai_srgan.data.regular_file import require_regular_file
from monai_srgan.data.slice_axis import find_slice_axis
from monai_srgan.data.spatial_forms import is_invertible
from monai_srgan.errors import about
from monai_srgan.transforms.image_files import LAST_AXIS, SLICE_AXIS

__all__ = ["LoadInput", "LoadInputD", "LoadInputDict", "LoadInputd"]

GRAY_MODES = ("L", "I;16", "I;16B", "I", "F")  # Pillow's names of one-channel images whose values are intensities

logger = logging.getLogger(__name__)


class _NativeNumbers(ImageReader):
    """Extends a reader: values in the machine's byte order, and their original dtype in the metadata.

    torch refuses another byte order, and MONAI converts uint16 to int32.
    """

    def get_data(self, img: Any) -> tuple[np.ndarray, dict]:
        array, meta = super().get_data(img)
        if array.dtype.kind not in "biufc":
            raise ValueError(f"the image must have one number per pixel, got {array.dtype}: convert it to one channel")
        native = array.dtype.newbyteorder("=")
        meta["source_dtype"] = native.name
        return array.astype(native, copy=False), meta


class _NiftiInput(_NativeNumbers, NiftiReader):
    """Moves the axis of the slices to the end, and notes where it was."""

    def get_data(self, img: Any) -> tuple[np.ndarray, dict]:
        array, meta = super().get_data(img)
        array = array.reshape(array.shape[:3])  # the reader refuses further axes of more than one pixel
        if array.ndim < 3:
            return array, meta
        affine = np.asarray(meta[MetaKeys.AFFINE])
        axis = find_slice_axis(array.shape, voxel_sizes(affine), img.header.get_dim_info()[2])
        if axis != LAST_AXIS:
            logger.info(
                "%s: the slices lie along the %s axis: enlarged in plane", img.path.name, ("first", "second")[axis]
            )
            order = [n for n in range(3) if n != axis] + [axis]
            array, affine = array.transpose(order), affine[:, [*order, 3]]
            grid = {MetaKeys.AFFINE: affine, MetaKeys.ORIGINAL_AFFINE: affine.copy()}
            meta |= {**grid, MetaKeys.SPATIAL_SHAPE: np.asarray(array.shape), SLICE_AXIS: axis}
        return array, meta


class _PictureInput(_NativeNumbers, PngReader):
    pass


class _DicomInput(_NativeNumbers, DicomReader):
    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> Any:
        image = super().read(data, **kwargs)
        self.acquisition = read_acquisition(ensure_tuple(data)[0]).to_dict()  # get_data reads it
        return image

    def get_data(self, img: Any) -> tuple[np.ndarray, dict]:
        array, meta = super().get_data(img)
        return array, {**meta, "acquisition": self.acquisition}


class _MatInput(_NativeNumbers, MatReader):
    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> Any:
        try:
            return super().read(data, **kwargs)
        except MatVariableError as error:
            about(error, "mat_variable")
            raise


class LoadInput(LoadImage):
    """Load a .mat, NIfTI, PNG or DICOM image as ``(1, X, Y, D)`` float32 in its own units, with its affine.

    MONAI's LoadImage with this package's readers of MATLAB, NIfTI, PNG and DICOM files. The suffix of the file selects
    the reader, so that the message about a bad file is that of its own reader and not of six others. A folder is a
    DICOM series. A single slice becomes a volume of one slice; ``meta["source_ndim"]`` (2 or 3) holds the original
    number of axes, ``meta["source_dtype"]`` numpy's name of the original dtype: float64 if slope and intercept were
    applied, and for DICOM ``meta["acquisition"]`` the dictionary of :class:`monai_srgan.data.AcquisitionTags`.

    For NIfTI, ``meta["spatial_forms"]`` holds qform and sform, see :class:`monai_srgan.data.SpatialForms`. Where the
    slices do not lie along the last axis (a sagittal volume that a tool reoriented), theirs is moved there, and
    ``meta["slice_axis"]`` holds its place in the file, to which :class:`SaveSR` moves it back.

    Args:
        mat_variable: variable to read in a .mat file, such as "cjdata/image".

    Raises:
        FileNotFoundError: on call, if the file does not exist.
        ValueError: on call, if it is no regular file, of another type or damaged, or if the image is empty, complex, a
            color image or has more than three dimensions; the message names the file.
    """

    def __init__(self, mat_variable: str = "cjdata/image") -> None:
        # dtype=None: conversion to float32 while reading would silently drop an imaginary part
        super().__init__(dtype=None, ensure_channel_first=False)
        # The last registered reader is tried first: a folder is a DICOM series, whatever its name.
        for reader in (_NiftiInput(), _PictureInput(), _MatInput(variable=mat_variable), _DicomInput()):
            self.register(reader)

    def __call__(self, filename: Sequence[PathLike] | PathLike, reader: ImageReader | None = None) -> Any:
        """Load one image.

        Args:
            filename: path of one file, or of a folder with a DICOM series.
            reader: use this reader instead, for any type of file.

        Returns:
            the image; with its metadata as a second item if ``image_only`` is False, which MONAI Label sets. After
            ``monai.data.set_track_meta(False)`` the image is a plain tensor, without its affine.
        """
        names = ensure_tuple(filename)
        if len(names) != 1:
            raise ValueError(f"filename must be one image, got {len(names)}: load them one by one")
        path = Path(names[0]).expanduser()
        if not path.is_dir():
            require_regular_file(path)
        if reader is None:
            image_stem(path)  # refuses other types, which MONAI's own readers would take
        if not get_track_meta():
            loader = copy.copy(self)  # not in self, which threads share
            loader.image_only = False
            array, meta = LoadImage.__call__(loader, path, reader)
            while array.ndim > 3 and array.shape[-1] == 1:  # here, since indexing drops the metadata now
                array = array[..., 0]
            volume = _as_volume(MetaTensor(array, meta=meta)).as_subclass(torch.Tensor)
            return volume if self.image_only else (volume, meta)
        loaded = super().__call__(path, reader)
        return _as_volume(loaded) if self.image_only else (_as_volume(loaded[0]), loaded[1])


class LoadInputd(LoadImaged):
    """Dictionary version of :class:`LoadInput`.

    Args:
        keys: keys of paths.
        mat_variable: see :class:`LoadInput`.
        allow_missing_keys: whether to skip missing keys.

    Raises:
        ValueError: on call, see :class:`LoadInput`.
    """

    def __init__(
        self, keys: KeysCollection, mat_variable: str = "cjdata/image", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, ensure_channel_first=False, allow_missing_keys=allow_missing_keys)
        self._loader = LoadInput(mat_variable)


def _as_volume(image: MetaTensor) -> MetaTensor:
    """Give a loaded image, without a channel axis, the shape ``(1, X, Y, D)`` and float32, or refuse it.

    Raises:
        ValueError: see :class:`LoadInput`.
    """
    name = image.meta.get("filename_or_obj", "image")
    mode = image.meta.get("mode")
    shape = tuple(image.shape)
    if mode is not None and mode not in GRAY_MODES:
        raise ValueError(f"{name}: the picture must be grayscale, got mode {mode}: convert it to one channel")
    if image.numel() == 0:
        raise ValueError(f"{name}: the image is empty, its shape is {shape}")
    if image.is_complex():
        raise ValueError(f"{name}: the image must be real, got {image.dtype}: take its magnitude first")
    if mode is not None:  # a picture has no affine: x to the patient's left, y to the back, as in MatReader
        image.affine = torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=torch.float64))
        image.meta["original_affine"] = image.affine.numpy()
    affine = image.affine.numpy()
    if not is_invertible(affine):
        raise ValueError(f"{name}: the affine must be finite and invertible, got {affine.tolist()}: repair it")
    while image.ndim > 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3):
        raise ValueError(f"{name}: the image must be a slice (X, Y) or a volume (X, Y, D), got shape {shape}: split it")
    image.meta["source_ndim"] = image.ndim
    image.meta.setdefault("source_dtype", str(image.dtype).removeprefix("torch."))
    image.meta["original_channel_dim"] = "no_channel"
    volume = image[..., None] if image.ndim == 2 else image
    return volume[None].to(torch.float32)


LoadInputD = LoadInputDict = LoadInputd
