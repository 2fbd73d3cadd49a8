# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A MONAI image reader for NIfTI files that keeps qform and sform and reads to the checksum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from monai.config import PathLike
from monai.data import ImageReader
from monai.data.image_reader import _copy_compatible_dict, _stack_images
from monai.data.utils import is_supported_format
from monai.utils import MetaKeys, SpaceKeys, ensure_tuple

from monai_srgan.data.nifti_file import NiftiFile, read_nifti
from monai_srgan.data.spatial_forms import SPATIAL_FORMS, SpatialForms

__all__ = ["NiftiReader"]


class NiftiReader(ImageReader):
    """MONAI image reader for NIfTI-1 and NIfTI-2 files, see :func:`monai_srgan.data.read_nifti`.

    MONAI's NibabelReader stops before the checksum of a compressed file, so that a flipped bit is read as another
    value; it takes meters and micrometers for millimeters, and forgets which of qform and sform the affine is.

    The metadata contain the header's fields, in millimeters, ``affine`` and ``original_affine`` (the sform, else the
    qform, else one made of the spacing), ``spatial_shape``, ``original_channel_dim`` (NaN: no channel), ``space``
    (RAS), and both forms with their codes in ``spatial_forms``, which :class:`monai_srgan.transforms.SaveSR` restores.

    Raises:
        FileNotFoundError: (in ``read``) the file does not exist.
        ValueError: (in ``read`` and ``get_data``) the file cannot be used; the message names it.
    """

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all file names end in ``.nii`` or ``.nii.gz``."""
        return bool(is_supported_format(filename, ["nii", "nii.gz"]))

    def read(self, data: Sequence[PathLike] | PathLike, **_: Any) -> NiftiFile | list[NiftiFile]:
        """Read one or more files.

        Args:
            data: file name or sequence of file names.

        Returns:
            image and header, or a list of them for several files.
        """
        files = [read_nifti(name) for name in ensure_tuple(data)]
        return files if len(files) > 1 else files[0]

    def get_data(self, img: NiftiFile | Sequence[NiftiFile]) -> tuple[np.ndarray, dict]:
        """Array and metadata for the result of ``read``; several arrays are stacked along a new first axis."""
        files = [img] if isinstance(img, NiftiFile) else list(img)
        meta: dict = {}
        for file in files:
            forms = SpatialForms.from_header(file.header, file.path)
            header = {
                **dict(file.header.as_byteswapped("<")),
                MetaKeys.AFFINE: forms.affine.copy(),
                MetaKeys.ORIGINAL_AFFINE: forms.affine.copy(),
                MetaKeys.SPATIAL_SHAPE: np.asarray(file.array.shape[:3]),
                MetaKeys.ORIGINAL_CHANNEL_DIM: float("nan"),
                MetaKeys.SPACE: SpaceKeys.RAS,
                SPATIAL_FORMS: forms.to_meta(),
            }
            _copy_compatible_dict(header, meta)
        return _stack_images([file.array for file in files], meta), meta
