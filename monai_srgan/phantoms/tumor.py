# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Procedural tumors: meningioma at the skull, glioma in the brain, pituitary tumor at the skull base.

Units and axes as in :mod:`monai_srgan.phantoms.anatomy`: pixels of a 512x512 slice, origin at the center, arrays
`(rows, columns)`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from monai_srgan.phantoms.anatomy import CSF, VESSEL, Array, Canvas, Head, Traits, paint, soft

__all__ = ["AREA_LIMITS", "draw_tumor"]

AREA_LIMITS = (255, 19_296)  #: smallest and largest tumor of the figshare set, in pixels at 512x512

_SELLA = {"axial": (0.0, -48.0), "coronal": (0.0, 72.0), "sagittal": (-26.0, 52.0)}
_ANGLES = np.linspace(0, 2 * np.pi, 180, endpoint=False)


def draw_tumor(
    canvas: Canvas, traits: Traits, head: Head, tumor_type: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Draw a tumor into the image of a head.

    Args:
        canvas: pixel grid.
        traits: random traits of the patient.
        head: the head; its `image` changes in place.
        tumor_type: 1 meningioma, 2 glioma, 3 pituitary tumor.

    Returns:
        Mask `(rows, columns)` and border polygon `(K, 2)` in zero-based x, y pixel coordinates, 6 <= K <= 67. As in the
        figshare set the mask is the filled polygon.
    """
    center, radius = _place(canvas, traits, head, tumor_type)
    ragged = {1: 0.045, 2: 0.09, 3: 0.06}[tumor_type]
    shape = 1 + ragged * sum(
        a * np.cos(k * _ANGLES + p * 3) / np.sqrt(k - 1) for k, (a, p) in enumerate(traits.normal(7, 2), start=2)
    )
    room = _room(canvas, head, center) if tumor_type != 3 else np.full_like(_ANGLES, 60.0)
    corners = round(traits.uniform(14, 48))
    for _ in range(12):
        radii = np.clip(np.minimum(radius * shape, room), 4.0, None)
        mask, border = _trace(canvas, center, radii, corners)
        area = mask.sum() * canvas.pixel**2
        if AREA_LIMITS[0] * 1.2 <= area <= AREA_LIMITS[1] * 0.9:
            break
        radius *= 1.15 if area < AREA_LIMITS[0] * 1.2 else 0.9
    x, y = canvas.x - center[0], canvas.y - center[1]
    turn = np.mod(np.arctan2(y, x), 2 * np.pi)
    edge = np.interp(turn, np.append(_ANGLES, 2 * np.pi), np.append(radii, radii[0])).astype(np.float32)
    depth = edge - np.hypot(x, y)
    (_paint_solid, _paint_ring, _paint_solid)[tumor_type - 1](canvas, traits, head, depth)
    if tumor_type == 1:
        tail = np.exp(-(((head.cavity - 2) / max(2.2, canvas.pixel)) ** 2) + np.clip(depth, -60, 0) / 16)
        paint(head.image, 0.62, 0.8 * tail * (head.cavity > 0))
    return mask, border


def _place(canvas: Canvas, traits: Traits, head: Head, tumor_type: int) -> tuple[NDArray[np.float64], float]:
    """Center and mean radius, in pixels of a 512x512 slice."""
    fade = 1.0 + 0.08 * float(np.tanh(traits.normal(1)[0]))
    if tumor_type == 3:
        center = np.array(_SELLA[head.plane]) + np.array([traits.uniform(-8, 8), traits.uniform(-4, 4)])
        return center, traits.uniform(12, 26) * fade
    radius = traits.uniform(22, 58) * fade
    gap = 0.7 * radius if tumor_type == 1 else 1.15 * radius + traits.uniform(0, 20)
    # Upper part of the cavity, since coronal and sagittal slices show the skull base below it.
    angle = traits.uniform(0, 2 * np.pi) if head.plane == "axial" else -traits.uniform(0.1, 0.9) * np.pi
    direction = np.array([np.cos(angle), np.sin(angle)])
    walk = np.arange(0, 250, 1.0)
    along = _at(canvas, head.cavity, walk[:, None] * direction)
    inside = walk[along >= min(gap, float(along.max()))]
    return direction * float(inside[-1]), radius


def _at(canvas: Canvas, values: Array, points: NDArray[np.float64]) -> Array:
    index = (points + 256.0) / canvas.pixel - 0.5
    return canvas.sample(values, index[..., 1].astype(np.float32), index[..., 0].astype(np.float32))


def _room(canvas: Canvas, head: Head, center: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the center to the skull along each ray."""
    walk = np.arange(0, 110, 1.0)
    rays = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)
    free = _at(canvas, head.cavity, center + walk[:, None, None] * rays) > 1.5
    return np.where(free.all(0), walk[-1], np.argmin(free, 0)).astype(float)


def _trace(
    canvas: Canvas, center: NDArray[np.float64], radii: NDArray[np.float64], corners: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    angle = np.arange(corners) * 2 * np.pi / corners
    radius = np.interp(angle, _ANGLES, radii, period=2 * np.pi)
    points = center + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    border = (points + 256.0) / canvas.pixel - 0.5
    mask = polygon2mask((canvas.size, canvas.size), border[:, ::-1])
    return mask, border


def _paint_solid(canvas: Canvas, traits: Traits, head: Head, depth: Array) -> None:
    """Homogeneous enhancement with a sharp boundary and a thin dark cleft around it."""
    level = traits.uniform(0.52, 0.82)
    grain = 0.06 * canvas.field(traits, 9) + 0.05 * canvas.field(traits, 22) + 0.04 * canvas.field(traits, 4)
    paint(head.image, CSF, 0.5 * np.exp(-(((depth + 2.5) / max(1.8, canvas.pixel)) ** 2)) * (head.cavity > 0))
    paint(head.image, level * (1 + grain), soft(depth, 2 * max(canvas.pixel, 1.0)))


def _paint_ring(canvas: Canvas, traits: Traits, head: Head, depth: Array) -> None:
    """Surrounding edema, an irregular enhancing rim, and a necrotic core with enhancing septa."""
    fingers = canvas.field(traits, 26)
    swelling = traits.uniform(10, 34)
    edema = soft(depth + swelling * (1 + 0.5 * fingers), 16) * soft(head.cavity - 6, 8)
    paint(head.image, 0.24 + 0.01 * canvas.field(traits, 8), 0.8 * edema)
    rough = canvas.field(traits, 11)
    rim = traits.uniform(5, 10) * (1 + 0.45 * canvas.field(traits, 24))
    core = soft(depth - np.clip(rim, 1.5, None) + 2.5 * rough, 4)
    septa = np.exp(-((canvas.field(traits, 13) / 0.16) ** 2)) * soft(canvas.field(traits, 30) - 0.2, 0.8)
    tissue = traits.uniform(0.55, 0.85) * (1 + 0.14 * canvas.field(traits, 7))
    paint(tissue, 0.17 + 0.03 * fingers, core * (1 - 0.7 * septa))
    paint(head.image, tissue, soft(depth + 1.5 * rough, 2.5 * max(canvas.pixel, 1.0)))
    spots = soft(canvas.field(traits, 5) - 1.6, 0.6) * soft(depth - 3, 3)
    paint(head.image, VESSEL, 0.7 * spots)
