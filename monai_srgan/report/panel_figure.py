# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""One slice as a figure: input, methods, target, error and the tumor close up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.data.tumor_types import tumor_type_name
from monai_srgan.report.pictures import as_picture, close_up

__all__ = ["draw_panel"]


def draw_panel(
    item: Mapping[str, Any],
    *,
    mask_key: str = "mask",
    name: str = "model",
    outline: bool = True,
    error_max: float = 0.2,
) -> Figure:
    """Draw one slice: LR (its pixels enlarged), other methods, SR, HR, and ``|SR - HR|`` with its colours.

    The second row is a square close-up of the tumour, where there is one. Grey values run from 0 to 1 in every
    picture. Arrays are x-first; pictures are drawn with x to the right and y down, as a reader expects them.

    Args:
        item: a slice of :func:`monai_srgan.scores.evaluation_items`: ``image`` ``(C, h, w)``, ``pred``, ``label``
            and ``mask`` ``(C, H, W)``, ``preds`` of the other methods and ``scores``.
        mask_key: key of the tumour mask.
        name: the network's name in ``scores``.
        outline: whether to draw the tumour's outline.
        error_max: absolute error at the top of the colours.
    """
    hr, sr, lr = (as_picture(item[key]) for key in (Keys.LABEL, Keys.PRED, Keys.IMAGE))
    mask = as_picture(item[mask_key]) > 0
    factors = [n // m for n, m in zip(hr.shape, lr.shape, strict=True)]
    columns = [(f"LR ({lr.shape[1]} × {lr.shape[0]})", np.kron(lr, np.ones(factors)))]
    columns += [(_title(k, item["scores"]), as_picture(v)) for k, v in item["preds"].items() if k != name]
    columns += [(_title(name, item["scores"]), sr), (f"HR ({hr.shape[1]} × {hr.shape[0]})", hr)]

    views = [(slice(0, hr.shape[0]), slice(0, hr.shape[1]))]
    tumour = close_up(mask)
    if tumour is not None:
        views.append(tumour.slices)
    shape = (len(views), len(columns) + 1)
    figure = Figure(figsize=(2.4 * shape[1] + 0.5, 2.4 * shape[0] + 0.7), layout="constrained", facecolor="white")
    axes = figure.subplots(*shape, squeeze=False)
    for number, (row, view) in enumerate(zip(axes, views, strict=True)):
        for ax, (title, picture) in zip(row, columns, strict=False):
            _show(ax, picture, view, mask if outline else None, cmap="gray", vmin=0.0, vmax=1.0)
            if number == 0:
                ax.set_title(title, fontsize=8)
        drawn = _show(row[-1], np.abs(sr - hr), view, mask if outline else None, cmap="magma", vmin=0.0, vmax=error_max)
    axes[0, -1].set_title(f"|{name} − HR|", fontsize=8)
    bar = figure.colorbar(drawn, ax=axes[:, -1], extend="max", fraction=0.08, pad=0.03)
    bar.ax.tick_params(labelsize=7)
    bar.set_label("absolute error, images in [0, 1]", fontsize=7)
    if len(views) > 1:
        xs, ys = view[1], view[0]
        corner, size = (xs.start - 0.5, ys.start - 0.5), (xs.stop - xs.start, ys.stop - ys.start)
        for ax in axes[0]:
            ax.add_patch(_frame(corner, size))
        axes[0, 0].set_ylabel("slice", fontsize=8)
        axes[1, 0].set_ylabel("tumour", fontsize=8)
    figure.suptitle(_heading(item), fontsize=9)
    return figure


_OUTLINE = "#ffd400"


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


def _title(name: str, scores: Mapping[str, Any]) -> str:
    regions = scores.get(name, {})
    parts = [
        f"{label} {regions[r]['psnr']:.1f}" for r, label in (("inside", "tumour"), ("head", "head")) if r in regions
    ]
    return f"{name}\nPSNR {', '.join(parts)} dB" if parts else name


def _heading(item: Mapping[str, Any]) -> str:
    parts = []
    if item.get("source"):
        parts.append(Path(str(item["source"])).name)
    if item.get("patient"):
        parts.append(f"patient {item['patient']}")
    if item.get("tumor_type") is not None:
        parts.append(tumor_type_name(item["tumor_type"]))
    return " · ".join(parts)
