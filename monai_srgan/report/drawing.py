# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Style of a report's figures, and their SVG: the same numbers give the same bytes, whatever the user's settings."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from monai_srgan.report.optional import matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MUTED", "house_style", "plain_axes", "svg_text"]

_INK, MUTED, _GRID = "#22272b", "#5c656d", "#e3e7ea"
_FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
_SETTINGS = {
    # text stays text, for small files and the page's fonts; measured with a wide font, it fits in any other
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
    """Matplotlib's defaults with the report's style, for drawing and saving."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def plain_axes(axes: Axes, *, grid: Literal["both", "x", "y"]) -> None:
    """Axes without a frame, with a faint grid behind the data.

    Args:
        axes: axes to change.
        grid: "x", "y" or "both".
    """
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis=grid)


def svg_text(figure: Figure) -> str:
    """The figure as an SVG document without date, embedded fonts or external references."""
    stream = io.StringIO()
    with house_style(), warnings.catch_warnings():
        # only the width of such a glyph is unknown; the browser draws it
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(
            stream, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = stream.getvalue()
    text = text[text.index("<svg") :]  # drop the document type, which names a URL
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    return re.sub(r"""'DejaVu Sans'(?:, [^;"]*)?""", _FONTS, text)
