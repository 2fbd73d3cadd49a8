# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Geometric self-ensemble: mean, spread and calibrated half-width over eight flips and rotations of an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type
from torch import nn

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.inferers.consistent import ConsistentInferer
from monai_srgan.inferers.measured import MeasuredInferer, assumed_measurements
from monai_srgan.inferers.tiled import TiledSRInferer
from monai_srgan.physics import swap_condition_axes
from monai_srgan.precision import plain
from monai_srgan.uncertainty import CalibratedIntervals, TrustMaps, load_intervals

__all__ = ["SelfEnsembleInferer"]

_ELEMENTS = 8


class SelfEnsembleInferer(Inferer):
    """Run another inferer on the eight flips and rotations of an image, undo them, and take mean and spread.

    ::

        mean = 1/8 sum_g g^-1 f(g x)          spread = sqrt(1/8 sum_g (g^-1 f(g x) - mean)^2)

    The mean is the geometric self-ensemble of Timofte et al. 2016 (https://doi.org/10.1109/CVPR.2016.206), slightly
    closer to the ground truth than a single result. The degradations of this package commute with flips and rotations,
    so the eight results would agree if the network did too: where they differ, the network has guessed. The spread is
    divided by 8, not 7, because the eight results are the whole population. It does not estimate the error, most of
    which is common to all eight results; ``intervals`` turn it into calibrated half-widths.

    Args:
        inferer: runs the network on slices and volumes; None creates a ``TiledSRInferer()``. To project the results,
            pass a :class:`~monai_srgan.inferers.ConsistentInferer` here.
        intervals: calibrated intervals, or the path of their file, which add their half-width to the result: NaN for
            an image that was not measured as in their calibration. None adds nothing.
        check_weights: raise an error if the network does not have the weights that the intervals were calibrated for.

    Raises:
        TypeError: ``inferer`` is not an inferer.
        FileNotFoundError: the file of ``intervals`` does not exist.
        ValueError: the file is not an interval file, the intervals were calibrated with projected results and
            ``inferer`` does not project or vice versa, or they were calibrated for another operator.
    """

    def __init__(
        self,
        inferer: Inferer | None = None,
        intervals: CalibratedIntervals | str | Path | None = None,
        *,
        check_weights: bool = True,
    ) -> None:
        super().__init__()
        if inferer is not None and not isinstance(inferer, Inferer):
            raise TypeError(f"inferer must be a monai.inferers.Inferer or None, got {type(inferer).__name__}")
        self.inferer = TiledSRInferer() if inferer is None else inferer
        self.intervals = load_intervals(intervals) if isinstance(intervals, str | Path) else intervals
        self.check_weights = check_weights
        if self.intervals is not None:
            self.intervals.check_consistent(self.consistent)
            inner = self.inferer
            if isinstance(inner, ConsistentInferer):
                self.intervals.check_operator(inner.projection.operator)
            if isinstance(inner, ConsistentInferer | MeasuredInferer):
                inner = inner.inferer
            self.intervals.log_precision(getattr(inner, "precision", None))

    @property
    def consistent(self) -> bool:
        """Whether the eight results, and hence their mean, are projected onto the measured image."""
        inner = self.inferer
        return isinstance(inner, ConsistentInferer) or (isinstance(inner, MeasuredInferer) and inner.consistency)

    def __call__(
        self,
        inputs: torch.Tensor,
        network: Callable[..., torch.Tensor],
        *args: Any,
        measurements: Sequence[AssumedMeasurement] | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Enlarge a batch of slices or volumes eight times.

        Args:
            inputs: ``(B, C, X, Y)``, or ``(B, C, X, Y, D)`` with slices along D, which are transformed in plane.
            network: passed to the inferer.
            args: further arguments of the network.
            measurements: one record per image for a ``MeasuredInferer``, in place of those in the metadata.
            kwargs: further arguments of the network.

        Returns:
            ``(B, K * C', s * X, s * Y[, D])`` float32: the channels of the mean, of the spread and, with ``intervals``,
            of the half-width, so that K is 2 or 3; with the metadata of ``inputs`` if it is a MetaTensor.
            :meth:`TrustMaps.split <monai_srgan.uncertainty.TrustMaps.split>` and
            :class:`~monai_srgan.transforms.SplitTrustMapsd` split it. Results are accumulated one by one, so that no
            more than one is in memory.

        Raises:
            ValueError: ``inputs`` has another number of dimensions, or the intervals were calibrated for other weights
                than those of the network.
        """
        if inputs.ndim not in (4, 5):
            raise ValueError(f"inputs must have shape (B, C, X, Y) or (B, C, X, Y, D), got {tuple(inputs.shape)}")
        if self.intervals is not None and self.check_weights and isinstance(network, nn.Module):
            self.intervals.check_weights(network)
        records = assumed_measurements(inputs) if measurements is None else list(measurements)
        if not isinstance(self.inferer, MeasuredInferer):
            records = []
        images = plain(inputs)
        mean = self._run(images, 0, records, network, *args, **kwargs)
        squares = torch.zeros_like(mean)
        for element in range(1, _ELEMENTS):
            result = self._run(images, element, records, network, *args, **kwargs)
            # Welford's algorithm: a difference of squares of nearly equal images would leave only rounding errors.
            change = result.sub_(mean)
            mean.add_(change, alpha=1 / (element + 1))
            squares.add_(change.square_(), alpha=element / (element + 1))
        spread = squares.div_(_ELEMENTS).sqrt_()
        half_width = None if self.intervals is None else self.intervals.half_width(mean, spread, records)
        result = TrustMaps(mean, spread, half_width).joined()
        if isinstance(inputs, MetaTensor):
            return convert_to_dst_type(result, inputs, device=result.device, dtype=result.dtype)[0]
        return result

    def _run(
        self,
        images: torch.Tensor,
        element: int,
        records: Sequence[AssumedMeasurement],
        network: Callable[..., Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """The result for one of the eight transformations, which is undone, as a new tensor."""
        if element & 4 and isinstance(kwargs.get("condition"), torch.Tensor):
            kwargs["condition"] = swap_condition_axes(kwargs["condition"])
        if records:
            kwargs["measurements"] = [record.transposed() for record in records] if element & 4 else records
        with torch.no_grad():
            result = self.inferer(_transformed(images, element), network, *args, **kwargs)
            return _inverse(plain(result).float(), element)


def _transformed(images: torch.Tensor, element: int) -> torch.Tensor:
    """As in :class:`~monai_srgan.transforms.RandDihedral`: bit 2 swaps the axes, then bits 0 and 1 flip them."""
    swapped = images.transpose(2, 3) if element & 4 else images
    return swapped.flip(_flips(element))


def _inverse(images: torch.Tensor, element: int) -> torch.Tensor:
    flipped = images.flip(_flips(element))
    return flipped.transpose(2, 3).contiguous() if element & 4 else flipped


def _flips(element: int) -> list[int]:
    return [axis + 2 for axis in (0, 1) if element >> axis & 1]
