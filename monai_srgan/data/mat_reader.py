# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A MONAI image reader for MATLAB files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from monai.config import PathLike
from monai.data import ImageReader
from monai.data.image_reader import _copy_compatible_dict, _stack_images
from monai.data.utils import is_supported_format
from monai.utils import MetaKeys, SpaceKeys, ensure_tuple

from monai_srgan.data.mat_file import MatVariableError, check_version, read_mat

__all__ = ["PIXEL_SPACING", "MatReader", "slice_affine"]

#: Millimeters along x, y and between slices (6 mm thickness + 1 mm gap), as stated by the author of the figshare set.
PIXEL_SPACING = (0.49, 0.49, 7.0)


def slice_affine(spacing: Sequence[float] = PIXEL_SPACING) -> np.ndarray:
    """Affine of an x-first slice from pixel indices to millimeters in RAS: ``diag(-sx, -sy, sz, 1)``.

    The author documents only the spacing. The files contain neither the plane of the slice (axial, sagittal and coronal
    are mixed) nor its position, so the orientation is a convention: x increases to the patient's left and y to the
    back, as in an axial slice in radiological view, and as ITK reads pictures without orientation. An axial slice saved
    as NIfTI is then upright in a viewer; so are sagittal and coronal slices, but they lie in the axial plane.

    Args:
        spacing: millimeters along x, y and between slices.

    Returns:
        ``(4, 4)`` float64.

    Raises:
        ValueError: ``spacing`` is not three positive numbers.
    """
    if len(spacing) != 3 or not all(np.isfinite(s) and s > 0 for s in spacing):
        raise ValueError(f"spacing must be three positive numbers of millimeters (x, y, slice), got {tuple(spacing)}.")
    return np.diag([-spacing[0], -spacing[1], spacing[2], 1.0]).astype(np.float64)


class MatReader(ImageReader):
    """MONAI image reader for arrays in MATLAB files, version 7.3 (HDF5, with h5py) and version 5 (with scipy).

    Use it as ``LoadImage(reader=MatReader())`` or by name, ``LoadImage(reader="monai_srgan.data.MatReader")``. As in
    MONAI's other readers x, MATLAB's column, comes first: a 2-D array has shape ``(X, Y)``, a 3-D array ``(X, Y, Z)``.
    An array gives the same result in both file versions. Several files are stacked along a new first axis.

    The metadata contain ``affine`` and ``original_affine`` (see :func:`slice_affine` for what is known and what is
    convention), ``spatial_shape``, ``original_channel_dim`` (NaN: no channel) and ``space`` (RAS).

    ``LoadImage`` and ``LoadImaged`` turn the error of an unreadable file into a long ``RuntimeError``: MONAI tries its
    own readers next and lists all tracebacks, the ``MatFileError`` among them. For slices of the figshare set
    :class:`monai_srgan.transforms.LoadMatd` raises only the ``MatFileError``.

    Args:
        variable: path of the array in the file, with slashes between structs and fields.
        version: accept only files of this version, ``"7.3"`` or ``"5"``; None accepts both.
        spacing: millimeters along x, y and between slices. MATLAB files have no spacing; the default is that of the
            figshare set.

    Raises:
        MatFileError: (in ``read``) the file is not a MATLAB file, is truncated, has the other version, or does not
            contain a numeric 2-D or 3-D array of this name.
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
        """Whether all file names end in ``.mat``."""
        return bool(is_supported_format(filename, ["mat"]))

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> np.ndarray | list[np.ndarray]:
        """Read the variable from one or more files.

        Args:
            data: file name or sequence of file names.
            kwargs: ``variable`` overrides that of the constructor.

        Returns:
            an array, or a list of arrays for several files.
        """
        variable = kwargs.pop("variable", self.variable)
        arrays = []
        for name in ensure_tuple(data):
            array = read_mat(name, variable, version=self.version)
            if array.ndim not in (2, 3) or array.dtype.kind not in "biuf" or array.size == 0:
                raise MatVariableError(
                    f"{name}: {variable!r} must be a 2-D or 3-D array of real numbers, "
                    f"got shape {array.shape} of {array.dtype}."
                )
            arrays.append(array)
        return arrays if len(arrays) > 1 else arrays[0]

    def get_data(self, img: np.ndarray | Sequence[np.ndarray]) -> tuple[np.ndarray, dict]:
        """Array and metadata for the result of ``read``; several arrays are stacked along a new first axis."""
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
