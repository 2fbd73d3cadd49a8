# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The page of the demo: one HTML document that holds its pictures and loads nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from monai_srgan import __version__
from monai_srgan.cli.demo_slice import DemoResult, DemoSlice, Fidelity
from monai_srgan.report.pictures import (
    TRUST_COLORS,
    View,
    as_picture,
    close_up,
    colored,
    enlarged,
    error_limit,
    gradient,
    gray,
    image_uri,
    outline_path,
)
from monai_srgan.report.templating import template_environment

__all__ = ["render_demo_page"]

_QUALITY = 92  # of lossy WebP, where the eye sees no difference


@dataclass(frozen=True)
class Tile:
    """A picture of the page, with a close-up of the tumor below it."""

    name: str
    note: str
    image: str
    close_up: str
    kind: str = ""  #: CSS class: "blocks" shows pixels as blocks, "map" draws dark lines on light colors


def render_demo_page(demo: DemoSlice, result: DemoResult) -> str:
    """The demo's page as one HTML document.

    Args:
        demo: the synthetic slice.
        result: what the network makes of its input.
    """
    truth, tumor = _picture(demo.truth), _picture(demo.tumor) > 0.5
    view = close_up(tumor)
    if view is None:
        raise ValueError(f"the phantom of seed {demo.seed} has no tumor: use another seed")
    low = enlarged(_picture(demo.low), truth.shape)
    error = np.abs(_picture(result.enlarged) - truth)
    half_width = _picture(result.half_width)
    limit = error_limit([half_width[_picture(demo.head) > 0.5]])
    size = demo.truth.shape[-1]
    small = demo.low.shape[-1]
    page = template_environment("monai_srgan.cli").get_template("demo.html")
    return page.render(
        demo=demo,
        version=__version__,
        size=size,
        small=small,
        view=view,
        outline=outline_path(tumor),
        tiles=[
            _gray_tile("Input", f"{small} x {small} pixels", low, view, kind="blocks"),
            _gray_tile("Bicubic", _decibels(result.bicubic_psnr), _picture(result.bicubic), view),
            _gray_tile("SRGAN", _decibels(result.enlarged_psnr), _picture(result.enlarged), view),
            _map_tile("Trust map", "light: trust it; dark: doubt it", half_width, limit, view),
            _gray_tile("Ground truth", f"{size} x {size} pixels", truth, view),
        ],
        checks=[
            _map_tile("Trust map", "how far off each pixel may be", half_width, limit, view),
            _map_tile("Actual error", "how far off each pixel is", error, limit, view),
        ],
        ticks=[f"{value:g}" for value in (0.0, limit / 2, limit)],
        gradient=gradient(TRUST_COLORS),
        coverage=f"{100 * result.coverage:.0f}",
    )


def _picture(image: torch.Tensor) -> np.ndarray:
    return as_picture(image[0])


def _decibels(psnr: Fidelity) -> str:
    return f"PSNR: head {psnr.head:.1f} dB, tumor {psnr.tumor:.1f} dB"


def _gray_tile(name: str, note: str, picture: np.ndarray, view: View, *, kind: str = "") -> Tile:
    pixels = gray(picture)
    return Tile(name, note, image_uri(pixels, _QUALITY), image_uri(view.of(pixels)), kind)


def _map_tile(name: str, note: str, picture: np.ndarray, limit: float, view: View) -> Tile:
    pixels = colored(picture, 0.0, limit, TRUST_COLORS)
    return Tile(name, note, image_uri(pixels, _QUALITY), image_uri(view.of(pixels)), kind="map")
