# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Where pixels lie: affines of the low- and super-resolved grids, and the training crop."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.transforms.utils import scale_affine
from torch import Tensor

from monai_srgan.transforms.conversion import as_array, as_tensor

__all__ = ["SRGeometryD", "SRGeometryDict", "SRGeometryd", "scaled_affine"]


def scaled_affine(affine: Tensor | np.ndarray, factor: float) -> Tensor:
    """Affine of a grid that covers the same field of view with pixels `factor` times as wide in plane.

    Pixel i of the new grid lies at index ``factor * i + (factor - 1) / 2`` of the old one, on the first two axes;
    further axes are untouched. ``scaled_affine(scaled_affine(a, 4), 1 / 4)`` is ``a`` again.

    Args:
        affine: ``(r + 1, r + 1)`` affine of the old grid, r = 2 or 3.
        factor: new spacing / old spacing, > 0: 4 from HR to a 4x lower resolution, 1/4 from LR to 4x super-resolution.

    Returns:
        float64 tensor of the shape of `affine`.

    Raises:
        ValueError: if `affine` is not square of size 3 or 4, or `factor` is not positive.
    """
    matrix = as_tensor(affine).to(torch.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] not in (3, 4):
        raise ValueError(f"affine must have shape (3, 3) or (4, 4), got {tuple(matrix.shape)}")
    if not factor > 0:
        raise ValueError(f"factor must be > 0 (new spacing / old spacing), got {factor}")
    rank = matrix.shape[0] - 1
    # scale_affine takes sizes, of which it uses the ratio alone: both divided by the new one, to allow for factor < 1.
    size = (float(factor), float(factor), 1.0)[:rank]
    return matrix @ torch.as_tensor(scale_affine(size, (1.0,) * rank, centered=True), dtype=torch.float64)


def with_grid(data: Tensor, ref: MetaTensor, affine: Tensor) -> MetaTensor:
    """`data` as a MetaTensor with a copy of `ref`'s meta data, but on its own grid.

    ``original_affine`` and ``spatial_shape`` name the new grid too: SaveImage(resample=True) and MONAI Label resample
    to those. Operations recorded for `ref` are dropped, since their sizes belong to the grid of `ref`.

    Args:
        data: ``(C, H, W)`` or ``(C, H, W, D)``; not copied.
        ref: image that lends its meta data; left as it is.
        affine: affine of the grid of `data`; copied.
    """
    # Copies: a later in-place change of one affine must not reach the other, nor that of another image.
    original = as_array(affine).copy()
    grid = {"affine": affine.clone(), "original_affine": original, "spatial_shape": np.asarray(data.shape[1:])}
    return MetaTensor(data.as_subclass(Tensor), meta={**ref.meta, **grid})


class SRGeometryd(MapTransform):
    """Give a super-resolved image the true affine that follows from its low-resolution reference.

    ``pred`` becomes a MetaTensor with the reference's meta data and the affine of the finer grid. On ``pred`` and on
    the reference, ``original_affine`` and ``spatial_shape`` are set to the finer grid: MONAI Label takes them from the
    reference, and would otherwise resample the result back to the coarse grid without a word.

    Args:
        keys: super-resolved images, ``(C, scale * H, scale * W)`` or ``(C, scale * H, scale * W, D)``, array or tensor.
        ref_key: the network's low-resolution input, a MetaTensor ``(C', H, W)`` or ``(C', H, W, D)``. Its pixels and
            affine stay as they are.
        scale: ratio of the two grids in plane.
        allow_missing_keys: whether to skip keys that are absent.

    Raises:
        ValueError: if the reference has no affine or the sizes do not fit.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        ref_key: str = "image",
        scale: int = 4,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.ref_key = ref_key
        self.scale = scale

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with the images of `keys` and the reference re-labelled; no pixel is changed."""
        d = dict(data)
        ref = d.get(self.ref_key)
        if not isinstance(ref, MetaTensor):
            raise ValueError(
                f"'{self.ref_key}' must be a MetaTensor, whose affine tells where '{self.keys[0]}' lies, "
                f"got {type(ref).__name__}: load it with LoadImaged or EnsureTyped(track_meta=True)"
            )
        affine = scaled_affine(ref.affine, 1 / self.scale)
        height, width, *depth = ref.shape[1:]
        size = (height * self.scale, width * self.scale, *depth)
        for key in self.key_iterator(d):
            pred = as_tensor(d[key])
            if tuple(pred.shape[1:]) != size:
                raise ValueError(
                    f"'{key}' must have spatial size {size}, {self.scale} times that of '{self.ref_key}', "
                    f"got {tuple(pred.shape[1:])}: crop both alike, or pass the scale of the network"
                )
            d[key] = with_grid(pred, ref, affine)
            # The trap described above: MONAI Label believes the reference, not pred.
            grid = {"original_affine": as_array(affine).copy(), "spatial_shape": np.asarray(size)}
            d[self.ref_key] = MetaTensor(
                ref.as_tensor(), meta={**ref.meta, **grid}, applied_operations=list(ref.applied_operations)
            )
        return d


SRGeometryD = SRGeometryDict = SRGeometryd
