# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""How much of k-space an image fills: whether a scanner interpolated it by filling k-space with zeros.

A profile of an axis is the mean over the lowest frequencies of the other axis of ``10 log10 |FFT(w x)|^2``, with w a
Hann window, which lowers the leakage from the borders of the field of view. Where k-space was filled with zeros, the
profile falls by 10 to 40 dB within a few bins and is flat beyond. What is not zero-filled falls smoothly: as a power of
the frequency, or as a Gaussian where it was blurred, until it reaches the noise. An edge is therefore the largest fall
in excess of two extrapolations: the local slope on either side, and ``a + b log k + c k^2`` fitted below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import scipy.fft
from torch import Tensor

__all__ = ["AxisSupport", "SupportEstimate", "axis_profiles", "estimate_support", "log_spectrum"]

MIN_SIZE = 32  #: pixels of an axis, below which a profile has too few bins for an edge
_FULL = 0.965  # of Nyquist: beyond it too few bins are left to see a floor
_LOWEST = 0.15  # of the axis, in bins: natural images fall steeply below
_BAND = 0.08  # of the other axis, averaged for a profile
_WIDTHS = (0.03, 0.06)  # of the axis: lengths of the two sides of an edge
_GAPS = (0.0, 0.02, 0.05)  # of the axis: widths of an edge: cut, and tapered by the scanner's filter
_EXCESS = 8.5  # dB, chosen on validation patients
_SECOND_EXCESS = ((256, 6.5), (0, 7.5))  # dB, by pixels: of an axis beside a clear one; short profiles are noisier
_SHARP_BONUS = 5.0  # dB: an edge of a single bin need not also clear the fitted extrapolation by as much
_LOW_STEP = 12.5  # dB: a lower edge must end at a floor, chosen on validation patients
_FLOOR_FALL = 3.0  # dB: what falls further beyond the edge is content, not a floor
_HANN_SHIFT = 1.6  # samples: the window widens the support by about this much
_SHARPEST = 0.015  # of the width: 95 % of the errors of sharp edges are smaller
_SLICES = 9  # voters of a volume

Kind = Literal["zero-filled", "full", "unknown"]


@dataclass(frozen=True)
class AxisSupport:
    """How much of an axis of k-space an image fills.

    Attributes:
        size: pixels of the image along the axis.
        kind: "zero-filled" if k-space ends at an edge below Nyquist, "full" if no edge was found, "unknown" if the
            image does not tell.
        width: acquired samples along the axis: `size` if full, None if unknown.
        uncertainty: of `width` in samples: half the width of the edge, at least 1 sample and 1.5 % of `width`; None
            unless zero-filled. An edge that a filter tapered is wide.
        excess: fall at the edge in dB beyond what a smooth spectrum would fall; None if unknown.
    """

    size: int
    kind: Kind
    width: float | None = None
    uncertainty: float | None = None
    excess: float | None = None

    @property
    def zero_filled(self) -> bool:
        """Whether `kind` is "zero-filled"."""
        return self.kind == "zero-filled"

    @property
    def fraction(self) -> float | None:
        """Acquired part of the axis, in (0, 1] of Nyquist; None if unknown."""
        return None if self.width is None else self.width / self.size

    @property
    def upper(self) -> float:
        """Width + uncertainty, at most `size`: samples to keep so that nothing acquired is lost; else `size`."""
        if self.width is None or self.uncertainty is None:
            return float(self.size)
        return min(self.width + self.uncertainty, float(self.size))


@dataclass(frozen=True)
class SupportEstimate:
    """How much of k-space an image fills along its first two axes.

    Attributes:
        axes: the first and the second axis.
        slices: number of slices with a vote.
        reason: why the support is unknown; empty otherwise.
    """

    axes: tuple[AxisSupport, AxisSupport]
    slices: int = 1
    reason: str = ""

    @property
    def zero_filled(self) -> bool:
        """Whether either axis is zero-filled."""
        return any(axis.zero_filled for axis in self.axes)

    @property
    def summary(self) -> str:
        """The estimate in plain words, such as "512 x 512 pixels, but k-space is filled only to 318 x 237: ..."."""
        size = " x ".join(str(axis.size) for axis in self.axes)
        if self.reason:
            return f"{size} pixels; what was acquired is unknown: {self.reason}"
        if not self.zero_filled:
            return f"{size} pixels, and k-space is filled: no sign of zero filling"
        width = " x ".join(f"{axis.width:.0f}" for axis in self.axes)
        return f"{size} pixels, but k-space is filled only to {width}: interpolated by the scanner"

    def to_dict(self) -> dict[str, Any]:
        """The estimate as JSON takes it."""
        return {**asdict(self), "axes": [asdict(axis) for axis in self.axes]}


def estimate_support(image: Any) -> SupportEstimate:
    """Estimate the acquired width of k-space along the first two axes of an image, from the image alone.

    Simulated slices of test patients (k-space cut to 60 to 95 % of the axes, Rician noise of 0 to 5 %) are measured
    within 3 %, see docs/explanation/measurement.md. An edge below 96.5 % of Nyquist can be found. Cubic or linear
    interpolation ends in no edge and is mostly called full; without noise it may be called zero-filled, with a wrong
    width. Noise that was added after zero filling hides an edge below it.

    Args:
        image: ``(X, Y)``, or ``(X, Y, D)`` with D slices of one acquisition, which vote; real, any range, numpy array
            or tensor.

    Raises:
        ValueError: `image` has another number of axes, is empty, complex, or not finite.
    """
    values = _real_array(image)
    if values.ndim == 2:
        return _of_slice(values)
    chosen = _voters(values)
    if not chosen:
        return _unknown(values.shape[:2], "every slice is constant")
    return _vote([_of_slice(values[..., i]) for i in chosen])


def log_spectrum(image: Any) -> np.ndarray:
    """Log power of the windowed image, ``10 log10 |FFT(w x)|^2``, with frequency 0 at index ``n // 2`` of both axes.

    Args:
        image: ``(X, Y)`` real, any range.

    Returns:
        float64 ``(X, Y)`` in dB, relative to the largest value.
    """
    values = _slice_array(image)
    power = _decibels(scipy.fft.fftshift(scipy.fft.fft2(_windowed(values))))
    return power - power.max()


def axis_profiles(image: Any) -> tuple[np.ndarray, np.ndarray]:
    """Profiles of the two axes: mean log power over the lowest frequencies of the other axis.

    Args:
        image: ``(X, Y)`` real, any range.

    Returns:
        two float64 arrays in dB of the image under the window in units of its standard deviation; entry ``k - 1`` is
        frequency ``k / n`` in cycles per pixel, from 1 to below Nyquist.
    """
    values = _slice_array(image)
    spectrum = scipy.fft.rfft2(_windowed(values))
    rows, columns = values.shape
    across = [max(3, round(_BAND * n)) for n in (columns, rows)]
    # The lines through frequency 0 are left out: they hold the leakage from the borders.
    low = _decibels(spectrum[:, 1 : across[0] + 1])
    k = np.arange(1, (rows + 1) // 2)
    first = (low[k] + low[-k]).mean(axis=1) / 2
    low = _decibels(np.concatenate([spectrum[1 : across[1] + 1], spectrum[-across[1] :]]))
    return first, low.mean(axis=0)[1 : (columns + 1) // 2]


@dataclass(frozen=True)
class _Edge:
    """A fall of a profile: `gap` bins before bin `stop`, between `side` bins on either side."""

    stop: int
    gap: int
    side: int
    level: float  # dB above the edge
    floor: float  # dB beyond it
    excess: float  # dB in excess of the local slopes


def _real_array(image: Any) -> np.ndarray:
    values = image.detach().as_subclass(Tensor).cpu().numpy() if isinstance(image, Tensor) else np.asarray(image)
    if values.ndim not in (2, 3) or values.size == 0:
        raise ValueError(f"image must be a slice (X, Y) or a volume (X, Y, D), got shape {values.shape}")
    if values.dtype.kind not in "biuf":
        raise ValueError(f"image must be real, got {values.dtype}: take its magnitude first")
    if not np.isfinite(values).all():
        raise ValueError("NaN or infinite values, all must be finite: exclude the file or repair it")
    return values


def _slice_array(image: Any) -> np.ndarray:
    values = _real_array(image)
    if values.ndim != 2:
        raise ValueError(f"image must be a slice (X, Y), got shape {values.shape}: take one slice")
    return values


def _unknown(shape: Sequence[int], reason: str) -> SupportEstimate:
    return SupportEstimate((AxisSupport(shape[0], "unknown"), AxisSupport(shape[1], "unknown")), reason=reason)


def _of_slice(values: np.ndarray) -> SupportEstimate:
    if min(values.shape) < MIN_SIZE:
        return _unknown(values.shape, f"fewer than {MIN_SIZE} pixels along an axis")
    if values.min() == values.max():
        return _unknown(values.shape, "the image is constant")
    found = [_strongest(profile, n) for profile, n in zip(axis_profiles(values), values.shape, strict=True)]
    clear = max(strength for strength, _, _ in found) >= _EXCESS
    first, second = (_axis(*item, n, clear) for item, n in zip(found, values.shape, strict=True))
    return SupportEstimate((first, second))


def _windowed(values: np.ndarray) -> np.ndarray:
    """The image without its mean, in units of its deviation, under a Hann window."""
    x = values.astype(np.float32)
    x -= x.mean()
    x /= max(float(x.std()), np.finfo(np.float32).tiny)
    window = [np.hanning(n + 2)[1:-1].astype(np.float32) for n in x.shape]
    return x * window[0][:, None] * window[1]


def _decibels(spectrum: np.ndarray) -> np.ndarray:
    power = np.square(spectrum.real, dtype=np.float64) + np.square(spectrum.imag, dtype=np.float64)
    return 10 * np.log10(power + 1e-20)


def _edge(profile: np.ndarray, n: int, side: int, gap: int) -> _Edge | None:
    """The largest fall of a profile in excess of the slope on either side."""
    bins = len(profile)
    stop = np.arange(max(int(_LOWEST * n), 2 * side + gap), bins - 1)
    if not len(stop):
        return None
    sums = np.concatenate([[0.0], np.cumsum(profile)])

    def mean(start: np.ndarray, end: np.ndarray) -> np.ndarray:
        return (sums[end] - sums[start]) / np.maximum(end - start, 1)

    end = np.minimum(stop + side, bins)
    after = np.minimum(stop + 2 * side, bins)
    level, floor = mean(stop - side - gap, stop - gap), mean(stop, end)
    before = (mean(stop - 2 * side - gap, stop - side - gap) - level) / side
    beyond = np.where(after - end >= 2, 2 * (floor - mean(end, after)) / np.maximum(after - stop, 1), 0.0)
    slope = np.maximum(0.0, np.maximum(before, beyond))
    excess = level - floor - slope * (side / 2 + gap + (end - stop) / 2)
    i = int(np.argmax(excess))
    return _Edge(int(stop[i]), gap, side, float(level[i]), float(floor[i]), float(excess[i]))


def _fitted_excess(profile: np.ndarray, edge: _Edge) -> float:
    """The floor's distance in dB below ``a + b log k + c k^2`` with b, c <= 0, fitted to the profile below the edge."""
    start, stop = max(2, (edge.stop - edge.gap) // 4), edge.stop - edge.gap
    center = edge.stop + 1 + min(edge.side, len(profile) - edge.stop) / 2
    k = np.arange(start + 1, stop + 1) / center
    columns = np.stack([np.ones_like(k), np.log(k), k * k], axis=1)
    kept = [0, 1, 2]
    fit = np.linalg.lstsq(columns, profile[start:stop], rcond=None)[0]
    if fit[2] > 0:
        kept = [0, 1]
    elif fit[1] > 0:
        kept = [0, 2]
    if len(kept) < 3:
        fit = np.linalg.lstsq(columns[:, kept], profile[start:stop], rcond=None)[0]
    at_center = np.array([1.0, 0.0, 1.0])[kept]
    return float(fit @ at_center) - edge.floor


def _strongest(profile: np.ndarray, n: int) -> tuple[float, float, tuple[float, float]]:
    """Strength of the clearest narrow edge, and strength and place (width, uncertainty) of the clearest of all."""
    narrow, best, clearest = -np.inf, -np.inf, None
    for part in _GAPS:
        gap = max(1, round(part * n))
        edges = [e for w in _WIDTHS if (e := _edge(profile, n, max(4, round(w * n)), gap)) is not None]
        if not edges:
            continue
        edge = max(edges, key=lambda e: e.excess)
        fitted = _fitted_excess(profile, edge)
        strength = min(edge.excess, fitted + _SHARP_BONUS if part == 0 else fitted)
        if part < max(_GAPS):
            narrow = max(narrow, strength)
        if strength > best:
            best, clearest = strength, edge
    if clearest is None or not _ends_at_floor(profile, clearest):
        return -np.inf, -np.inf, (float(n), 1.0)
    return narrow, best, _place(profile, clearest)


def _ends_at_floor(profile: np.ndarray, edge: _Edge) -> bool:
    """Whether the profile stays where an edge ends; high edges may fall further, to the leakage of the window."""
    starts = range(edge.stop, len(profile) - edge.side + 1)
    lowest = min((float(profile[start : start + edge.side].mean()) for start in starts), default=edge.floor)
    return edge.level - edge.floor >= _LOW_STEP or edge.floor - lowest <= _FLOOR_FALL


def _place(profile: np.ndarray, edge: _Edge) -> tuple[float, float]:
    """Width of the support where the profile has fallen by half, and half the distance of the quarters."""
    start = max(0, edge.stop - edge.gap - edge.side // 2)
    part = profile[start : edge.stop + edge.side // 2]

    def crossing(fraction: float) -> float:
        level = edge.floor + fraction * (edge.level - edge.floor)
        above = np.flatnonzero(part > level)
        last = int(above[-1]) if len(above) else 0
        if last + 1 >= len(part):
            return 2.0 * (start + last + 1.5)
        step = (part[last] - level) / (part[last] - part[last + 1])
        return 2.0 * (start + last + 1 + float(np.clip(step, 0, 1)))

    inner, middle, outer = (crossing(fraction) - _HANN_SHIFT for fraction in (0.75, 0.5, 0.25))
    return middle, max(1.0, _SHARPEST * middle, (outer - inner) / 2)


def _axis(narrow: float, best: float, place: tuple[float, float], n: int, clear: bool) -> AxisSupport:
    second = next(excess for size, excess in _SECOND_EXCESS if n >= size)
    found = narrow >= _EXCESS or (clear and best >= second)
    excess = round(best, 2) if np.isfinite(best) else 0.0
    width, uncertainty = place
    if not found or width >= _FULL * n:
        return AxisSupport(n, "full", float(n), None, excess)
    return AxisSupport(n, "zero-filled", round(width, 1), round(uncertainty, 1), excess)


def _voters(volume: np.ndarray) -> list[int]:
    """Slices with at least half of the largest deviation, evenly spaced."""
    spread = volume.astype(np.float32).reshape(-1, volume.shape[2]).std(axis=0)
    if spread.max() == 0:
        return []
    rich = np.flatnonzero(spread >= spread.max() / 2)
    return [int(rich[i]) for i in np.unique(np.linspace(0, len(rich) - 1, min(_SLICES, len(rich))).round().astype(int))]


def _vote(estimates: Sequence[SupportEstimate]) -> SupportEstimate:
    """Majority of the kinds, median of the widths; slices that disagree widen the uncertainty."""
    if estimates[0].reason:  # too small: all slices have one size
        return estimates[0]
    first, second = (_majority([e.axes[i] for e in estimates]) for i in range(2))
    return SupportEstimate((first, second), slices=len(estimates))


def _majority(votes: Sequence[AxisSupport]) -> AxisSupport:
    filled = [v for v in votes if v.zero_filled]
    excess = float(np.median([v.excess for v in votes if v.excess is not None]))
    if 2 * len(filled) <= len(votes):
        return AxisSupport(votes[0].size, "full", float(votes[0].size), None, excess)
    widths = np.array([v.width for v in filled], dtype=float)
    spread = float(np.subtract(*np.percentile(widths, (75, 25)))) / 2
    uncertainty = max(float(np.median([float(v.uncertainty or 0) for v in filled])), spread)
    return AxisSupport(votes[0].size, "zero-filled", float(np.median(widths)), round(uncertainty, 1), excess)
