# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mean, spread and calibrated half-width over the eight flips and rotations of an image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type
from torch import nn

from monai_srgan.inferers.consistent import ConsistentInferer
from monai_srgan.inferers.tiled import TiledSRInferer
from monai_srgan.precision import plain
from monai_srgan.uncertainty import IntervalTable

__all__ = ["SelfEnsembleInferer"]

_ELEMENTS = 8


class SelfEnsembleInferer(Inferer):
    """Run another inferer on the eight flips and rotations of an image, turn the results back, and compare them.

    ::

        mean = 1/8 sum_g g^-1 f(g x)          spread = sqrt(1/8 sum_g (g^-1 f(g x) - mean)^2)

    The mean is the geometric self-ensemble of Timofte et al. 2016 (https://doi.org/10.1109/CVPR.2016.206), a little
    nearer to the truth than one result. The degradations of this package commute with flips and rotations, so that the
    eight would agree if the network did too: where they differ, it has guessed. The spread is divided by 8, not 7: the
    eight are all there are. It is not the size of the error, of which the network is mostly unaware in all eight
    positions alike; ``intervals`` translate it into that.

    Args:
        inferer: runs the network on slices and volumes; None is ``TiledSRInferer()``. A
            :class:`~monai_srgan.inferers.ConsistentInferer` goes in here, not around.
        intervals: add the half-width of calibrated intervals: a table, or the path of its file; None for none.
        check_weights: refuse a network whose weights are not those that the intervals were calibrated for.

    Raises:
        TypeError: when ``inferer`` is no inferer.
        FileNotFoundError: when there is no such file.
        ValueError: when the file cannot be used, or is of results with the projection and `inferer` gives such without,
            or the other way round, or the projection's operator is not that of the calibration.
    """

    def __init__(
        self,
        inferer: Inferer | None = None,
        intervals: IntervalTable | str | Path | None = None,
        *,
        check_weights: bool = True,
    ) -> None:
        super().__init__()
        if inferer is not None and not isinstance(inferer, Inferer):
            raise TypeError(f"inferer must be a monai.inferers.Inferer or None, got {type(inferer).__name__}")
        self.inferer = TiledSRInferer() if inferer is None else inferer
        self.intervals = IntervalTable.load(intervals) if isinstance(intervals, str | Path) else intervals
        self.check_weights = check_weights
        if self.intervals is not None:
            self.intervals.check_consistent(self.consistent)
            inner = self.inferer
            if isinstance(inner, ConsistentInferer):
                self.intervals.check_operator(inner.projection.operator)
                inner = inner.inferer
            self.intervals.log_precision(getattr(inner, "precision", None))

    @property
    def consistent(self) -> bool:
        """Whether each of the eight results is projected onto what was measured, and so is their mean."""
        return isinstance(self.inferer, ConsistentInferer)

    def __call__(
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """Enlarge a batch of slices or volumes eight times.

        Args:
            inputs: ``(B, C, X, Y)``, or ``(B, C, X, Y, D)`` with slices along D, which are turned in plane.
            network: passed to the inferer.
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``(B, K * C', s * X, s * Y[, D])`` float32: the channels of the mean, those of the spread and, with
            ``intervals``, those of the half-width; K is 2 or 3. With the meta data of ``inputs`` where that has some;
            :class:`~monai_srgan.transforms.SplitTrustMapsd` takes it apart. The eight results are summed up as they
            come, never kept.

        Raises:
            ValueError: when ``inputs`` has another number of dimensions, or the network's weights are others than the
                intervals were calibrated for.
        """
        if inputs.ndim not in (4, 5):
            raise ValueError(f"inputs must have shape (B, C, X, Y) or (B, C, X, Y, D), got {tuple(inputs.shape)}")
        if self.intervals is not None and self.check_weights and isinstance(network, nn.Module):
            self.intervals.check_weights(network)
        images = plain(inputs)
        mean = self._run(images, 0, network, *args, **kwargs)
        squares = torch.zeros_like(mean)
        for element in range(1, _ELEMENTS):
            result = self._run(images, element, network, *args, **kwargs)
            # Welford's sums: eight nearly equal images leave nothing but rounding in a difference of squares
            change = result.sub_(mean)
            mean.add_(change, alpha=1 / (element + 1))
            squares.add_(change.square_(), alpha=element / (element + 1))
        spread = squares.div_(_ELEMENTS).sqrt_()
        maps = [mean, spread] if self.intervals is None else [mean, spread, self.intervals.half_width(mean, spread)]
        result = torch.cat(maps, dim=1)
        if isinstance(inputs, MetaTensor):
            return convert_to_dst_type(result, inputs, device=result.device, dtype=result.dtype)[0]
        return result

    def _run(self, images: torch.Tensor, element: int, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The result for one position, turned back; a tensor of its own."""
        with torch.no_grad():
            result = self.inferer(_turned(images, element), network, *args, **kwargs)
            return _turned_back(plain(result).float(), element)


def _turned(images: torch.Tensor, element: int) -> torch.Tensor:
    """As in :class:`~monai_srgan.transforms.RandDihedral`: bit 2 exchanges the axes, then bits 0 and 1 flip them."""
    turned = images.transpose(2, 3) if element & 4 else images
    return turned.flip(_flips(element))


def _turned_back(images: torch.Tensor, element: int) -> torch.Tensor:
    back = images.flip(_flips(element))
    return back.transpose(2, 3).contiguous() if element & 4 else back


def _flips(element: int) -> list[int]:
    return [axis + 2 for axis in (0, 1) if element >> axis & 1]
