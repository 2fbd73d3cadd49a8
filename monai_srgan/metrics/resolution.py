# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Effective resolution: the frequency up to which a prediction shows the detail of its target.

It is the frequency from which on the Fourier ring correlation of the two images (see
:mod:`monai_srgan.metrics.rings`) stays below a threshold. The thresholds are conventions; van Heel & Schatz 2005
(https://doi.org/10.1016/j.jsb.2005.05.009) compare them and their assumptions. 0.5 is the stricter one: with a
noiseless target, noise and invented detail then have three times the power of what is right. 1/7 is that of
Rosenthal & Henderson 2003 (https://doi.org/10.1016/j.jmb.2003.07.013) for two noisy images. A noisy target limits the
result: what the target does not show cannot be confirmed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from monai_srgan.metrics.functional import RegionValues
from monai_srgan.metrics.rings import RING_WIDTH, RingComparison, compare_rings

__all__ = ["FRC_THRESHOLDS", "FourierRings", "effective_resolution"]

FRC_THRESHOLDS: Mapping[str, float] = {"resolution_half": 0.5, "resolution_seventh": 1 / 7}
"""The score of each threshold."""


def effective_resolution(rings: RingComparison, threshold: float = 0.5) -> torch.Tensor:
    """Frequency from which on the coherence stays below a threshold, interpolated linearly between two rings.

    Args:
        rings: of some images, see :func:`monai_srgan.metrics.compare_rings`. Rings that were not measured are skipped.
        threshold: of the coherence, in (0, 1).

    Returns:
        ``(B,)`` float64 in cycles per pixel: 0 where all rings are below the threshold; where the last measured ring is
        not below it, its frequency, 0.5 for the Nyquist frequency; NaN where no ring was measured beside the mean.

    Raises:
        ValueError: if `threshold` is out of range.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must be a coherence in (0, 1), got {threshold}: 0.5 and 1/7 are common")
    crossings = [_crossing(rings.frequency, curve, threshold) for curve in rings.coherence]
    return torch.tensor(crossings, dtype=torch.float64)


class FourierRings:
    """Power and coherence by ring, and the effective resolution that follows, of whole slices.

    As ``SREvaluator(rings=FourierRings())`` the curves are kept as well; in ``scores=[...]`` only the resolution is.

    Args:
        pixel_spacing: width of the images' pixels in mm, the same along both axes, to give the resolution also as the
            period in mm, ``pixel_spacing / frequency``. It has to be stated, since metadata may hold a nominal value,
            as that of figshare slices does; None gives no result in mm.
        ring_width: width of a ring in cycles per pixel, in (0, 0.25].

    Raises:
        ValueError: if `pixel_spacing` is not positive; on call, if `ring_width` is out of range.
    """

    def __init__(self, pixel_spacing: float | None = None, ring_width: float = RING_WIDTH) -> None:
        if pixel_spacing is not None and not 0 < pixel_spacing < math.inf:
            raise ValueError(
                f"pixel_spacing must be the width of a pixel in mm, > 0, got {pixel_spacing}: None if unknown"
            )
        self.pixel_spacing = pixel_spacing
        self.ring_width = ring_width

    def __call__(
        self,
        pred: torch.Tensor,
        target: torch.Tensor,
        masks: Mapping[str, torch.Tensor],
        image: torch.Tensor | None = None,
    ) -> RegionValues:
        """Score a batch.

        Args:
            pred: prediction, ``(B, C, H, W)`` floating point.
            target: reference of the same shape.
            masks: not used: a region of an image has no spectrum of its own.
            image: not used.

        Returns:
            as :meth:`scores`.
        """
        del masks, image
        return self.scores(self.compare(pred, target))

    def compare(self, pred: torch.Tensor, target: torch.Tensor) -> RingComparison:
        """Power and coherence by ring, see :func:`monai_srgan.metrics.compare_rings`."""
        with torch.no_grad():
            return compare_rings(pred, target, self.ring_width)

    def scores(self, rings: RingComparison) -> RegionValues:
        """Effective resolution of compared images.

        Returns:
            ``{("whole", "resolution_half" | "resolution_seventh"): (B,) float64}`` in cycles per pixel, and with a
            `pixel_spacing` the same with ``_mm`` in the name: the period in mm, inf where nothing is resolved.
        """
        found: RegionValues = {}
        for name, threshold in FRC_THRESHOLDS.items():
            frequency = effective_resolution(rings, threshold)
            found["whole", name] = frequency
            if self.pixel_spacing is not None:
                found["whole", f"{name}_mm"] = self.pixel_spacing / frequency
        return found


def _crossing(frequency: torch.Tensor, coherence: torch.Tensor, threshold: float) -> float:
    """Where one curve falls below the threshold for good."""
    measured = torch.isfinite(coherence)
    if not bool(measured[1:].any()):
        return math.nan
    at, curve = frequency[measured], coherence[measured]
    above = torch.nonzero(curve >= threshold).flatten()
    if not len(above):
        return 0.0
    last = int(above[-1])
    if last + 1 == len(curve):
        return float(at[last])
    step = (curve[last] - threshold) / (curve[last] - curve[last + 1])
    return float(at[last] + step * (at[last + 1] - at[last]))
