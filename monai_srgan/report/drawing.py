# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The look of a report's figures, and their SVG: the same bytes for the same numbers, whatever a reader's settings."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["MUTED", "house_style", "plain_axes", "svg_text"]

_INK, MUTED, _GRID = "#22272b", "#5c656d", "#e3e7ea"
_FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
_SETTINGS = {
    # text stays text: small files, the page's fonts. It is measured with a wide font, so that it fits in any other
    "svg.fonttype": "none",
    "svg.hashsalt": "monai_srgan",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "text.color": _INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's own defaults with the report's look, for drawing and for saving."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def plain_axes(axes: Axes, *, grid: Literal["both", "x", "y"]) -> None:
    """Axes without a frame, with a faint grid behind the data.

    Args:
        axes: to be changed.
        grid: "x", "y" or "both".
    """
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis=grid)


def svg_text(figure: Figure) -> str:
    """The figure as an SVG document without date, fonts of its own or anything that is loaded from elsewhere."""
    stream = io.StringIO()
    with house_style(), warnings.catch_warnings():
        # only the width of such a sign is unknown: the browser draws it
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(
            stream, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = stream.getvalue()
    text = text[text.index("<svg") :]  # the document type names an address
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    return re.sub(r"""'DejaVu Sans'(?:, [^;"]*)?""", _FONTS, text)
