# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""Power of a prediction where the scanner measured nothing of its target.

A scanner that acquires fewer samples than it reconstructs pixels fills the outer part of k-space with zeros. What
a prediction shows there cannot be confirmed by the target, which has only a floor of noise and rounding. With the
spectra P and T of prediction and target, and the sums over the frequencies outside the acquired support::

    outside_power = 10 log10( sum |P|^2 / sum |T|^2 )     (dB, relative to the target's floor)
    outside_share = sum |P|^2 / sum over all |P|^2

Images are apodized, see :mod:`monai_srgan.metrics.spectrum`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from monai_srgan.metrics.checks import as_pair, working_precision
from monai_srgan.metrics.functional import RegionValues
from monai_srgan.metrics.spectrum import frequency_grid, spectral_power, windowed_spectrum

__all__ = ["OutsideSupport", "OutsideSupportPower", "outside_support"]

AxisFractions = Sequence[float]


@dataclass(frozen=True)
class OutsideSupport:
    """Power of predictions outside their targets' support.

    Attributes:
        power: ``(B,)`` float64 dB, relative to the target's power there; -inf where the prediction has none, NaN where
            the target has none or the support is unknown or complete.
        share: ``(B,)`` float64 in [0, 1], of the prediction's whole power, mean included; NaN where the support is
            unknown or complete, or the prediction is 0.
    """

    power: torch.Tensor
    share: torch.Tensor


def outside_support(
    pred: torch.Tensor, target: torch.Tensor, supports: Sequence[AxisFractions | None]
) -> OutsideSupport:
    """Compare the power of predictions and targets outside of a rectangle in k-space.

    Args:
        pred: prediction, ``(B, C, H, W)`` floating point, any range; not clamped.
        target: reference of the same shape.
        supports: half widths of the acquired part of the target's spectrum along the first and the second axis, as
            fractions in (0, 1] of the Nyquist frequency (0.5 cycles per pixel): a pair, or None for unknown, for each
            of the B images.

    Raises:
        TypeError: if an image is not a floating point tensor.
        ValueError: if shapes disagree, a value is not finite, or a fraction is out of range.
    """
    pred, target = as_pair(pred, target)
    if len(supports) != len(pred):
        raise ValueError(f"supports must hold a pair or None for each of the {len(pred)} images, got {len(supports)}")
    images = (working_precision(pred, "pred"), working_precision(target, "target"))
    grid = frequency_grid((pred.shape[-2], pred.shape[-1]))
    powers = [spectral_power(windowed_spectrum(image)).cpu().double() * grid.weight for image in images]
    found = torch.full((2, len(pred)), math.nan, dtype=torch.float64)
    for i, pair in enumerate(supports):
        if pair is None:
            continue
        first, second = _checked(pair)
        outside = (grid.first.abs() > first / 2) | (grid.second > second / 2)
        if not bool(outside.any()):
            continue
        p, t = (power[i][outside].sum() for power in powers)
        found[0, i] = 10 * torch.log10(p / t) if t > 0 else math.nan
        found[1, i] = p / powers[0][i].sum()
    return OutsideSupport(power=found[0], share=found[1])


class OutsideSupportPower:
    """Power of a slice outside the support of its target, a score for :class:`~monai_srgan.engines.SREvaluator`.

    Args:
        support: fractions in (0, 1] of the Nyquist frequency along the two axes, as in :func:`outside_support`, of all
            slices; or a callable that gives them for a target ``(C, H, W)``, or None where it does not know them.

    Raises:
        ValueError: if a fraction is out of range; on call, if the callable gives such a one.
    """

    def __init__(self, support: AxisFractions | Callable[[torch.Tensor], AxisFractions | None]) -> None:
        self.support = support if callable(support) else _checked(support)

    def __call__(
        self,
        pred: torch.Tensor,
        target: torch.Tensor,
        masks: Mapping[str, torch.Tensor],
        image: torch.Tensor | None = None,
    ) -> RegionValues:
        """Score a batch; see :func:`outside_support` for the definition and the errors.

        Args:
            pred: prediction, ``(B, C, H, W)`` floating point.
            target: reference of the same shape.
            masks: not used: a region of an image has no spectrum of its own.
            image: not used.

        Returns:
            ``{("whole", "outside_power" | "outside_share"): (B,) float64 on the CPU}``.
        """
        del masks, image
        supports = [self.support(item) if callable(self.support) else self.support for item in target]
        with torch.no_grad():
            found = outside_support(pred, target, supports)
        return {("whole", "outside_power"): found.power, ("whole", "outside_share"): found.share}


def _checked(support: AxisFractions) -> tuple[float, float]:
    fractions = tuple(map(float, support)) if isinstance(support, Sequence) else ()
    if len(fractions) != 2 or not all(0 < fraction <= 1 for fraction in fractions):
        raise ValueError(
            f"support must be two fractions in (0, 1] of the Nyquist frequency, one an axis, got {support!r}: 1 is an "
            "axis that was measured completely"
        )
    return fractions[0], fractions[1]
