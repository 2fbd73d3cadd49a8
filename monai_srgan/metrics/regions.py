# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The regions of the scores: whole, inside, outside, head and rim.

==========  ==========================================================================================================
``whole``   every pixel
``inside``  the tumor mask
``outside`` its complement: background air included, which makes a high PSNR easy
``head``    the foreground of the high-resolution target, tumor included: what a reader looks at
``rim``     the pixels whose center lies less than ``rim_width / 2`` from the tumor's border, on both sides
==========  ==========================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from skimage.filters import threshold_otsu

from monai_srgan.metrics.checks import as_bool

__all__ = ["REGIONS", "head_mask", "region_masks", "rim_mask"]

REGIONS = ("whole", "inside", "outside", "head", "rim")
"""All regions, in the order of the tables."""

_SMOOTHING = 1 / 256  # sigma per image side: 2 pixels for the data set's 512
_BINS = 256  # of the histogram for Otsu's threshold
_OTSU_FRACTION = 0.5  # tissue next to air, dim neck included: on the figshare slices about 0.12 with air below 0.05
_NEGATIVE = 0.05  # ringing of a resampled target; [-1, 1] or standardized images are far below
_PART_FRACTION = 0.1  # an ear or a jaw cut off by the field of view is a part of its own


def head_mask(target: torch.Tensor) -> torch.Tensor:
    """Foreground of an image of a head, holes filled.

    The mean over channels is smoothed (Gaussian, sigma = longer side / 256: 2 pixels for 512) and thresholded at half
    of its Otsu threshold; connected parts of at least a tenth of the largest one's area are kept; enclosed holes
    (ventricles, sinuses, dark tumors) are filled. The threshold is relative to the slice, so the image's scale does
    not matter, but its zero does: it must be the intensity of air. On 120 slices of the figshare set the head covers 15
    to 83 % of the image and contains every tumor.

    Args:
        target: high-resolution images, ``(B, C, H, W)`` floating point, in [0, 1] or another range that starts at 0.
            After the smoothing, values down to -0.05 (-5 % of the maximum where that is above 1) are accepted as
            ringing.

    Returns:
        ``(B, 1, H, W)`` bool on the images' device; all False for an image without foreground, such as a constant one.

    Raises:
        ValueError: if the shape is not ``(B, C, H, W)``, a value is not finite, or an image is negative beyond that.
    """
    if target.ndim != 4:
        raise ValueError(f"target must have shape (B, C, H, W), got {tuple(target.shape)}: add the batch dimension")
    images = target.as_subclass(torch.Tensor).detach().float().mean(dim=1).cpu().numpy()
    if not np.isfinite(images).all():
        raise ValueError(
            f"target must be finite, got {np.count_nonzero(~np.isfinite(images))} pixels that are NaN or infinite: "
            "leave the image out or repair it"
        )
    heads = np.stack([_head(image) for image in images])
    return torch.from_numpy(heads)[:, None].to(target.device)


def rim_mask(mask: torch.Tensor, rim_width: float = 10.0) -> torch.Tensor:
    """Band around the border of a mask: the pixels whose center lies less than ``rim_width / 2`` from it.

    The border runs between the pixels, half a pixel outside the outermost center. An even ``rim_width`` of 10 thus
    takes 5 pixels on either side of a straight border: with 0.49 mm pixels a band of 4.9 mm.

    Args:
        mask: ``(B, 1, H, W)``, bool or {0, 1}.
        rim_width: total width of the band in high-resolution pixels, larger than 1.

    Returns:
        ``(B, 1, H, W)`` bool on the mask's device; all False where the mask is empty or full, since it has no border
        then.

    Raises:
        ValueError: if the shape or ``rim_width`` is wrong, or the mask has values beside 0 and 1.
    """
    if not rim_width > 1:
        raise ValueError(f"rim_width is the band's total width in pixels and must be larger than 1, got {rim_width}")
    inside = _tumor(mask)
    rims = np.stack([_rim(item, rim_width / 2) for item in inside[:, 0].cpu().numpy()])
    return torch.from_numpy(rims)[:, None].to(mask.device)


def region_masks(
    mask: torch.Tensor,
    target: torch.Tensor | None = None,
    regions: Sequence[str] = REGIONS,
    rim_width: float = 10.0,
) -> dict[str, torch.Tensor]:
    """Masks of the named regions.

    Args:
        mask: tumor, ``(B, 1, H, W)``, bool or {0, 1}; empty is allowed and gives empty ``inside`` and ``rim``.
        target: high-resolution image in [0, 1], ``(B, C, H, W)``; needed for ``head`` only.
        regions: names out of :data:`REGIONS`, in the order wanted.
        rim_width: total width of the rim in high-resolution pixels, see :func:`rim_mask`.

    Returns:
        region name to ``(B, 1, H, W)`` bool, on the mask's device.

    Raises:
        ValueError: if a name is unknown, ``head`` is requested without a target, or a shape or value is wrong; for the
            target's values see :func:`head_mask`.
    """
    unknown = [name for name in regions if name not in REGIONS]
    if unknown:
        raise ValueError(f"regions must be names out of {REGIONS}, got {unknown}")
    inside = _tumor(mask)
    if target is not None and (
        target.ndim != 4 or (target.shape[0], *target.shape[2:]) != (inside.shape[0], *inside.shape[2:])
    ):
        raise ValueError(
            f"target must be (B, C, H, W) of the mask's size {tuple(inside.shape)}, got {tuple(target.shape)}"
        )
    masks: dict[str, torch.Tensor] = {}
    for name in regions:
        if name == "whole":
            masks[name] = torch.ones_like(inside)
        elif name == "inside":
            masks[name] = inside
        elif name == "outside":
            masks[name] = ~inside
        elif name == "rim":
            masks[name] = rim_mask(inside, rim_width)
        elif target is None:
            raise ValueError(
                "the region 'head' is the target's foreground: pass target, or leave 'head' out of regions"
            )
        else:
            masks[name] = head_mask(target).to(inside.device)
    return masks


def _tumor(mask: torch.Tensor) -> torch.Tensor:
    """The tumor mask as a plain bool tensor ``(B, 1, H, W)``."""
    mask = mask.as_subclass(torch.Tensor)
    if mask.ndim != 4 or mask.shape[1] != 1:
        raise ValueError(
            f"mask must have shape (B, 1, H, W), got {tuple(mask.shape)}: add the batch and channel dimensions"
        )
    return as_bool(mask)


def _head(image: np.ndarray) -> np.ndarray:
    # float64, since in float32 Otsu's sums lose the digits that decide between neighboring bins
    smooth = ndimage.gaussian_filter(image.astype(np.float64), _SMOOTHING * max(image.shape), mode="nearest")
    low, high = float(smooth.min()), float(smooth.max())
    if low < -_NEGATIVE * max(1.0, high):
        raise ValueError(
            f"target must be in [0, 1], or at least not negative, for the region 'head', whose threshold is relative "
            f"to 0; got values in [{low:.3g}, {high:.3g}] after smoothing: rescale it to [0, 1], e.g. (target + 1) / 2"
        )
    if high - low <= 1e-6 * max(-low, high):
        return np.zeros(image.shape, dtype=bool)  # a constant image has no foreground
    parts, count = ndimage.label(smooth > _OTSU_FRACTION * threshold_otsu(smooth, nbins=_BINS))
    if not count:
        return np.zeros(image.shape, dtype=bool)
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    return ndimage.binary_fill_holes((areas >= _PART_FRACTION * areas.max())[parts])


def _rim(inside: np.ndarray, half_width: float) -> np.ndarray:
    rim = np.zeros(inside.shape, dtype=bool)
    if inside.all() or not inside.any():
        return rim
    # pixels beyond the margin are too far out, and for a pixel inside there is always a nearer one outside
    box = _box(inside, margin=int(half_width) + 1)
    part = inside[box]
    # distance to the nearest pixel center on the other side, whose own half pixel lies beyond the border
    depth = np.where(part, ndimage.distance_transform_edt(part), ndimage.distance_transform_edt(~part))
    rim[box] = depth - 0.5 < half_width
    return rim


def _box(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """The smallest box around a mask that is not empty, and ``margin`` pixels of the image on each side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin + 1),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin + 1),
    )
