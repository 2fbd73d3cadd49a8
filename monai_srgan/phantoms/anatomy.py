# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Procedural head slices: layers, cortex, ventricles and vessels drawn from signed distances and smooth random fields.

Lengths are in pixels of a 512x512 slice (0.49 mm) at any image size, so that a seed gives the same head at every size.
Arrays are `(rows, columns)`. The origin of the coordinates is the center of the slice; x points right, y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import CubicSpline
from skimage.draw import polygon2mask

__all__ = ["PLANES", "Canvas", "Head", "Traits", "draw_head", "paint", "soft"]

Array: TypeAlias = NDArray[np.floating[Any]]

PLANES = ("axial", "coronal", "sagittal")

# Tissue brightness relative to a bright vessel, measured in the figshare slices (T1-weighted, contrast-enhanced).
SKULL, CSF, GRAY, WHITE, MUSCLE, FAT, VESSEL = 0.06, 0.12, 0.30, 0.385, 0.36, 0.84, 1.1

# Outlines (x, y) of the cranial cavity and of face and neck below it, control points of closed splines.
_CAVITY: dict[str, Sequence[tuple[float, float]]] = {
    "axial": [(0, -165), (62, -150), (105, -100), (128, -25), (134, 45), (108, 118), (58, 158), (0, 170)],
    "coronal": [(0, -140), (75, -126), (130, -78), (152, -5), (140, 60), (98, 88), (52, 78), (22, 92), (0, 94)],
    "sagittal": [(-30, -150), (60, -142), (140, -92), (176, -12), (166, 62), (118, 112), (62, 116), (22, 96)]
    + [(-4, 46), (-36, 40), (-80, 26), (-136, 18), (-172, -20), (-166, -78), (-110, -128)],
}
_BELOW: dict[str, Sequence[tuple[float, float]]] = {
    "coronal": [(-160, -10), (0, -60), (160, -10), (168, 70), (150, 140), (128, 210), (120, 290), (-120, 290)]
    + [(-128, 210), (-150, 140), (-168, 70)],
    "sagittal": [(-178, -60), (-60, -60), (120, -40), (190, 40), (176, 110), (168, 190), (190, 290), (-150, 290)]
    + [(-176, 236), (-196, 200), (-190, 168), (-206, 150), (-234, 122), (-208, 70), (-200, 20)],
}
_FISSURE_ENDS = {"axial": (1000.0, -1000.0), "coronal": (-22.0, -1000.0)}


class Traits:
    """Random traits of one patient at one slice position.

    Normal samples are `cos(phase) * A + sin(phase) * B` with A and B fixed per patient, so that neighboring slices
    (similar phases) look alike, but all slices have the same distribution.
    """

    def __init__(self, rng: np.random.Generator, phase: float = 0.0) -> None:
        self._rng = rng
        self._mix = np.array([np.cos(phase), np.sin(phase)])

    def uniform(self, low: float, high: float) -> float:
        """A uniform number shared by all slices of the patient."""
        return float(self._rng.uniform(low, high))

    def normal(self, *shape: int) -> Array:
        """A standard normal array that varies smoothly from slice to slice."""
        return np.tensordot(self._mix, self._rng.standard_normal((2, *shape)), 1).astype(np.float32)


class Canvas:
    """Pixel grid of a square slice in units of 512x512 pixels, with smooth fields that do not depend on its size."""

    def __init__(self, image_size: int) -> None:
        self.size = image_size
        self.pixel = 512.0 / image_size
        axis = ((np.arange(image_size) + 0.5) * self.pixel - 256.0).astype(np.float32)
        self.y, self.x = np.meshgrid(axis, axis, indexing="ij")

    def field(self, traits: Traits, grain: float) -> Array:
        """Smooth Gaussian field with unit variance and B-spline cells of `grain` pixels."""
        cells = int(np.ceil(512.0 / grain)) + 4
        position = (np.arange(self.size) + 0.5) * self.pixel / grain + 1.5
        weights = _bspline(position[:, None] - np.arange(cells)).astype(np.float32)
        return (weights @ traits.normal(cells, cells) @ weights.T) * np.float32(315.0 / 151.0)

    def distance(self, points: NDArray[np.float64]) -> Array:
        """Signed distance to the closed spline through `(K, 2)` points, positive inside, smooth to about 2 pixels."""
        steps = np.arange(len(points) + 1)
        curve = CubicSpline(steps, np.vstack([points, points[:1]]), bc_type="periodic")(np.arange(0, len(points), 0.05))
        inside = polygon2mask((320, 320), (curve[:, ::-1] + 320.0) / 2.0 - 0.5)
        signed = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
        signed = ndimage.gaussian_filter(2.0 * signed, 1.5)
        return self.sample(signed.astype(np.float32), (self.y + 320.0) / 2.0 - 0.5, (self.x + 320.0) / 2.0 - 0.5)

    @staticmethod
    def sample(values: Array, row: Array, column: Array, order: int = 1) -> Array:
        """Values at fractional rows and columns; for order 3 the values are B-spline coefficients."""
        mode = "nearest" if order == 1 else "grid-wrap"
        return ndimage.map_coordinates(values, [row, column], order=order, mode=mode, prefilter=False)

    def curve(self, points: NDArray[np.float64], sigma: float) -> Array:
        """Line with a Gaussian profile of peak about 1 through `(K, 2)` densely spaced points."""
        sigma = max(sigma, 0.5 * self.pixel)
        step = np.linalg.norm(np.diff(points, axis=0), axis=1)
        at = (points[1:] + 256.0) / self.pixel
        drawn, _, _ = np.histogram2d(at[:, 1], at[:, 0], bins=self.size, range=[[0, self.size]] * 2, weights=step)
        blurred = ndimage.gaussian_filter(drawn.astype(np.float32), sigma / self.pixel, truncate=3)
        return np.minimum(blurred * np.float32(np.sqrt(2 * np.pi) * sigma / self.pixel**2), 1.3)


@dataclass
class Head:
    """The head that a tumor is drawn into."""

    image: Array  #: brightness, about 0..1
    cavity: Array  #: signed distance to the inner table of the skull, positive inside
    plane: str


def soft(distance: Array, width: float) -> Array:
    """Ramp from 0 to 1 over `width` pixels centered on distance 0."""
    ramp = np.clip(distance / width + 0.5, 0.0, 1.0)
    return ramp * ramp * (3.0 - 2.0 * ramp)


def paint(image: Array, value: Array | float, cover: Array) -> None:
    """Blend `value` over the image, in place."""
    image += (value - image) * cover


def _bspline(t: Array) -> Array:
    t = np.abs(t)
    return np.where(t < 1, 2 / 3 - t**2 + t**3 / 2, np.clip(2 - t, 0, None) ** 3 / 6)


def _outline(
    traits: Traits, points: Sequence[tuple[float, float]], mirrored: bool, scale: tuple[float, float]
) -> NDArray[np.float64]:
    outline = np.array(points, float)
    if mirrored:
        outline = np.vstack([outline, outline[-2:0:-1] * [-1, 1]])
    angle = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
    wobble = sum(a * np.cos(k * angle + p) for k, (a, p) in enumerate(traits.normal(4, 2) * [0.012, 2.0], start=2))
    return outline * scale * (1 + np.asarray(wobble)[:, None])


def draw_head(canvas: Canvas, traits: Traits, plane: str) -> Head:
    """Draw a head without a tumor in one of `PLANES`."""
    px = canvas.pixel
    size = traits.uniform(0.9, 1.06)
    stretch = (size * traits.uniform(0.95, 1.05), size * traits.uniform(0.95, 1.05))
    cavity = canvas.distance(_outline(traits, _CAVITY[plane], plane != "sagittal", stretch))
    skull = traits.uniform(9, 15) + 2.0 * canvas.field(traits, 110)
    scalp = traits.uniform(13, 22) + 2.5 * canvas.field(traits, 90)
    outer = cavity + skull + scalp
    if plane in _BELOW:
        below = canvas.distance(_outline(traits, _BELOW[plane], False, stretch))
        outer = 14.0 * np.logaddexp(outer / 14.0, below / 14.0)
    image = np.zeros_like(cavity)
    paint(image, _soft_tissue(canvas, traits, outer, cavity + skull), soft(outer, 1.5 * px))
    _paint_skull(canvas, traits, image, cavity, skull)
    _paint_brain(canvas, traits, image, cavity, plane)
    return Head(image, cavity, plane)


def _soft_tissue(canvas: Canvas, traits: Traits, outer: Array, off_skull: Array) -> Array:
    """Skin, fat and muscle; below the skull also air cavities with enhancing mucosa."""
    px = canvas.pixel
    coarse, fine = canvas.field(traits, 16), canvas.field(traits, 5)
    fibers = coarse + 0.5 * fine
    tissue = FAT * (1 + 0.07 * fibers)
    muscle = soft(outer - 13 - 4 * coarse, 4 * px) * soft(canvas.field(traits, 34) + 0.45 * fibers + 0.35, 0.3)
    paint(tissue, MUSCLE * (1 + 0.10 * fibers), muscle)
    strands = np.exp(-((canvas.field(traits, 14) / 0.12) ** 2)) * muscle
    paint(tissue, 0.75 * FAT, 0.7 * strands)
    buried = soft(26 - outer, 12) + soft(off_skull + 8, 8)
    hollow = canvas.field(traits, 24) + 0.2 * coarse + 0.06 * fine - 0.75 - 2 * buried
    paint(tissue, 0.62, 0.9 * np.exp(-((hollow + 0.15) ** 2) / 0.012))
    paint(tissue, 0.03, soft(hollow, 0.15))
    paint(tissue, 0.45 + 0.05 * coarse, soft(3.0 - outer, 2 * px))
    return tissue


def _paint_skull(canvas: Canvas, traits: Traits, image: Array, cavity: Array, skull: Array) -> None:
    px = canvas.pixel
    paint(image, SKULL, soft(cavity + skull, 2 * px))
    marrow = np.clip(1 - np.abs(cavity / skull + 0.5) * 3.2, 0, 1) * soft(skull - 10, 5)
    image += 0.42 * marrow * (1 + 0.3 * canvas.field(traits, 9))
    dura = np.exp(-((cavity / (1.1 * max(px, 1))) ** 2)) * soft(canvas.field(traits, 40) - 0.3, 1.2)
    paint(image, 0.45, dura)


def _paint_brain(canvas: Canvas, traits: Traits, image: Array, cavity: Array, plane: str) -> None:
    px = canvas.pixel
    atrophy = traits.uniform(0.6, 1.7)
    midline = canvas.x - 5 * canvas.field(traits, 260) - 1.2 * canvas.field(traits, 40)
    surface = cavity - 2.0 - 1.5 * atrophy * soft(canvas.field(traits, 50), 2.0)
    sulcus = _sulci(canvas, traits, cavity, midline, plane)
    depth = np.minimum(surface, sulcus - 1.1 * atrophy * np.exp(0.6 * canvas.field(traits, 30)))
    if plane in _FISSURE_ENDS:
        low, _ = _FISSURE_ENDS[plane]
        gap = np.abs(midline) - 1.6 * atrophy
        near = np.abs(canvas.y) - 55 if plane == "axial" else low - canvas.y
        depth = np.minimum(depth, np.maximum(gap, -near))
    ribbon = 5.5 + 1.2 * canvas.field(traits, 25)
    contrast = traits.uniform(0.4, 1.2)
    brain = np.full_like(image, GRAY)
    paint(brain, GRAY + contrast * (WHITE - GRAY), soft(depth - ribbon, 4.0))
    brain *= 1 + 0.02 * canvas.field(traits, 22) + 0.02 * canvas.field(traits, 6)
    inside = soft(cavity - 1, 1.5 * px)
    paint(image, CSF, inside)
    paint(image, brain, inside * soft(depth, 1.4 * max(px, 1.0)))
    wet = soft(canvas.field(traits, 20) - 1.1, 0.5) * np.exp(-((depth / (1.2 * max(px, 1.0))) ** 2)) * inside
    paint(image, 0.8 * VESSEL, 0.7 * wet)
    dots = soft(canvas.field(traits, 5) + 0.25 * canvas.field(traits, 20) - 2.45, 0.4) * soft(30 - cavity, 20) * inside
    paint(image, 1.2 * VESSEL, dots)
    _paint_ventricles(canvas, traits, image, midline, plane)
    if plane in _FISSURE_ENDS:
        falx = np.exp(-((midline / max(0.9, 0.6 * px)) ** 2)) * soft(near, 6) * inside
        paint(image, 0.55, 0.7 * falx * soft(canvas.field(traits, 18) + 0.5, 1.0))
        sinus = soft(11 - np.abs(midline) - np.clip(cavity, 0, None), 3 * px) * inside * soft(near, 6)
        paint(image, VESSEL * 0.9, sinus)
    else:
        _paint_hindbrain(canvas, traits, image, inside)
    _paint_vessels(canvas, traits, image, inside)


def _sulci(canvas: Canvas, traits: Traits, cavity: Array, midline: Array, plane: str) -> Array:
    """Distance to the nearest sulcus, a zero line of a field that is stretched toward the center of the brain."""
    warp = canvas.field(traits, 36)
    around = np.arctan2(canvas.y + 10, canvas.x) / (2 * np.pi) + 0.012 * canvas.field(traits, 40)
    reach = (np.clip(cavity, 0, None) + 9 * warp) / 30.0 + 2.0
    cells = 76
    wave = canvas.sample(traits.normal(12, cells), reach, around * cells, order=3)
    # Near the center, where the rays converge, folds have any direction.
    paint(wave, 0.7 * canvas.field(traits, 15), soft(105 - np.hypot(canvas.x, canvas.y + 10), 50))
    limit = 36 + 15 * canvas.field(traits, 38)
    if plane in _FISSURE_ENDS:
        side = np.where(midline > 0, 9.0, 3.0) + np.clip(np.abs(midline) + 5 * warp, 0, 90) / 30.0
        medial = canvas.sample(traits.normal(48, 15), (canvas.y + 6 * warp) / 11.0 + 24.0, side, order=3)
        wave = np.where(np.abs(midline) + 12 * warp < cavity, medial, wave)
        cavity = np.minimum(cavity, np.abs(midline) * 1.6)
    else:
        limit = limit + 14  # a sagittal slice shows the folded medial surface
    rows, columns = np.gradient(wave, canvas.pixel)
    distance = np.abs(wave) / (np.hypot(rows, columns) + 1e-3)
    return distance + np.clip(cavity - limit, 0, None) * 0.6


def _paint_hindbrain(canvas: Canvas, traits: Traits, image: Array, inside: Array) -> None:
    """Cerebellum with folia, brain stem and spinal cord in a sagittal slice."""
    px = max(canvas.pixel, 1.0)
    x, y = canvas.x + 2 * canvas.field(traits, 60), canvas.y + 2 * canvas.field(traits, 60)
    lobe = 46 - np.hypot((x - 112) / 1.2, y - 66)
    paint(image, CSF, soft(lobe + 5, 3 * px) * inside)
    ring = np.hypot(x - 66, y - 66) + 2.5 * canvas.field(traits, 22)
    fold = np.abs(np.mod(ring, 10.0) - 5.0)
    cerebellum = np.full_like(image, GRAY)
    paint(cerebellum, CSF * 1.5, soft(0.9 - fold, 1.5 * px) * soft(26 - lobe + 6 * canvas.field(traits, 14), 10))
    paint(cerebellum, WHITE, soft(lobe - 26 + 5 * np.cos(9 * np.arctan2(y - 66, x - 66)), 6))
    paint(image, cerebellum, soft(lobe, 1.5 * px) * inside)
    tent = np.exp(-(((lobe + 4) / px) ** 2)) * soft(40 - y, 20) * inside
    paint(image, 0.6, 0.8 * tent)
    middle = 40 + 0.16 * (y - 60) + 0.0006 * (y - 60) ** 2
    width = 9 + 11 * np.exp(-(((y - 62) / 26) ** 2))
    off = np.abs(x - middle)
    spine = soft(y - 26, 8)
    paint(image, SKULL, spine * soft(width + 11 - off, 2 * px) * soft(y - 112, 6))
    paint(image, CSF, spine * soft(width + 6 - off, 2 * px))
    paint(image, WHITE * (1 + 0.02 * canvas.field(traits, 8)), spine * soft(width - off, 2 * px))


def _paint_ventricles(canvas: Canvas, traits: Traits, image: Array, midline: Array, plane: str) -> None:
    px, y = canvas.pixel, canvas.y
    wide = traits.uniform(0.6, 1.5)
    rough = canvas.field(traits, 30)
    if plane == "sagittal":
        arc = np.hypot((canvas.x + 8) / 1.25, y - 2 + 4 * rough) - 46
        body = (7 + 3 * rough) * wide - np.abs(arc + 8) - np.clip(y + 10, 0, None) * 0.4
        paint(image, WHITE * 1.08, soft(7 - np.abs(arc - 7) - np.clip(y + 4, 0, None), 3) * 0.8)
        cover = soft(body, 2 * px)
    else:
        across = np.abs(midline)
        if plane == "axial":
            front = (
                8 * wide
                - np.abs(across - 10 - np.clip(-y - 20, 0, None) * 0.35)
                - np.clip(np.abs(y + 38) - 22, 0, None) * 0.5
            )
            back = 8 * wide - np.abs(across - 26 - (y - 40) * 0.3) - np.clip(np.abs(y - 52) - 24, 0, None) * 0.5
            third = 2.5 * wide - across - np.clip(np.abs(y - 4) - 20, 0, None)
        else:
            front = (
                8 * wide - np.abs(y + 22 - 0.3 * across + 5 * rough) - np.clip(np.abs(across - 16) - 12, 0, None) * 0.6
            )
            back = np.full_like(front, -99.0)
            third = 2.5 * wide - across - np.clip(np.abs(y - 18) - 16, 0, None)
        cover = soft(np.maximum(np.maximum(front, back) + 2 * rough, third), 2 * px)
        nuclei = 17 - np.hypot((across - 34) / 0.8, (y - 2) / 1.6)
        paint(image, GRAY, 0.7 * soft(nuclei + 3 * rough, 6))
    paint(image, CSF, cover)
    choroid = soft(canvas.field(traits, 12) - 1.1, 0.5) * cover * soft(y + 10, 20)
    paint(image, 0.8 * VESSEL, choroid)


def _paint_vessels(canvas: Canvas, traits: Traits, image: Array, inside: Array) -> None:
    """Thin bright arteries and veins, drawn as smooth random walks that enter and leave the slice."""
    for caliber, most in ((0.7, 9), (1.1, 4), (1.8, 1.6)):
        lines = np.zeros_like(image)
        for _ in range(int(traits.uniform(0.4 * most, most))):
            heading = traits.uniform(0, 2 * np.pi) + np.cumsum(traits.normal(160)) * 0.12
            start = np.array([traits.uniform(-120, 120), traits.uniform(-120, 70)])
            length = int(traits.uniform(25, 120))
            path = start + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), axis=0)[:length] * 0.6
            np.maximum(lines, canvas.curve(path, caliber), out=lines)
        fade = soft(canvas.field(traits, 24) + 0.3, 1.5)
        paint(image, VESSEL, np.minimum(lines, 1.0) * inside * fade * 0.8)
