# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Read one image of unknown origin for inference, or say why it cannot be enlarged."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import nibabel as nib
import numpy as np
import torch
from monai.config import KeysCollection, PathLike
from monai.data import ImageReader, MetaTensor, NibabelReader, PILReader
from monai.transforms import LoadImaged
from monai.utils import ensure_tuple

from monai_srgan.data import DicomReader, MatReader

__all__ = ["LoadInputD", "LoadInputDict", "LoadInputd"]

GRAY_MODES = ("L", "I;16", "I;16B", "I", "F")  # Pillow's names of one-channel images whose numbers are intensities

_FLAT = 1e-12  # mm^3 of a voxel


class _NativeNumbers(ImageReader):
    """What :class:`LoadInputd` adds to a reader: numbers in this machine's byte order, and their type as it was.

    torch refuses another byte order, and has no uint16 that MONAI would use: it makes int32 of it.
    """

    def get_data(self, img: Any) -> tuple[np.ndarray, dict]:
        array, meta = super().get_data(img)
        if array.dtype.kind not in "biufc":
            raise ValueError(f"the image must hold one number a pixel, got {array.dtype}: convert it to one channel")
        native = array.dtype.newbyteorder("=")
        meta["source_dtype"] = native.name
        return array.astype(native, copy=False), meta


class _NiftiInput(_NativeNumbers, NibabelReader):
    """Without MONAI's correction of headers, which takes the qform, set or not, wherever pixdim and sform disagree."""

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> Any:
        self.filenames = ensure_tuple(data)  # which get_data asks for
        images = [nib.load(name, **kwargs) for name in self.filenames]
        return images if len(images) > 1 else images[0]


class _PictureInput(_NativeNumbers, PILReader):
    pass


class _DicomInput(_NativeNumbers, DicomReader):
    pass


class _MatInput(_NativeNumbers, MatReader):
    pass


class LoadInputd(LoadImaged):
    """Load a .mat, NIfTI, PNG or DICOM image as ``(1, X, Y, D)`` float32 in its own units, with its affine.

    MONAI's LoadImaged with :class:`monai_srgan.data.MatReader` and :class:`monai_srgan.data.DicomReader` added: the
    file's suffix chooses the reader, so that a reader's message about a bad file is not buried under those of six
    readers that never had a chance. The path of a folder is a DICOM series. A single slice becomes a volume of one
    slice; ``meta["source_ndim"]`` (2 or 3) remembers which it was, ``meta["source_dtype"]`` numpy's name of the type of
    its numbers: float64 where a slope and intercept were applied.

    Args:
        keys: keys of paths.
        mat_variable: variable to read in a .mat file, such as "cjdata/image".
        allow_missing_keys: skip keys that the data lacks.

    Raises:
        ValueError: the image is empty, complex, in colour or of more than three dimensions; the message names the file.
    """

    def __init__(
        self, keys: KeysCollection, mat_variable: str = "cjdata/image", allow_missing_keys: bool = False
    ) -> None:
        # dtype=None: a conversion to float32 at reading would drop an imaginary part without an error
        super().__init__(keys, dtype=None, ensure_channel_first=False, allow_missing_keys=allow_missing_keys)
        # the last is asked first: a folder is a DICOM series, whatever its name
        for reader in (_NiftiInput(), _PictureInput(), _MatInput(variable=mat_variable), _DicomInput()):
            self._loader.register(reader)

    def __call__(self, data: Mapping[Hashable, Any], reader: ImageReader | None = None) -> dict[Hashable, Any]:
        """Load the image of each key."""
        d: dict[Hashable, Any] = super().__call__(data, reader)
        for key in self.key_iterator(d):
            d[key] = as_volume(d[key])
        return d


def as_volume(image: MetaTensor) -> MetaTensor:
    """Give a loaded image, without a channel axis, the shape ``(1, X, Y, D)`` and float32, or refuse it.

    Raises:
        ValueError: see :class:`LoadInputd`.
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
    if mode is not None:  # no affine in a picture: x to the patient's left, y to the back, as MatReader has it
        image.affine = torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=torch.float64))
        image.meta["original_affine"] = image.affine.numpy()
    affine = image.affine.numpy()
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:-1, :-1])) < _FLAT:
        raise ValueError(
            f"{name}: the affine must give every pixel a place of its own, got {affine.tolist()}: repair it"
        )
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
