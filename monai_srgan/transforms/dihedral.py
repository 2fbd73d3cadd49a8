# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The eight flips and rotations of a square, drawn at random."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable, Transform
from torch import Tensor

from monai_srgan.transforms.affine import with_grid

__all__ = ["RandDihedral", "RandDihedralD", "RandDihedralDict", "RandDihedrald"]

_ELEMENTS = 8


class RandDihedral(Randomizable, Transform):
    """Flip or rotate a slice by one of the eight symmetries of a square, each with the same probability.

    It replaces two ``RandFlip`` and a ``RandRotate90`` with a single copy and does not convert plain tensors; MONAI's
    transforms convert each to a MetaTensor, which takes longer than the flip.

    Args:
        prob: probability in [0, 1] that one of the eight, including the identity, is drawn; otherwise the identity.
        transpose: whether the axes may be exchanged. False leaves the identity, two flips and the half turn, for images
            whose axes differ: a scanner's resolution along its phase-encoding axis is often lower.

    Raises:
        ValueError: if ``prob`` is out of range; on call, if the image does not have two spatial axes.
    """

    def __init__(self, prob: float = 1.0, transpose: bool = True) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f"prob must lie in [0, 1], got {prob}")
        self.prob = float(prob)
        self.transpose = transpose
        self.element = 0

    def randomize(self, data: Any = None) -> None:
        """Draw an element, 0 .. 7: bit 2 exchanges the axes, then bits 0 and 1 flip the first and the second."""
        del data
        self.element = self.draw()

    def draw(self) -> int:
        """An element as :meth:`randomize` draws it; ``self.element``, which threads share, is not changed."""
        wanted, element = self.R.random() < self.prob, int(self.R.randint(_ELEMENTS))
        return (element if self.transpose else element & 3) if wanted else 0

    def __call__(self, image: Any, randomize: bool = True) -> Any:
        """Return a flipped and rotated copy of ``image``.

        Args:
            image: ``(C, H, W)``; MetaTensor, tensor or numpy array, of any dtype that its library can flip.
            randomize: whether to draw first; False applies the last draw again.

        Returns:
            ``(C, H, W)`` or ``(C, W, H)`` of the input's kind; a MetaTensor has its true affine.
        """
        element = self.draw() if randomize else self.element
        self.element = element
        return self.turn(image, element)

    def turn(self, image: Any, element: int) -> Any:
        """Apply an element, see :meth:`randomize`, to an image, as :meth:`__call__` returns it."""
        if image.ndim != 3:
            raise ValueError(f"image must have shape (C, H, W), got {tuple(image.shape)}: pass one slice")
        flips = [axis for axis in (0, 1) if element >> axis & 1]
        if isinstance(image, np.ndarray):  # numpy flips every dtype, torch does not
            turned = image.swapaxes(1, 2) if element & 4 else image
            return np.flip(turned, tuple(axis + 1 for axis in flips)).copy()
        pixels = image.as_subclass(Tensor)
        if element & 4:
            pixels = pixels.transpose(1, 2)
        pixels = pixels.flip([axis + 1 for axis in flips]).contiguous()  # flip copies, even along no axis
        if not isinstance(image, MetaTensor):
            return pixels
        return with_grid(
            pixels, image, image.affine.to(torch.float64) @ self._indices(pixels, flips, image.affine, element & 4)
        )

    def _indices(self, pixels: Tensor, flips: list[int], affine: Tensor, exchanged: int) -> Tensor:
        """Homogeneous matrix from the indices of the result to those of the image."""
        rank = affine.shape[0] - 1
        matrix = torch.eye(rank + 1, dtype=torch.float64)
        for axis in flips:
            matrix[axis, axis], matrix[axis, rank] = -1.0, pixels.shape[axis + 1] - 1.0
        return matrix[[1, 0, *range(2, rank + 1)]] if exchanged else matrix


class RandDihedrald(Randomizable, MapTransform):
    """Dictionary version of :class:`RandDihedral`: all ``keys`` get the same flip and rotation.

    Args:
        keys: images ``(C, H, W)``.
        prob: see :class:`RandDihedral`.
        transpose: see :class:`RandDihedral`.
        allow_missing_keys: whether to skip missing keys.
    """

    def __init__(
        self, keys: KeysCollection, prob: float = 1.0, transpose: bool = True, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.dihedral = RandDihedral(prob, transpose)

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> RandDihedrald:
        """Seed the draws, as in MONAI."""
        super().set_random_state(seed, state)
        self.dihedral.set_random_state(seed, state)
        return self

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with ``keys`` flipped and rotated."""
        d = dict(data)
        self.dihedral.element = element = self.dihedral.draw()  # threads share the attribute
        for key in self.key_iterator(d):
            d[key] = self.dihedral.turn(d[key], element)
        return d


RandDihedralD = RandDihedralDict = RandDihedrald
