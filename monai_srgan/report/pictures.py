# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays as images of a page: gray values, color maps, outlines."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from skimage.measure import approximate_polygon, find_contours

from monai_srgan.report.optional import matplotlib, to_hex

__all__ = [
    "ERROR_COLORS",
    "SSIM_COLORS",
    "TRUST_COLORS",
    "View",
    "close_up",
    "colored",
    "enlarged",
    "error_limit",
    "gradient",
    "gray",
    "image_uri",
    "outline_path",
]

ERROR_COLORS, SSIM_COLORS, TRUST_COLORS = "RdBu_r", "BuPu_r", "Oranges"
"""Matplotlib's names of the color maps, light where a result is good; for readers with any color vision."""

_LONGEST_SIDE = 640
_CLOSE_UP = 1.5  # side of the close-up over that of the tumor
_LIMITS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)


class View(NamedTuple):
    """A part of a picture, in pixels from its upper left corner."""

    left: int
    top: int
    width: int
    height: int

    @property
    def box(self) -> str:
        """As an SVG ``viewBox``."""
        return " ".join(map(str, self))

    @property
    def slices(self) -> tuple[slice, slice]:
        """As an index of rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def of(self, picture: np.ndarray) -> np.ndarray:
        """That part of a picture."""
        return picture[self.slices]


def close_up(mask: np.ndarray) -> View | None:
    """A square around the tumor, 1.5 times its size, inside the picture; None where there is no tumor.

    Args:
        mask: ``(H, W)`` bool.
    """
    if not mask.any():
        return None
    spans = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    side = int(max(_CLOSE_UP * max(s[-1] - s[0] + 1 for s in spans), min(mask.shape) / 6, 24))
    sizes = [min(side, n) for n in mask.shape]
    starts = [
        int(np.clip((s[0] + s[-1] + 1 - size) // 2, 0, n - size))
        for s, size, n in zip(spans, sizes, mask.shape, strict=True)
    ]
    return View(starts[1], starts[0], sizes[1], sizes[0])


def outline_path(mask: np.ndarray) -> str:
    """The border of a mask as an SVG path, in pixels from the picture's upper left corner; "" for an empty mask.

    Args:
        mask: ``(H, W)`` bool.
    """
    parts = []
    for line in find_contours(np.pad(mask.astype(float), 1), 0.5):
        corners = approximate_polygon(line - 0.5, 0.3)  # of the padding 1, of a pixel's center 0.5
        parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for y, x in corners) + "Z")
    return "".join(parts)


def enlarged(lr: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """The low-resolution picture with every pixel enlarged to a block, in the target's size."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, lr.shape, strict=True))
    return lr[np.ix_(rows, columns)]


def gray(picture: np.ndarray) -> np.ndarray:
    """Gray values, uint8: black is 0, white is 1."""
    return np.round(np.clip(picture, 0.0, 1.0) * 255).astype(np.uint8)


def colored(picture: np.ndarray, low: float, high: float, colors: str) -> np.ndarray:
    """Colors ``(H, W, 3)`` uint8 of a map; values beyond the ends get the end colors.

    Args:
        picture: ``(H, W)``.
        low: value of the first color.
        high: value of the last color, above it.
        colors: matplotlib's name of the color map.
    """
    place = (np.asarray(picture, dtype=np.float64) - low) / (high - low)
    return np.asarray(matplotlib.colormaps[colors](np.clip(place, 0.0, 1.0), bytes=True))[..., :3]


def gradient(colors: str) -> str:
    """A color map from left to right, as a CSS gradient for a color bar."""
    stops = [to_hex(matplotlib.colormaps[colors](place)) for place in np.linspace(0, 1, 17)]
    return f"linear-gradient(to right,{','.join(stops)})"


def error_limit(errors: Iterable[np.ndarray]) -> float:
    """A round value that at most 3 % of the errors exceed, as the end of a color bar.

    Args:
        errors: arrays of any sign and shape; empty arrays are ignored.
    """
    largest = max((float(np.percentile(np.abs(e), 97)) for e in errors if e.size), default=0.0)
    return next((limit for limit in _LIMITS if limit >= largest), _LIMITS[-1])


def image_uri(picture: np.ndarray, quality: int | None = None) -> str:
    """The picture as a data URI.

    Args:
        picture: ``(H, W)`` or ``(H, W, 3)`` uint8. Sides of more than 640 pixels are reduced to 640.
        quality: 1 to 100 for lossy WebP; None is lossless.
    """
    image = Image.fromarray(picture)
    if max(image.size) > _LONGEST_SIDE:
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    if quality is None:
        image.save(stream, "WEBP", lossless=True, quality=80, method=4)
    else:
        image.save(stream, "WEBP", quality=quality, method=4)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}"


def as_picture(image: torch.Tensor) -> np.ndarray:
    """First channel of an image ``(C, X, Y)`` with rows first, ``(Y, X)`` as pictures are drawn; a copy, float32."""
    return np.array(image.detach().as_subclass(torch.Tensor)[0].float().cpu().numpy().T)
