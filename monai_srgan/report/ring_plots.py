# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The plots of power and coherence against frequency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from monai_srgan.metrics import FRC_THRESHOLDS
from monai_srgan.report.drawing import MUTED, house_style, plain_axes
from monai_srgan.report.methods import MethodStyle
from monai_srgan.report.optional import Figure
from monai_srgan.scores import MeanRings, Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["coherence_plot", "power_plot", "shown_rings"]

_SIZE = (4.4, 3.1)  # inches
_PLACE = (0.12, 0.135, 0.86, 0.8)
_LOWEST = -30.0  # dB
_HIGHEST = 12.0
_FRACTIONS = {0.5: "0.5", 1 / 7: "1/7"}


def shown_rings(rings: Mapping[Method, MeanRings], key_method: Method) -> dict[Method, MeanRings]:
    """The curves that are drawn: of methods without additions, and of the one that the report is about.

    Args:
        rings: of all methods.
        key_method: the method that the report is about.
    """
    return {m: found for m, found in rings.items() if found.slices and (m == key_method or not m.is_variant)}


@house_style()
def power_plot(
    rings: Mapping[Method, MeanRings], styles: Mapping[Method, MethodStyle], lr_nyquist: float | None
) -> Figure:
    """Power relative to HR against frequency, from -30 dB.

    Args:
        rings: of the methods to be drawn.
        styles: of these methods; their order is that of the legend.
        lr_nyquist: Nyquist frequency of LR in cycles per HR pixel, to be marked; None for unknown.
    """
    figure, axes = _axes(lr_nyquist)
    axes.axhline(0, color=MUTED, linewidth=1.0, linestyle=(0, (1, 1.6)), zorder=1)
    values = _draw(axes, {m: (found.frequency, found.power) for m, found in rings.items()}, styles)
    measured = values[np.isfinite(values)]
    low, high = (measured.min(), measured.max()) if measured.size else (0.0, 0.0)
    axes.set_ylim(max(low - 1, _LOWEST), min(max(high + 1, 3.0), _HIGHEST))
    axes.set_ylabel("power relative to HR [dB]", parse_math=False)
    axes.legend(loc="lower left", **_LEGEND)
    return figure


@house_style()
def coherence_plot(
    rings: Mapping[Method, MeanRings], styles: Mapping[Method, MethodStyle], lr_nyquist: float | None
) -> Figure:
    """Fourier ring correlation with HR against frequency, with the thresholds of the effective resolution.

    Args:
        rings: of the methods to be drawn.
        styles: of these methods; their order is that of the legend.
        lr_nyquist: as in :func:`power_plot`.
    """
    figure, axes = _axes(lr_nyquist)
    for threshold in FRC_THRESHOLDS.values():
        axes.axhline(threshold, color=MUTED, linewidth=1.0, linestyle=(0, (1, 1.6)), zorder=1)
        axes.text(0.495, threshold + 0.015, _FRACTIONS[threshold], ha="right", va="bottom", color=MUTED)
    _draw(axes, {m: (found.frequency, found.coherence) for m, found in rings.items()}, styles)
    axes.set_ylim(-0.1, 1.03)
    axes.set_ylabel("coherence with HR (FRC)", parse_math=False)
    axes.legend(loc="upper right", **_LEGEND)
    return figure


_LEGEND = {"frameon": False, "handlelength": 1.8, "labelspacing": 0.35, "borderaxespad": 0.3}

_Curve = tuple[tuple[float, ...], tuple[float | None, ...]]


def _axes(lr_nyquist: float | None) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE)
    axes = figure.add_axes(_PLACE)
    plain_axes(axes, grid="both")
    axes.set_xlim(0, 0.5)
    axes.set_xlabel("frequency [cycles per HR pixel]", parse_math=False, labelpad=2)
    if lr_nyquist is not None:
        axes.axvline(lr_nyquist, color=MUTED, linewidth=1.0, zorder=1)
        axes.annotate(
            "LR’s Nyquist frequency",
            (lr_nyquist, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            color=MUTED,
        )
    return figure, axes


def _draw(axes: Axes, curves: Mapping[Method, _Curve], styles: Mapping[Method, MethodStyle]) -> np.ndarray:
    """Draw the curves in the order of the styles; return all values, NaN for not measured."""
    drawn = [np.empty(0)]
    for method, style in styles.items():
        if method not in curves:
            continue
        frequency, values = (np.array(line, dtype=np.float64) for line in curves[method])
        axes.plot(frequency, values, color=style.color, linestyle=style.dashes, linewidth=1.3, label=style.label)
        drawn.append(values)
    return np.concatenate(drawn)
