# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The slices that a report shows: pictures, close-ups of the tumour, error, SSIM and trust maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from monai_srgan.metrics.functional import ssim_map
from monai_srgan.report.examples import Example
from monai_srgan.report.methods import MethodStyle
from monai_srgan.report.pictures import (
    ERROR_COLOURS,
    SSIM_COLOURS,
    TRUST_COLOURS,
    View,
    close_up,
    coloured,
    enlarged,
    error_limit,
    gradient,
    grey,
    image_uri,
    outline_path,
)
from monai_srgan.report.wording import minus
from monai_srgan.scores.facts import METRIC_FACTS
from monai_srgan.scores.methods import ENSEMBLE, variant_name

__all__ = ["ColourBar", "Panel", "Strip", "Tile", "example_panels"]

_QUALITIES = (85, 70, 50, 30)
_COLUMNS = 6  # at most
_SMALLEST_SSIM = 11  # the window's side


@dataclass(frozen=True)
class ColourBar:
    """What the colours of a map mean: ticks from left to right below a gradient."""

    gradient: str
    ticks: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Tile:
    """One picture with its name and numbers; ``close_up`` is the address of a second one, "" for none."""

    image: str
    alt: str
    name: str
    method: MethodStyle | None = None
    numbers: tuple[str, ...] = ()
    close_up: str = ""
    blocks: bool = False


@dataclass(frozen=True)
class Strip:
    """Pictures of one kind beside each other."""

    title: str
    tiles: tuple[Tile, ...]
    bar: ColourBar | None = None
    dark: bool = False


@dataclass(frozen=True)
class Panel:
    """All strips of a slice, with the tumour's outline in pixels of the pictures.

    Attributes:
        label: "best", "median" or "worst".
        title: file, patient and type.
        size: width and height of the pictures.
        outline: SVG path, "" for no tumour.
        view: what the close-ups show; None for no tumour.
        strips: the pictures.
        columns: number of pictures beside each other where there is room.
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
        """Whether all pictures of a strip are beside each other, so that maps can stand below their pictures."""
        return len(self.strips[0].tiles) <= self.columns


@dataclass(frozen=True)
class _Scale:
    """Ends of the colour bars, the same for all slices."""

    error: float
    trust: float


def example_panels(
    examples: Sequence[Example], styles: Mapping[str, MethodStyle], *, reference: str, budget: int = 4_000_000
) -> list[Panel]:
    """Pictures of the slices, as fine as the budget allows.

    Args:
        examples: slices.
        styles: of all methods.
        reference: method whose errors set the colour bar of the errors; those of all methods where it is not shown.
        budget: characters that the pictures may take together; where they take more, lossy pictures get coarser.
    """
    scale = _Scale(
        error_limit(
            {
                f"{i} {name}": (image - example.hr)
                for i, example in enumerate(examples)
                for name, image in example.predictions.items()
                if name == reference or reference not in example.predictions
            }
        ),
        error_limit(
            {
                f"{i} {name}": values
                for i, example in enumerate(examples)
                for name, values in (("half-width", example.half_width), ("spread", example.spread))
                if values is not None
            }
        ),
    )
    panels: list[Panel] = []
    for quality in _QUALITIES:
        panels = [_panel(example, styles, scale, quality) for example in examples]
        tiles = [tile for panel in panels for strip in panel.strips for tile in strip.tiles]
        if sum(len(tile.image) + len(tile.close_up) for tile in tiles) <= budget:
            break
    return panels


def _panel(example: Example, styles: Mapping[str, MethodStyle], scale: _Scale, quality: int) -> Panel:
    mask = np.asarray(example.mask) > 0
    height, width = mask.shape
    names = [name for name in styles if name in example.predictions]
    view = close_up(mask)
    strips = [
        _pictures(example, names, styles, view, quality),
        _errors(example, names, styles, view, scale, quality),
        *([_similarities(example, names, styles, quality)] if min(mask.shape) >= _SMALLEST_SSIM else []),
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
    example: Example, names: Sequence[str], styles: Mapping[str, MethodStyle], view: View | None, quality: int
) -> Strip:
    def tile(name: str, image: np.ndarray, *, method: MethodStyle | None = None, lr: bool = False) -> Tile:
        numbers = _numbers(example, method.name, "psnr") if method else ()
        if not method:
            shape = example.lr.shape if lr else example.hr.shape
            numbers = (f"{shape[1]} × {shape[0]} pixels",)
        large = enlarged(image, example.hr.shape) if lr else image
        return Tile(
            image=image_uri(grey(image), None if lr else quality),
            alt=f"{name}, {example.file}" + (f": {', '.join(numbers)}" if numbers else ""),
            name=name,
            method=method,
            numbers=numbers,
            close_up=image_uri(grey(view.of(large))) if view else "",
            blocks=lr,
        )

    tiles = [
        tile("Input (LR)", example.lr, lr=True),
        *(tile(styles[name].label, example.predictions[name], method=styles[name]) for name in names),
        tile("Reference (HR)", example.hr),
    ]
    return Strip("Slice and close-up, with PSNR" if view else "Slice, with PSNR", tuple(tiles), dark=True)


def _errors(
    example: Example,
    names: Sequence[str],
    styles: Mapping[str, MethodStyle],
    view: View | None,
    scale: _Scale,
    quality: int,
) -> Strip:
    limit = scale.error
    tiles = []
    for name in names:
        error = coloured(example.predictions[name] - example.hr, -limit, limit, ERROR_COLOURS)
        tiles.append(
            Tile(
                image=image_uri(error, quality),
                alt=f"Signed error of {styles[name].label}, {example.file}",
                name=styles[name].label,
                method=styles[name],
                numbers=_numbers(example, name, "bias"),
                close_up=image_uri(view.of(error)) if view else "",
            )
        )
    ticks = (minus(f"≤ {-limit:g}"), minus(f"{-limit / 2:g}"), "0", f"+{limit / 2:g}", f"≥ +{limit:g}")
    bar = ColourBar(gradient(ERROR_COLOURS), ticks, "method − HR, images in [0, 1]: blue too dark, red too bright")
    return Strip("Signed error, with its mean", tuple(tiles), bar)


def _similarities(example: Example, names: Sequence[str], styles: Mapping[str, MethodStyle], quality: int) -> Strip:
    tiles = [
        Tile(
            image=image_uri(coloured(_ssim(example.predictions[n], example.hr), 0.0, 1.0, SSIM_COLOURS), quality),
            alt=f"SSIM map of {styles[n].label}, {example.file}",
            name=styles[n].label,
            method=styles[n],
            numbers=_numbers(example, n, "ssim"),
        )
        for n in names
    ]
    ticks = ("≤ 0", "0.25", "0.5", "0.75", "1")
    bar = ColourBar(gradient(SSIM_COLOURS), ticks, "SSIM of the window around each pixel")
    return Strip("SSIM map, with its mean", tuple(tiles), bar)


def _trust(example: Example, view: View | None, scale: _Scale, quality: int) -> list[Strip]:
    """Spread and half-width, and the error of the self-ensemble's mean on the same scale."""
    named = {"Spread of the self-ensemble": example.spread, "Half-width of the interval": example.half_width}
    ensemble = next((n for n in example.predictions if n.endswith(variant_name("", ENSEMBLE))), None)
    if ensemble is not None:
        named["Absolute error of its mean"] = np.abs(example.predictions[ensemble] - example.hr)
    if example.spread is None and example.half_width is None:
        return []
    tiles = []
    for name, values in named.items():
        if values is not None:
            colours = coloured(values, 0.0, scale.trust, TRUST_COLOURS)
            close = image_uri(view.of(colours)) if view else ""
            tiles.append(Tile(image_uri(colours, quality), f"{name}, {example.file}", name, close_up=close))
    limit = scale.trust
    ticks = tuple(f"{v:g}" for v in (0, limit / 2)) + (f"≥ {limit:g}",)
    bar = ColourBar(gradient(TRUST_COLOURS), ticks, "in units of the images, [0, 1]")
    return [Strip("How far to trust it", tuple(tiles), bar)]


def _numbers(example: Example, method: str, metric: str) -> tuple[str, ...]:
    """Scores in head and tumour for below a picture."""
    fact = METRIC_FACTS[metric]
    found = []
    for region, label in (("head", "head"), ("inside", "tumour")):
        value = example.scores.get(method, {}).get(region, {}).get(metric)
        if value is not None and not np.isnan(value):
            found.append(f"{label} {minus(fact.text(value))}")
    factor = "" if fact.factor == 1 else " × 10⁻³"
    return tuple(f"{text}{factor}{' ' + fact.unit if fact.unit else ''}" for text in found)


def _ssim(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    images = torch.from_numpy(np.stack((pred, target)).astype(np.float64))
    return ssim_map(images[:1, None], images[1:, None])[0, 0].numpy()
