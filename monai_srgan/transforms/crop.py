# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Random training crops that contain the tumor with a chosen probability."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data import MetaTensor, get_track_meta
from monai.transforms import Crop, InvertibleTransform, MapTransform, Randomizable, Transform
from monai.utils import ensure_tuple, ensure_tuple_rep
from torch import Tensor

from monai_srgan.transforms.conversion import as_array, as_tensor
from monai_srgan.transforms.source_name import source_name

__all__ = ["RandRegionCrop", "RandRegionCropD", "RandRegionCropDict", "RandRegionCropd"]


class RandRegionCrop(Randomizable, InvertibleTransform, Transform):
    """Random crop of fixed size that contains a tumor pixel with a chosen probability.

    With probability `tumor_prob`, a pixel of the mask is drawn, and then a crop uniformly among those that contain it:
    the tumor appears anywhere in the crop, so that the network cannot learn that it lies in the middle. Otherwise, or
    if the mask is empty or missing, the pixel is drawn from those brighter than `foreground`, so that no crop is only
    air. Without `foreground`, or for an image without such a pixel, the crop is uniform over the image.

    In Compose, an array transform is applied to each item of a tuple (``map_items``), and image and mask would be
    cropped at different places: use :class:`RandRegionCropd` for image and mask together.

    Args:
        roi_size: height and width of the crop in pixels, or one number for both.
        tumor_prob: probability in [0, 1] that the crop is drawn around a tumor pixel.
        foreground: intensity, in units of the image, above which a pixel of any channel is not air; larger gives fewer
            crops of dark parts of the head. None to draw crops from the whole image.
        step: first rows and columns of crops are multiples of this number of pixels.

    Raises:
        ValueError: if an argument is out of range; on call, if the image is smaller than `roi_size` or the mask has
            another size.
    """

    def __init__(
        self,
        roi_size: Sequence[int] | int = 96,
        tumor_prob: float = 0.5,
        foreground: float | None = None,
        *,
        step: int = 1,
    ) -> None:
        self.crop = Crop()  # not a base class: Compose would pass it a `lazy` argument
        self.roi_size: tuple[int, ...] = tuple(int(n) for n in ensure_tuple_rep(roi_size, 2))
        if min(self.roi_size) < 1:
            raise ValueError(f"roi_size must be at least 1 pixel along each axis, got {self.roi_size}")
        if not 0 <= tumor_prob <= 1:
            raise ValueError(f"tumor_prob must lie in [0, 1], got {tumor_prob}")
        if foreground is not None and not np.isfinite(foreground):
            raise ValueError(f"foreground must be an intensity in units of the image, or None, got {foreground}")
        if isinstance(step, bool) or int(step) != step or step < 1:
            raise ValueError(f"step must be an integer of at least 1 pixel, got {step!r}")
        self.step = int(step)
        self.tumor_prob = float(tumor_prob)
        self.foreground = None if foreground is None else float(foreground)
        self.start: tuple[int, ...] = (0, 0)

    def randomize(self, image: Any, mask: Any = None) -> None:
        """Draw the first row and column of the crop, for `image` and `mask` of shape (C, H, W)."""
        self.start = self.draw(image, mask)

    def draw(self, image: Any, mask: Any = None) -> tuple[int, ...]:
        """First row and column of a crop; ``self.start``, which threads share, is not changed.

        Args:
            image: ``(C, H, W)``.
            mask: ``(C, H, W)``, non-zero in the tumor.

        Raises:
            ValueError: the image is smaller than `roi_size`, or the mask has another size.
        """
        size = tuple(image.shape[1:])
        if len(size) != 2 or any(n < roi for n, roi in zip(size, self.roi_size, strict=True)):
            raise ValueError(
                f"{source_name(image)}: must be (C, H, W) and at least as large as roi_size {self.roi_size}, "
                f"got {tuple(image.shape)}: reduce roi_size, or add SpatialPadd before the crop"
            )
        if mask is not None and tuple(mask.shape[1:]) != size:
            raise ValueError(
                f"{source_name(image)}: mask must have the image's spatial size {size}, got {tuple(mask.shape[1:])}"
            )
        lowest, highest = [0, 0], [n - roi for n, roi in zip(size, self.roi_size, strict=True)]
        # Draw first, so that the number of draws does not depend on the mask.
        wanted = self.R.random() < self.tumor_prob
        where, choice = self.R.random(2), self.R.random()
        for region in self._regions(image, mask if wanted else None):
            pixels = np.flatnonzero(region)
            if len(pixels):
                pixel = np.unravel_index(pixels[int(choice * len(pixels))], region.shape)[1:]
                lowest = [max(int(p) - roi + 1, 0) for p, roi in zip(pixel, self.roi_size, strict=True)]
                highest = [min(int(p), high) for p, high in zip(pixel, highest, strict=True)]
                break
        starts = (low + int(w * (high - low + 1)) for low, high, w in zip(lowest, highest, where, strict=True))
        return tuple(start // self.step * self.step for start in starts)

    def _regions(self, image: Any, mask: Any) -> Iterator[np.ndarray]:
        """Regions (C, H, W) from which the crop's pixel may be drawn, in order of preference."""
        if mask is not None:
            yield as_array(mask)
        if self.foreground is not None:
            yield as_array(image) > self.foreground

    def __call__(self, image: Any, mask: Any = None, randomize: bool = True) -> Any:
        """Crop `image` (C, H, W), any dtype; `mask` (C, H, W), non-zero in the tumor, guides the draw.

        Returns:
            A copy, ``(C, roi_height, roi_width)``: a MetaTensor with the crop's true affine, or a numpy array for numpy
            input.
        """
        start = self.draw(image, mask) if randomize else self.start
        self.start = start
        return self.cut(image, start)

    def cut(self, image: Any, start: Sequence[int]) -> Any:
        """Crop `image` (C, H, W) from a row and column on, as :meth:`__call__` returns it."""
        place = tuple(slice(s, s + n) for s, n in zip(start, self.roi_size, strict=True))
        # Copy: an in-place change of a view would reach a cached image.
        if not isinstance(image, MetaTensor) or not get_track_meta():
            pixels = as_tensor(image).as_subclass(Tensor)[:, place[0], place[1]].clone()
            return pixels.numpy() if isinstance(image, np.ndarray) else pixels
        out = self.crop(image, place)
        return MetaTensor(out.as_subclass(Tensor).clone(), meta=out.meta, applied_operations=out.applied_operations)

    def inverse(self, data: MetaTensor) -> MetaTensor:
        """Pad a crop with zeros back to its source's grid, ``(C, H, W)`` of the source's size."""
        return self.crop.inverse(data)


class RandRegionCropd(Randomizable, MapTransform, InvertibleTransform):
    """Dictionary version of :class:`RandRegionCrop`: all `keys` are cropped at the same place.

    With `coarse_keys`, images on a coarser grid, such as the LR images of whole slices, are cropped to the same field
    of view. Crops then start at multiples of `coarse_scale`.

    Args:
        keys: images to crop, of equal spatial size.
        mask_key: mask whose non-zero pixels are the tumor; list it in `keys` to crop it too. None for no mask.
        roi_size: see :class:`RandRegionCrop`.
        tumor_prob: see :class:`RandRegionCrop`.
        foreground: see :class:`RandRegionCrop`; in units of the first of `keys`.
        coarse_keys: images whose pixels are `coarse_scale` times as wide.
        coarse_scale: ratio of the two grids, which must divide `roi_size`.
        allow_missing_keys: whether to skip missing keys, including the mask.
    """

    def __init__(
        self,
        keys: KeysCollection = ("image", "mask"),
        mask_key: str | None = "mask",
        roi_size: Sequence[int] | int = 96,
        tumor_prob: float = 0.5,
        foreground: float | None = None,
        allow_missing_keys: bool = False,
        *,
        coarse_keys: KeysCollection = (),
        coarse_scale: int = 4,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key
        self.coarse_keys = ensure_tuple(coarse_keys)
        self.coarse_scale = int(coarse_scale)
        self.cropper = RandRegionCrop(roi_size, tumor_prob, foreground, step=coarse_scale if self.coarse_keys else 1)
        if self.coarse_keys and any(size % self.coarse_scale for size in self.cropper.roi_size):
            raise ValueError(
                f"roi_size must be divisible by coarse_scale={coarse_scale}, got {self.cropper.roi_size}: "
                "the two grids would not fit"
            )

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> RandRegionCropd:
        """Seed the draws, as in MONAI."""
        super().set_random_state(seed, state)
        self.cropper.set_random_state(seed, state)
        return self

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with `keys` cropped; the arrays of `data` are not modified."""
        d = dict(data)
        mask = d.get(self.mask_key) if self.mask_key is not None else None
        if mask is None and self.mask_key is not None and not self.allow_missing_keys:
            raise KeyError(
                f"'{self.mask_key}' is missing, the mask of the tumor: add it to the data, or set mask_key=None"
            )
        start: tuple[int, ...] | None = None  # not an attribute, which threads would share
        for key in self.key_iterator(d):
            if start is None:
                self.cropper.start = start = self.cropper.draw(d[key], mask)
            d[key] = self.cropper.cut(d[key], start)
        for key in self.coarse_keys:
            d[key] = self._coarse(d[key], str(key), self.cropper.start if start is None else start)
        return d

    def _coarse(self, image: Any, key: str, fine: Sequence[int]) -> Any:
        """The crop's field of view of an image on the coarser grid."""
        scale = self.coarse_scale
        start = [s // scale for s in fine]
        size = [n // scale for n in self.cropper.roi_size]
        if any(s + n > m for s, n, m in zip(start, size, image.shape[1:], strict=True)):
            raise ValueError(
                f"{source_name(image)}: '{key}' must be {scale} times coarser than the images of keys, got "
                f"{tuple(image.shape)}: set coarse_scale"
            )
        return RandRegionCrop(size).cut(image, start)

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Pad the crops with zeros back to their source's grid."""
        d = dict(data)
        for key in self.key_iterator(d):
            d[key] = self.cropper.inverse(d[key])
        return d


RandRegionCropD = RandRegionCropDict = RandRegionCropd
