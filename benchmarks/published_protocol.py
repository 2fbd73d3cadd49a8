# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of a published comparison of networks for photographs on 8-bit slices of the figshare set.

github.com/owaiskhan2501000/Brain-MRI-SR-Benchmark (2026): 8-bit pictures cut to multiples of 32 pixels, LR by Pillow's
antialiased bicubic reduction to a quarter, PSNR and SSIM on the head. All pictures are ``(rows, columns)`` uint8. With
the pictures of :func:`high_resolution` the published figures of bicubic enlargement are reproduced to 1e-5, which
settles what its description leaves open: rows and columns beyond the border neither extend nor erode the mask, and
SSIM takes the sample covariance.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.metrics import structural_similarity

__all__ = ["SCALE", "Scores", "cut_border", "enlarged", "head_of", "high_resolution", "mod_crop", "reduced", "scores"]

SCALE = 4
"""Ratio of the two grids."""

_MULTIPLE = 32  # pixels
_BORDER = 4  # pixels
_AIR = 10  # gray levels
_CLOSING = 15  # pixels
_WINDOW = 7  # pixels, of SSIM
_WHITE = 255.0
_JPEG_QUALITY = 75


@dataclass(frozen=True)
class Scores:
    """Scores of a picture on the head.

    Attributes:
        psnr: dB, with MAX 255.
        ssim: mean of the SSIM map, at most 1.
    """

    psnr: float
    ssim: float


def high_resolution(image: np.ndarray) -> np.ndarray:
    """The benchmark's picture of a slice: minimum to maximum onto 0 .. 255 and truncated, mirrored, through a JPEG.

    Args:
        image: ``(X, Y)`` scanner units, x first as :func:`monai_srgan.data.read_cjdata` gives it.

    Raises:
        ValueError: if the image is constant.
    """
    image = image.astype(np.float64)  # int16 would wrap
    low, high = image.min(), image.max()
    if low == high:
        raise ValueError(f"image must not be constant, every pixel is {low:g}: leave it out")
    picture = ((image - low) / (high - low) * _WHITE).astype(np.uint8).T[:, ::-1]
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(file, "JPEG", quality=_JPEG_QUALITY)
    return np.asarray(Image.open(file))


def mod_crop(picture: np.ndarray) -> np.ndarray:
    """Cut rows and columns at the bottom and at the right, so that both sizes are multiples of 32.

    Raises:
        ValueError: if the picture has less than 32 rows or columns.
    """
    rows, columns = (size - size % _MULTIPLE for size in picture.shape)
    if not rows or not columns:
        raise ValueError(
            f"picture must be {_MULTIPLE} x {_MULTIPLE} pixels or larger, got {picture.shape}: leave it out"
        )
    return picture[:rows, :columns]


def reduced(picture: np.ndarray) -> np.ndarray:
    """LR: antialiased bicubic reduction by Pillow, rounded to 8 bits; sizes divisible by 4."""
    return _resized(picture, picture.shape[0] // SCALE, picture.shape[1] // SCALE)


def enlarged(picture: np.ndarray) -> np.ndarray:
    """The baseline: bicubic enlargement by Pillow, rounded to 8 bits."""
    return _resized(picture, picture.shape[0] * SCALE, picture.shape[1] * SCALE)


def _resized(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((columns, rows), Image.Resampling.BICUBIC))


def cut_border(picture: np.ndarray) -> np.ndarray:
    """The picture without 4 pixels at each side."""
    return picture[_BORDER:-_BORDER, _BORDER:-_BORDER]


def head_of(picture: np.ndarray) -> np.ndarray:
    """Mask of the head: more than 10 gray levels, closed with a square of 15 x 15, largest 8-connected part.

    Args:
        picture: HR after :func:`cut_border`, since the closing depends on where the border is.

    Returns:
        bool of the same shape.

    Raises:
        ValueError: if no pixel is above 10.
    """
    # grey_closing reflects at the border, which for a square leaves it out; binary_closing would erode from outside
    closed = ndimage.grey_closing((picture > _AIR).astype(np.uint8), size=(_CLOSING, _CLOSING))
    parts, count = ndimage.label(closed, structure=np.ones((3, 3)))
    if not count:
        raise ValueError(f"picture must have a pixel above {_AIR}, got at most {picture.max()}: leave it out")
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])


def scores(sr: np.ndarray, hr: np.ndarray) -> Scores:
    """PSNR and SSIM of an enlarged picture on the head.

    Args:
        sr: enlarged picture.
        hr: reference of the same shape.

    Raises:
        ValueError: if the shapes differ, or the reference has no head.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr must have the shape of hr {hr.shape}, got {sr.shape}")
    hr, sr = cut_border(hr), cut_border(sr)
    head = head_of(hr)
    error = hr.astype(np.float64)[head] - sr.astype(np.float64)[head]
    similarity = structural_similarity(hr, sr, win_size=_WINDOW, data_range=_WHITE, full=True)[1]
    return Scores(
        psnr=float(10 * np.log10(_WHITE**2 / np.mean(error**2))) if error.any() else float("inf"),
        ssim=float(similarity[head].mean()),
    )
