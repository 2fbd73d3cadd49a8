# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The scores of one method on one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from monai_srgan.engines.predictions import Prediction
from monai_srgan.metrics import FourierRings, RegionValues, RingComparison, interval_scores, region_scores
from monai_srgan.scores import Method, RingCurve
from monai_srgan.uncertainty import TrustMaps

__all__ = ["Batch", "MethodScorer", "MethodScores", "Score"]

Masks = Mapping[str, torch.Tensor]
Score = Callable[[torch.Tensor, torch.Tensor, Masks, torch.Tensor], RegionValues]

_EVERYWHERE = "whole"


@dataclass(frozen=True, eq=False)
class Batch:
    """What predictions are scored on: LR and HR images, the tumor mask, and the mask of each region."""

    lr: torch.Tensor
    hr: torch.Tensor
    mask: torch.Tensor
    masks: Masks


@dataclass(frozen=True, eq=False)
class MethodScores:
    """The scores of one method on one batch.

    Attributes:
        degradation: "" for the evaluation's own.
        method: the method.
        values: by region and metric, each ``(B,)``.
        rings: power and coherence by ring; None where they are not measured.
    """

    degradation: str
    method: Method
    values: RegionValues
    rings: RingComparison | None = None

    def curves(self, source: str, index: int) -> list[RingCurve]:
        """The curves of one slice of the batch: one, or none where they are not measured."""
        if self.rings is None:
            return []
        frequency, power, coherence = self.rings.frequency, self.rings.power[index], self.rings.coherence[index]
        return [RingCurve(source, self.method, *(tuple(values.tolist()) for values in (frequency, power, coherence)))]


class MethodScorer:
    """Score predictions on the regions of an evaluation.

    Args:
        regions: the regions.
        data_range: range of the images for PSNR and SSIM.
        scores: see :class:`~monai_srgan.engines.SREvaluator`.
        rings: see :class:`~monai_srgan.engines.SREvaluator`.
    """

    def __init__(
        self, regions: Sequence[str], data_range: float, scores: Sequence[Score] = (), rings: FourierRings | None = None
    ) -> None:
        self.regions = tuple(regions)
        self.data_range = data_range
        self.scores = tuple(scores)
        self.rings = rings

    def all_scores(
        self, method: Method, prediction: Prediction, batch: Batch, maps: TrustMaps[torch.Tensor] | None = None
    ) -> MethodScores:
        """Every score, on the evaluation's own degradation.

        Args:
            method: the method.
            prediction: its images.
            batch: the targets.
            maps: trust maps whose intervals are scored, if they have any.
        """
        values = self._basic(method, prediction, batch)
        for score in self.scores:
            values |= score(prediction.images, batch.hr.float(), batch.masks, batch.lr.float())
        rings = None
        if self.rings is not None:
            rings = self.rings.compare(prediction.images, batch.hr.float())
            values |= self.rings.scores(rings)
        values |= self._intervals(maps, batch)
        return MethodScores("", method, self._by_region(values), rings)

    def fidelity(
        self,
        degradation: str,
        method: Method,
        prediction: Prediction,
        batch: Batch,
        maps: TrustMaps[torch.Tensor] | None = None,
    ) -> MethodScores:
        """PSNR, SSIM, MSE and bias on a further degradation, and coverage and width of the intervals of trust maps."""
        values = self._basic(method, prediction, batch) | self._intervals(maps, batch)
        return MethodScores(degradation, method, self._by_region(values))

    def _intervals(self, maps: TrustMaps[torch.Tensor] | None, batch: Batch) -> RegionValues:
        if maps is None or maps.half_width is None:
            return {}
        return interval_scores(maps.mean, maps.half_width, batch.hr.float(), batch.masks)

    def _basic(self, method: Method, prediction: Prediction, batch: Batch) -> RegionValues:
        pred = prediction.images
        if pred.shape != batch.hr.shape:
            shapes = f"{tuple(pred.shape)} for HR images of {tuple(batch.hr.shape)}"
            raise ValueError(f"{method} gave {shapes}: check its scale")
        values = region_scores(pred, batch.hr.float(), batch.masks, self.data_range)
        if prediction.declined is not None:
            values[_EVERYWHERE, "declined"] = prediction.declined
        return values

    def _by_region(self, values: RegionValues) -> RegionValues:
        """The values of the evaluation's regions, region by region."""
        return {
            (region, metric): found.cpu()
            for wanted in self.regions
            for (region, metric), found in values.items()
            if region == wanted  # a score may be defined on a region that is not evaluated
        }
