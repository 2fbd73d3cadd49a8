# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Affines of low-resolution and super-resolved grids."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.transforms.utils import scale_affine
from torch import Tensor

from monai_srgan.transforms.conversion import as_array, as_tensor

__all__ = ["SRGeometry", "SRGeometryD", "SRGeometryDict", "SRGeometryd", "scaled_affine"]


def scaled_affine(affine: Tensor | np.ndarray, factor: float) -> Tensor:
    """Affine of a grid that covers the same field of view with in-plane pixels `factor` times as wide.

    On the first two axes, pixel i of the new grid lies at index ``factor * i + (factor - 1) / 2`` of the old one;
    further axes do not change. ``scaled_affine(scaled_affine(a, 4), 1 / 4)`` returns ``a``.

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
    # scale_affine takes sizes and uses only their ratio: pass it directly, which also works for factor < 1.
    size = (float(factor), float(factor), 1.0)[:rank]
    return matrix @ torch.as_tensor(scale_affine(size, (1.0,) * rank, centered=True), dtype=torch.float64)


def with_grid(data: Tensor, ref: MetaTensor, affine: Tensor) -> MetaTensor:
    """Make `data` a MetaTensor with a copy of the metadata of `ref`, but on its own grid.

    ``original_affine`` and ``spatial_shape`` describe the new grid as well, because SaveImage(resample=True) and MONAI
    Label resample to them. Operations recorded for `ref` are dropped: their sizes belong to the grid of `ref`.

    Args:
        data: ``(C, H, W)`` or ``(C, H, W, D)``; not copied.
        ref: image that provides the metadata; not modified.
        affine: affine of the grid of `data`; copied.
    """
    # Copies: an in-place change of one affine must not reach the other, nor that of another image.
    original = as_array(affine).copy()
    grid = {"affine": affine.clone(), "original_affine": original, "spatial_shape": np.asarray(data.shape[1:])}
    return MetaTensor(data.as_subclass(Tensor), meta={**ref.meta, **grid})


class SRGeometry(Transform):
    """Set the true affine of a super-resolved image, which follows from its low-resolution reference.

    Args:
        scale: in-plane ratio of the two grids.
    """

    def __init__(self, scale: int = 4) -> None:
        self.scale = scale

    def __call__(self, pred: Any, ref: Any) -> MetaTensor:
        """Return `pred` as a MetaTensor with the metadata of `ref` and the affine of the finer grid.

        Args:
            pred: ``(C, scale * H, scale * W)`` or ``(C, scale * H, scale * W, D)``, array or tensor; not copied.
            ref: low-resolution image, a MetaTensor ``(C', H, W)`` or ``(C', H, W, D)``; not modified.

        Raises:
            ValueError: if `ref` has no affine or the sizes do not match.
        """
        return _on_finer_grid(pred, ref, self.scale, "pred", "ref")


class SRGeometryd(MapTransform):
    """Dictionary version of :class:`SRGeometry`, which also makes the reference describe the finer grid.

    ``original_affine`` and ``spatial_shape`` of the reference are set to the finer grid: MONAI Label takes them from
    the reference and would otherwise silently resample the result back to the coarse grid.

    Args:
        keys: super-resolved images, ``(C, scale * H, scale * W)`` or ``(C, scale * H, scale * W, D)``, array or tensor.
        ref_key: the network's low-resolution input, a MetaTensor ``(C', H, W)`` or ``(C', H, W, D)``. Its pixels and
            affine do not change.
        scale: in-plane ratio of the two grids.
        allow_missing_keys: whether to skip missing keys.

    Raises:
        ValueError: on call, if the reference has no affine or the sizes do not match.
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
        """Return a copy of `data` with new metadata for `keys` and the reference; no pixel changes."""
        d = dict(data)
        ref: Any = d.get(self.ref_key)
        for key in self.key_iterator(d):
            d[key] = pred = _on_finer_grid(d[key], ref, self.scale, str(key), str(self.ref_key))
            grid = {"original_affine": as_array(pred.affine).copy(), "spatial_shape": np.asarray(pred.shape[1:])}
            d[self.ref_key] = MetaTensor(
                ref.as_tensor(), meta={**ref.meta, **grid}, applied_operations=list(ref.applied_operations)
            )
        return d


def _on_finer_grid(pred: Any, ref: Any, scale: int, name: str, ref_name: str) -> MetaTensor:
    """`pred` with the metadata of `ref` and the affine of the finer grid; errors use the names of the two images."""
    if not isinstance(ref, MetaTensor):
        raise ValueError(
            f"'{ref_name}' must be a MetaTensor, whose affine determines that of '{name}', got "
            f"{type(ref).__name__}: load it with LoadImaged or EnsureTyped(track_meta=True), leave set_track_meta(True)"
            ", and give a PersistentDataset track_meta=True and weights_only=False"
        )
    height, width, *depth = ref.shape[1:]
    size = (height * scale, width * scale, *depth)
    image = as_tensor(pred)
    if tuple(image.shape[1:]) != size:
        raise ValueError(
            f"'{name}' must have spatial size {size}, {scale} times that of '{ref_name}', "
            f"got {tuple(image.shape[1:])}: crop both alike, or set the scale of the network"
        )
    return with_grid(image, ref, scaled_affine(ref.affine, 1 / scale))


SRGeometryD = SRGeometryDict = SRGeometryd
