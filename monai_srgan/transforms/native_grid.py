# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Reduce an image that a scanner zero-filled to the grid it acquired, and bring results back to the image's grid."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.transforms.utils import scale_affine
from torch import Tensor

from monai_srgan.physics import SupportEstimate, estimate_support, fourier_resize, native_size
from monai_srgan.transforms.affine import with_grid
from monai_srgan.transforms.source_name import source_name

__all__ = [
    "FromNativeGrid",
    "FromNativeGridD",
    "FromNativeGridDict",
    "FromNativeGridd",
    "ToNativeGrid",
    "ToNativeGridD",
    "ToNativeGridDict",
    "ToNativeGridd",
    "resized_affine",
]

NATIVE_GRID = "native_grid"
"""Metadata key of what :class:`ToNativeGrid` did: a dictionary."""

_GRIDS = ("input", "native")
_MODES = ("fourier", "linear")


def resized_affine(affine: Tensor | np.ndarray, old_size: Sequence[int], new_size: Sequence[int]) -> Tensor:
    """Affine of another in-plane grid of the same field of view.

    On the first two axes, pixel i of the new grid lies at index ``s i + (s - 1) / 2`` of the old one, ``s = old / new``
    of the axis; further axes do not change.

    Args:
        affine: ``(4, 4)`` affine of the old grid.
        old_size: its pixels along the first two axes.
        new_size: those of the new grid.

    Returns:
        float64 ``(4, 4)``.
    """
    matrix = torch.as_tensor(np.asarray(affine), dtype=torch.float64)
    sizes = (*map(float, old_size), 1.0), (*map(float, new_size), 1.0)
    return matrix @ torch.as_tensor(scale_affine(*sizes, centered=True), dtype=torch.float64)


class ToNativeGrid(Transform):
    """Crop k-space to what was acquired, where the scanner filled it with zeros; see :func:`estimate_support`.

    In plane only. Both axes shrink by the same ratio, see :func:`monai_srgan.physics.native_size`. Values are kept as
    they come: ringing may be negative. An image that is not zero-filled along both axes, constant or smaller than 32
    pixels does not change. ``meta["native_grid"]`` records what was done: ``changed``, ``reason`` in words,
    ``input_size`` and ``size`` in pixels, and, where known, ``width`` and ``uncertainty``, the acquired samples along
    both axes.
    """

    def __call__(self, image: Any, estimate: SupportEstimate | None = None) -> MetaTensor:
        """Reduce one image; it is not modified.

        Args:
            image: MetaTensor ``(1, X, Y, D)`` or ``(1, X, Y)``, floating point, any range.
            estimate: its support, if it was estimated before.

        Returns:
            the image on its native grid, with the affine of that grid; or the image's pixels unchanged.

        Raises:
            ValueError: the image has another shape, is no MetaTensor, or is not finite.
        """
        name = source_name(image)
        if not isinstance(image, MetaTensor) or image.ndim not in (3, 4) or image.shape[0] != 1:
            got = tuple(image.shape) if isinstance(image, MetaTensor) else type(image).__name__
            raise ValueError(
                f"{name}: must be a MetaTensor of shape (1, X, Y) or (1, X, Y, D), got {got}: load it with LoadInput"
            )
        if estimate is None:
            try:
                estimate = estimate_support(image[0])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        old = (int(image.shape[1]), int(image.shape[2]))
        new = native_size(estimate)
        plain = image.as_tensor()
        if new == old:
            out = MetaTensor(plain, meta={**image.meta}, applied_operations=list(image.applied_operations))
        else:
            resized = fourier_resize(plain, new, dims=(1, 2))
            out = with_grid(resized, image, resized_affine(image.affine, old, new))
        out.meta[NATIVE_GRID] = _record(estimate, old, new)
        return out


class ToNativeGridd(MapTransform):
    """Dictionary version of :class:`ToNativeGrid`.

    Args:
        keys: images.
        enabled: whether to do anything.
        allow_missing_keys: whether to skip missing keys.
    """

    def __init__(self, keys: KeysCollection = "image", enabled: bool = True, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.enabled = enabled
        self.reduce = ToNativeGrid()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with `keys` on their native grids."""
        d = dict(data)
        if self.enabled:
            for key in self.key_iterator(d):
                d[key] = self.reduce(d[key])
        return d


class FromNativeGrid(Transform):
    """Bring the enlarged image of a native grid to the enlarged grid of the input, by filling k-space with zeros.

    Args:
        grid: "input" for `scale` times the input's grid, "native" to stay on `scale` times the native grid.
        scale: ratio of the enlarged to the native grid.
        mode: "fourier" fills k-space with zeros and adds no content; "linear" interpolates, for maps that must not
            ring, such as half-widths of intervals.

    Raises:
        ValueError: if an argument is unknown.
    """

    def __init__(
        self,
        grid: Literal["input", "native"] = "input",
        scale: int = 4,
        mode: Literal["fourier", "linear"] = "fourier",
    ) -> None:
        if grid not in _GRIDS:
            raise ValueError(f"grid must be one of {', '.join(_GRIDS)}, got {grid!r}")
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(_MODES)}, got {mode!r}")
        self.grid, self.scale, self.mode = grid, scale, mode

    def __call__(self, pred: Any, record: Mapping[str, Any] | None = None) -> MetaTensor:
        """Resize one enlarged image; it is not modified.

        Args:
            pred: MetaTensor ``(C, scale * x, scale * y)`` or ``(C, scale * x, scale * y, D)`` on the native grid
                ``(x, y)``, with its affine.
            record: ``meta["native_grid"]``; None to take that of `pred`.

        Raises:
            ValueError: there is no record, or its size is not that of `pred`.
        """
        if not isinstance(pred, MetaTensor):
            raise ValueError(
                f"pred must be a MetaTensor with an affine, got {type(pred).__name__}: apply SRGeometry first"
            )
        if record is None:
            record = pred.meta.get(NATIVE_GRID)
        if record is None:
            raise ValueError(f"'{NATIVE_GRID}' is not in the metadata: apply ToNativeGrid to the input first")
        native, old = (tuple(self.scale * int(n) for n in record[key]) for key in ("size", "input_size"))
        if tuple(pred.shape[1:3]) != native:
            raise ValueError(
                f"pred must have {native} pixels, {self.scale} times the native grid, got {tuple(pred.shape[1:3])}: "
                "apply this before any other change of the size, with the scale of the network"
            )
        if self.grid == "native" or native == old:
            return pred
        return with_grid(self._resize(pred.as_tensor(), old), pred, resized_affine(pred.affine, native, old))

    def _resize(self, pred: Tensor, size: tuple[int, ...]) -> Tensor:
        if self.mode == "fourier":
            return fourier_resize(pred, size, dims=(1, 2))
        slices = pred[..., None] if pred.ndim == 3 else pred
        slices = F.interpolate(slices.permute(3, 0, 1, 2), size=size, mode="bilinear", align_corners=False)
        return slices.permute(1, 2, 3, 0).reshape(pred.shape[0], *size, *pred.shape[3:])


class FromNativeGridd(MapTransform):
    """Dictionary version of :class:`FromNativeGrid`: the record comes from the metadata of the network's input.

    Apply it after :class:`SRGeometryd`. Like that, it lets the reference's ``original_affine`` and ``spatial_shape``
    describe the grid of the result. Without a record, or where the input was not reduced, nothing changes.

    Args:
        keys: enlarged images, MetaTensors.
        ref_key: the network's input.
        grid: see :class:`FromNativeGrid`.
        scale: see :class:`FromNativeGrid`.
        mode: see :class:`FromNativeGrid`; one for all keys, or one for each.
        allow_missing_keys: whether to skip missing keys.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        ref_key: str = "image",
        grid: Literal["input", "native"] = "input",
        scale: int = 4,
        mode: Literal["fourier", "linear"] | Sequence[Literal["fourier", "linear"]] = "fourier",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.ref_key = ref_key
        modes: Sequence[Any] = [mode] * len(self.keys) if isinstance(mode, str) else list(mode)
        if len(modes) != len(self.keys):
            raise ValueError(f"mode must be one for all keys or one for each of {len(self.keys)}, got {len(modes)}")
        self.resizers = [FromNativeGrid(grid, scale, m) for m in modes]

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with `keys` on the chosen grid, and the reference's metadata naming that grid."""
        d = dict(data)
        ref: Any = d[self.ref_key]
        record = ref.meta.get(NATIVE_GRID) if isinstance(ref, MetaTensor) else None
        if record is None:
            return d
        for key, resize in self.key_iterator(d, self.resizers):
            d[key] = pred = resize(d[key], record)
            grid = {"original_affine": pred.affine.numpy().copy(), "spatial_shape": np.asarray(pred.shape[1:])}
            d[self.ref_key] = MetaTensor(
                ref.as_tensor(), meta={**ref.meta, **grid}, applied_operations=list(ref.applied_operations)
            )
        return d


def _record(estimate: SupportEstimate, old: tuple[int, int], new: tuple[int, int]) -> dict[str, Any]:
    """What was done, without None, which MONAI's collation refuses."""
    record: dict[str, Any] = {"changed": new != old, "reason": _reason(estimate, old, new)}
    record |= {"input_size": list(old), "size": list(new)}
    for name in ("width", "uncertainty"):
        values = [getattr(axis, name) for axis in estimate.axes]
        if None not in values:
            record[name] = values
    return record


def _reason(estimate: SupportEstimate, old: tuple[int, int], new: tuple[int, int]) -> str:
    if new != old:
        return f"{estimate.summary}; reduced to {new[0]} x {new[1]}"
    if estimate.reason or not estimate.zero_filled:
        return estimate.summary
    if all(axis.zero_filled for axis in estimate.axes):
        return f"{estimate.summary}; unchanged, since a grid of square pixels would hardly be smaller"
    return f"{estimate.summary}; unchanged, since the other axis is filled and pixels stay square"


FromNativeGridD = FromNativeGridDict = FromNativeGridd
ToNativeGridD = ToNativeGridDict = ToNativeGridd
