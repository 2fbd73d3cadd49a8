# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan inspect --picture``: the spectrum of an image, with the part of k-space that was acquired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from monai_srgan.errors import about
from monai_srgan.files import write_atomically
from monai_srgan.physics import SupportEstimate, axis_profiles, log_spectrum
from monai_srgan.report.drawing import house_style, plain_axes
from monai_srgan.report.optional import Figure, Rectangle, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Panel", "check_picture", "draw_panels", "profile_panel", "save_picture", "spectrum_panel"]

Panel = Callable[["Axes"], None]
"""Draws into one pair of axes."""

_SMOOTHING = 1 / 170  # of the axis: bins over which the picture is smoothed
_RANGE = 75.0  # dB between black and white
_BOX = "#ffd400"
_AXIS_COLORS = ("#0b6e99", "#c2410c")


def check_picture(path: str | Path) -> None:
    """Check that a picture can be written, before the image is read.

    Raises:
        ValueError: the suffix is not .png.
        FileExistsError: the file exists, perhaps the image itself.
        FileNotFoundError: its folder does not exist.
        ModuleNotFoundError: matplotlib is not installed.
    """
    require_matplotlib("--picture")
    path = Path(path).expanduser()
    if path.suffix.lower() != ".png":
        raise about(ValueError(f"picture must be a .png file, got {path}"), "picture")
    if path.exists():
        raise about(FileExistsError(f"picture {path} exists: remove it, or choose another name"), "picture")
    if not path.parent.is_dir():
        raise about(FileNotFoundError(f"the folder of picture {path} does not exist: create it"), "picture")


def save_picture(path: str | Path, volume: np.ndarray, estimate: SupportEstimate | None) -> None:
    """Draw the spectrum of the slice with the largest deviation and the profiles of its axes.

    Args:
        path: a new .png file.
        volume: ``(X, Y, D)``, real.
        estimate: support of the volume; None if a value is not finite.

    Raises:
        ValueError: a value is not finite.
    """
    if estimate is None:
        raise about(ValueError("picture: the image has NaN or infinite values and no spectrum: repair it"), "picture")
    shown = volume[..., int(np.argmax(volume.astype(np.float32).reshape(-1, volume.shape[2]).std(axis=0)))]
    figure = draw_panels([spectrum_panel(shown, estimate), profile_panel(shown, estimate)], title=estimate.summary)
    with house_style():
        write_atomically(Path(path).expanduser(), partial(figure.savefig, dpi=150))


def draw_panels(panels: Sequence[Panel], *, title: str) -> Figure:
    """Draw panels side by side below a title."""
    with house_style():
        figure = Figure(figsize=(4.2 * len(panels), 4.3), layout="constrained", facecolor="white")
        for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
            panel(axes)
        figure.suptitle(title, fontsize=9)
    return figure


def spectrum_panel(image: np.ndarray, estimate: SupportEstimate) -> Panel:
    """Panel with the smoothed log spectrum of an ``(X, Y)`` image, x to the right, and a box around its support."""

    def draw(axes: Axes) -> None:
        spectrum = gaussian_filter(log_spectrum(image), [_SMOOTHING * n for n in image.shape], mode="wrap")
        # pixel n // 2 is frequency 0, and pixels are 1 / n wide
        left, top = (-(n // 2 + 0.5) / n for n in image.shape)
        drawn = axes.imshow(
            spectrum.T,
            cmap="gray",
            vmin=spectrum.max() - _RANGE,
            vmax=spectrum.max(),
            extent=(left, left + 1, top + 1, top),
        )
        fractions = [axis.fraction for axis in estimate.axes]
        if estimate.zero_filled and None not in fractions:
            width, height = (float(fraction or 0) for fraction in fractions)
            axes.add_patch(
                Rectangle((-width / 2, -height / 2), width, height, fill=False, edgecolor=_BOX, linewidth=1.2)
            )
        axes.set(title="log spectrum", xlabel="x, cycles per pixel", ylabel="y, cycles per pixel")
        bar = axes.figure.colorbar(drawn, ax=axes, fraction=0.046, pad=0.03)
        bar.set_label("dB")

    return draw


def profile_panel(image: np.ndarray, estimate: SupportEstimate) -> Panel:
    """Panel with the profiles of both axes and lines where k-space ends; bands show the uncertainty."""

    def draw(axes: Axes) -> None:
        for profile, axis, name, color in zip(
            axis_profiles(image), estimate.axes, ("x", "y"), _AXIS_COLORS, strict=True
        ):
            frequency = np.arange(1, len(profile) + 1) / axis.size
            label = f"{name}: {axis.kind}" + (f", {axis.width:.0f} of {axis.size}" if axis.zero_filled else "")
            axes.plot(frequency, profile, color=color, linewidth=0.9, label=label)
            if axis.fraction is not None and axis.uncertainty is not None:
                half, error = axis.fraction / 2, axis.uncertainty / axis.size / 2
                axes.axvline(half, color=color, linewidth=0.8)
                axes.axvspan(half - error, half + error, color=color, alpha=0.15, linewidth=0)
        axes.set(title="along each axis", xlabel="cycles per pixel", ylabel="dB", xlim=(0, 0.5))
        plain_axes(axes, grid="both")
        axes.legend(frameon=False)

    return draw
