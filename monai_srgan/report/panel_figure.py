# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""One slice as a figure: input, methods, target, error and a close-up of the tumor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monai_srgan.report.optional import Figure, Rectangle
from monai_srgan.report.pictures import as_picture, close_up
from monai_srgan.scores import Method, ScoredSlice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_panel"]

_OUTLINE = "#ffd400"


def draw_panel(
    scored: ScoredSlice, method: Method | str = "model", *, outline: bool = True, error_max: float = 0.2
) -> Figure:
    """Draw one slice: LR (its pixels enlarged), other methods, SR, HR, and ``|SR - HR|`` with its colors.

    The second row is a square close-up of the tumor, where there is one. Gray values run from 0 to 1 in every picture.
    Tensors are x-first; pictures are drawn with x to the right and y down.

    Args:
        scored: the slice, with the predictions to be drawn.
        method: the method whose error is drawn, the last before the target.
        outline: whether to draw the tumor's outline.
        error_max: absolute error at the top of the color bar.

    Raises:
        KeyError: if the slice has no prediction of `method`.
    """
    method = Method.parse(method)
    hr, sr, lr = (as_picture(image) for image in (scored.label, scored.predictions[method], scored.image))
    mask = as_picture(scored.mask) > 0
    factors = [n // m for n, m in zip(hr.shape, lr.shape, strict=True)]
    columns = [(f"LR ({lr.shape[1]} × {lr.shape[0]})", np.kron(lr, np.ones(factors)))]
    columns += [(_title(m, scored), as_picture(pred)) for m, pred in scored.predictions.items() if m != method]
    columns += [(_title(method, scored), sr), (f"HR ({hr.shape[1]} × {hr.shape[0]})", hr)]

    views = [(slice(0, hr.shape[0]), slice(0, hr.shape[1]))]
    tumor = close_up(mask)
    if tumor is not None:
        views.append(tumor.slices)
    shape = (len(views), len(columns) + 1)
    figure = Figure(figsize=(2.4 * shape[1] + 0.5, 2.4 * shape[0] + 0.7), layout="constrained", facecolor="white")
    axes = figure.subplots(*shape, squeeze=False)
    for number, (row, view) in enumerate(zip(axes, views, strict=True)):
        for ax, (title, picture) in zip(row, columns, strict=False):
            _show(ax, picture, view, mask if outline else None, cmap="gray", vmin=0.0, vmax=1.0)
            if number == 0:
                ax.set_title(title, fontsize=8)
        drawn = _show(row[-1], np.abs(sr - hr), view, mask if outline else None, cmap="magma", vmin=0.0, vmax=error_max)
    axes[0, -1].set_title(f"|{method} − HR|", fontsize=8)
    bar = figure.colorbar(drawn, ax=axes[:, -1], extend="max", fraction=0.08, pad=0.03)
    bar.ax.tick_params(labelsize=7)
    bar.set_label("absolute error, images in [0, 1]", fontsize=7)
    if len(views) > 1:
        xs, ys = view[1], view[0]
        corner, size = (xs.start - 0.5, ys.start - 0.5), (xs.stop - xs.start, ys.stop - ys.start)
        for ax in axes[0]:
            ax.add_patch(_frame(corner, size))
        axes[0, 0].set_ylabel("slice", fontsize=8)
        axes[1, 0].set_ylabel("tumor", fontsize=8)
    figure.suptitle(_heading(scored), fontsize=9)
    return figure


def _show(ax: Axes, picture: np.ndarray, view: tuple[slice, slice], mask: np.ndarray | None, **kwargs: Any) -> Any:
    rows, cols = view
    extent = (cols.start - 0.5, cols.stop - 0.5, rows.stop - 0.5, rows.start - 0.5)
    drawn = ax.imshow(picture[view], extent=extent, interpolation="nearest", **kwargs)
    if mask is not None and mask[view].any() and not mask[view].all():
        x, y = np.arange(cols.start, cols.stop), np.arange(rows.start, rows.stop)
        ax.contour(x, y, mask[view].astype(float), levels=[0.5], colors=_OUTLINE, linewidths=0.7)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    return drawn


def _frame(corner: tuple[float, float], size: tuple[float, float]) -> Any:
    return Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=0.6, linestyle=(0, (2, 2)))


def _title(method: Method, scored: ScoredSlice) -> str:
    values = {
        label: scored.scores.value(method, region, "psnr") for region, label in (("inside", "tumor"), ("head", "head"))
    }
    parts = [f"{label} {value:.1f}" for label, value in values.items() if value is not None]
    return f"{method}\nPSNR {', '.join(parts)} dB" if parts else str(method)


def _heading(scored: ScoredSlice) -> str:
    patient = f"patient {scored.patient}" if scored.patient else ""
    return " · ".join(part for part in (scored.file, patient, scored.tumor_type) if part)
