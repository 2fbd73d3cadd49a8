# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The example slices of a report: pictures, close-ups of the tumor, error, SSIM and trust maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from monai_srgan.metrics import ssim_map
from monai_srgan.report.examples import Example
from monai_srgan.report.methods import MethodStyle
from monai_srgan.report.pictures import (
    ERROR_COLORS,
    SSIM_COLORS,
    TRUST_COLORS,
    View,
    close_up,
    colored,
    enlarged,
    error_limit,
    gradient,
    gray,
    image_uri,
    outline_path,
)
from monai_srgan.report.wording import minus
from monai_srgan.scores import ENSEMBLE, METRIC_FACTS, Method

__all__ = ["ColorBar", "Panel", "Strip", "Tile", "example_panels"]

_QUALITIES = (85, 70, 50, 30)
_COLUMNS = 6  # at most
_SMALLEST_SSIM = 11  # side of the SSIM window


@dataclass(frozen=True)
class ColorBar:
    """Legend of a color map: a gradient, with ticks from left to right below it."""

    gradient: str
    ticks: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Tile:
    """One picture with its name and numbers; ``image`` and ``close_up`` are data URIs, "" for none."""

    image: str
    alt: str
    name: str
    method: MethodStyle | None = None
    numbers: tuple[str, ...] = ()
    close_up: str = ""
    blocks: bool = False


@dataclass(frozen=True)
class Strip:
    """Pictures of one kind in a row."""

    title: str
    tiles: tuple[Tile, ...]
    bar: ColorBar | None = None
    dark: bool = False


@dataclass(frozen=True)
class Panel:
    """All strips of a slice, with the tumor's outline in pixels of the pictures.

    Attributes:
        label: "best", "median" or "worst".
        title: file, patient and tumor type.
        size: width and height of the pictures.
        outline: SVG path, "" for no tumor.
        view: part of the picture in the close-ups; None for no tumor.
        strips: the pictures.
        columns: number of pictures per row where there is room.
    """

    label: str
    title: str
    size: tuple[int, int]
    outline: str
    view: View | None
    strips: tuple[Strip, ...]
    columns: int

    @property
    def one_row(self) -> bool:
        """Whether a strip fits in one row, so that maps can stand below their pictures."""
        return len(self.strips[0].tiles) <= self.columns


@dataclass(frozen=True)
class _Scale:
    """Ends of the color bars, shared by all slices."""

    error: float
    trust: float


def example_panels(
    examples: Sequence[Example], styles: Mapping[Method, MethodStyle], *, reference: Method, budget: int = 4_000_000
) -> list[Panel]:
    """Pictures of the slices, in the best quality that the budget allows.

    Args:
        examples: slices.
        styles: of all methods.
        reference: method whose errors set the color bar of the errors; all methods do where it is not shown.
        budget: characters of all pictures together; above it, the quality of lossy pictures is reduced.
    """
    scale = _Scale(
        error_limit(
            image - example.hr
            for example in examples
            for method, image in example.predictions.items()
            if method == reference or reference not in example.predictions
        ),
        error_limit(
            values for example in examples for values in (example.half_width, example.spread) if values is not None
        ),
    )
    panels: list[Panel] = []
    for quality in _QUALITIES:
        panels = [_panel(example, styles, scale, quality) for example in examples]
        tiles = [tile for panel in panels for strip in panel.strips for tile in strip.tiles]
        if sum(len(tile.image) + len(tile.close_up) for tile in tiles) <= budget:
            break
    return panels


def _panel(example: Example, styles: Mapping[Method, MethodStyle], scale: _Scale, quality: int) -> Panel:
    mask = np.asarray(example.mask) > 0
    height, width = mask.shape
    methods = [method for method in styles if method in example.predictions]
    view = close_up(mask)
    strips = [
        _pictures(example, methods, styles, view, quality),
        *_errors(example, methods, styles, view, scale, quality),
        *([_similarities(example, methods, styles, quality)] if min(mask.shape) >= _SMALLEST_SSIM else []),
        *_trust(example, view, scale, quality),
    ]
    known = (example.file, example.patient and f"patient {example.patient}", example.tumor_type)
    return Panel(
        label=example.label,
        title=" · ".join(part for part in known if part),
        size=(width, height),
        outline=outline_path(mask),
        view=view,
        strips=tuple(strips),
        columns=-(-len(strips[0].tiles) // -(-len(strips[0].tiles) // _COLUMNS)),
    )


def _pictures(
    example: Example, methods: Sequence[Method], styles: Mapping[Method, MethodStyle], view: View | None, quality: int
) -> Strip:
    def tile(name: str, image: np.ndarray, *, method: MethodStyle | None = None, lr: bool = False) -> Tile:
        numbers = _numbers(example, method.method, "psnr") if method else ()
        if not method:
            shape = example.lr.shape if lr else example.hr.shape
            numbers = (f"{shape[1]} × {shape[0]} pixels",)
        large = enlarged(image, example.hr.shape) if lr else image
        return Tile(
            image=image_uri(gray(image), None if lr else quality),
            alt=f"{name}, {example.file}" + (f": {', '.join(numbers)}" if numbers else ""),
            name=name,
            method=method,
            numbers=numbers,
            close_up=image_uri(gray(view.of(large))) if view else "",
            blocks=lr,
        )

    tiles = [
        tile("Input (LR)", example.lr, lr=True),
        *(tile(styles[m].label, example.predictions[m], method=styles[m]) for m in methods),
        tile("Reference (HR)", example.hr),
    ]
    return Strip("Slice and close-up, with PSNR" if view else "Slice, with PSNR", tuple(tiles), dark=True)


def _errors(
    example: Example,
    methods: Sequence[Method],
    styles: Mapping[Method, MethodStyle],
    view: View | None,
    scale: _Scale,
    quality: int,
) -> list[Strip]:
    """The signed error, and its two parts where they are known."""
    limit = scale.error

    def tile(method: Method, error: np.ndarray, part: str = "", metric: str = "bias") -> Tile:
        colors = colored(error, -limit, limit, ERROR_COLORS)
        name = styles[method].label + part
        return Tile(
            image=image_uri(colors, quality),
            alt=f"Signed error of {name}, {example.file}",
            name=name,
            method=styles[method],
            numbers=_numbers(example, method, metric),
            close_up=image_uri(view.of(colors)) if view else "",
        )

    ticks = (minus(f"≤ {-limit:g}"), minus(f"{-limit / 2:g}"), "0", f"+{limit / 2:g}", f"≥ +{limit:g}")
    bar = ColorBar(gradient(ERROR_COLORS), ticks, "method − HR, images in [0, 1]: blue too dark, red too bright")
    errors = [tile(m, example.predictions[m] - example.hr) for m in methods]
    parts = []
    for method in methods:
        if method in example.error_parts:
            split = example.error_parts[method]
            parts.append(tile(method, split.measured, ", measured", "measured_mse"))
            parts.append(tile(method, split.null, ", null space", "null_mse"))
    strips = [Strip("Signed error, with its mean", tuple(errors), bar)]
    if parts:
        strips.append(Strip("Its parts: measured by LR and in the null space, with their MSE", tuple(parts), bar))
    return strips


def _similarities(
    example: Example, methods: Sequence[Method], styles: Mapping[Method, MethodStyle], quality: int
) -> Strip:
    tiles = [
        Tile(
            image=image_uri(colored(_ssim(example.predictions[m], example.hr), 0.0, 1.0, SSIM_COLORS), quality),
            alt=f"SSIM map of {styles[m].label}, {example.file}",
            name=styles[m].label,
            method=styles[m],
            numbers=_numbers(example, m, "ssim"),
        )
        for m in methods
    ]
    ticks = ("≤ 0", "0.25", "0.5", "0.75", "1")
    bar = ColorBar(gradient(SSIM_COLORS), ticks, "SSIM of the window around each pixel")
    return Strip("SSIM map, with its mean", tuple(tiles), bar)


def _trust(example: Example, view: View | None, scale: _Scale, quality: int) -> list[Strip]:
    """Spread and half-width, and the error of the self-ensemble's mean on the same scale."""
    named = {"Spread of the self-ensemble": example.spread, "Half-width of the interval": example.half_width}
    ensemble = next((m for m in example.predictions if m.has(ENSEMBLE)), None)
    if ensemble is not None:
        named["Absolute error of its mean"] = np.abs(example.predictions[ensemble] - example.hr)
    if example.spread is None and example.half_width is None:
        return []
    tiles = []
    for name, values in named.items():
        if values is not None:
            colors = colored(values, 0.0, scale.trust, TRUST_COLORS)
            close = image_uri(view.of(colors)) if view else ""
            tiles.append(Tile(image_uri(colors, quality), f"{name}, {example.file}", name, close_up=close))
    limit = scale.trust
    ticks = tuple(f"{v:g}" for v in (0, limit / 2)) + (f"≥ {limit:g}",)
    bar = ColorBar(gradient(TRUST_COLORS), ticks, "in units of the images, [0, 1]")
    return [Strip("How far to trust it", tuple(tiles), bar)]


def _numbers(example: Example, method: Method, metric: str) -> tuple[str, ...]:
    """Scores in head and tumor, the caption of a picture."""
    fact = METRIC_FACTS[metric]
    found = []
    for region, label in (("head", "head"), ("inside", "tumor")):
        value = example.scores.value(method, region, metric)
        if value is not None and not np.isnan(value):
            found.append(f"{label} {minus(fact.text(value))}")
    factor = "" if fact.factor == 1 else " × 10⁻³"
    return tuple(f"{text}{factor}{' ' + fact.unit if fact.unit else ''}" for text in found)


def _ssim(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    images = torch.from_numpy(np.stack((pred, target)).astype(np.float64))
    return ssim_map(images[:1, None], images[1:, None])[0, 0].numpy()
