# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""ignite metrics on region scores: for ``key_val_metric``, ``additional_metrics`` and checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ignite.exceptions import NotComputableError
from ignite.metrics import Metric
from ignite.metrics.metric import reinit__is_reduced, sync_all_reduce

from monai_srgan.metrics import REGIONS, FiniteMean
from monai_srgan.scores import METRIC_FACTS, Method, SliceScores, scored_slices

__all__ = ["RegionScore", "region_scores_metrics"]


class RegionScore(Metric):
    """Mean over the slices of one score of a :class:`~monai_srgan.engines.SREvaluator`.

    Slices without the region (NaN) are left out of the mean, and so is the infinite PSNR of identical images (see
    :class:`~monai_srgan.metrics.FiniteMean`). The result is NaN where no slice had the region and ``inf`` where all
    were identical. Choose a region that every slice has, such as ``head``, for a key metric.

    Example::

        SREvaluator(..., key_val_metric={"psnr_head": RegionScore("psnr", "head")})

    Args:
        metric: "psnr", "ssim", "mse", "bias", or the name of a further score of the evaluator. For ``mse`` lower values
            are better: give the evaluator a ``metric_cmp_fn`` and MONAI's ``CheckpointSaver``
            ``key_metric_negative_sign=True``.
        region: name of a region that the evaluator scores.
        method: name of the network, a baseline or a variant, such as "srgan + consistency"; None is the network.
        device: where the sums are kept.

    Raises:
        ValueError: if ``metric`` or ``region`` is unknown; on update, if the evaluator does not score them.
    """

    def __init__(
        self,
        metric: str = "psnr",
        region: str = "head",
        method: str | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        if metric not in METRIC_FACTS:
            raise ValueError(f"metric must be one of {tuple(METRIC_FACTS)}, got {metric!r}")
        if region not in REGIONS:
            raise ValueError(f"region must be one of {REGIONS}, got {region!r}")
        self.metric = metric
        self.region = region
        self.method = None if method is None else Method.parse(method)
        super().__init__(device=device)

    @reinit__is_reduced
    def reset(self) -> None:
        """Forget all slices."""
        # not every device has float64, and counts must survive an all-reduce
        self._sum = torch.tensor(0.0, dtype=torch.float64 if self._device.type != "mps" else torch.float32)
        self._sum = self._sum.to(self._device)
        self._finite = torch.tensor(0, device=self._device)
        self._infinite = torch.tensor(0, device=self._device)
        self._seen = torch.tensor(0, device=self._device)

    @reinit__is_reduced
    def update(self, output: Sequence[float]) -> None:
        """Add the values of some slices.

        Args:
            output: one value per slice; NaN was not measured.
        """
        found = FiniteMean.of(output)
        self._sum += found.total
        self._finite += found.count
        self._infinite += found.infinite
        self._seen += len(output)

    def iteration_completed(self, engine: Any) -> None:
        """Read the scores of the engine's step."""
        method = engine.method if self.method is None else self.method
        self.update([self._value(scored.scores, method) for scored in scored_slices(engine)])

    def _value(self, scores: SliceScores, method: Method) -> float:
        value = scores.value(method, self.region, self.metric)
        if value is not None:
            return value
        methods, regions = scores.methods(), scores.regions(method)
        if method not in methods:
            raise ValueError(f"method must be one of {[str(m) for m in methods]}, got {str(method)!r}")
        if self.region not in regions:
            raise ValueError(f"the evaluator scores {regions}, not region={self.region!r}")
        raise ValueError(
            f"the evaluator scores {scores.metrics(method, self.region)} on {self.region}, not "
            f"metric={self.metric!r}: pass it in the evaluator's scores"
        )

    @sync_all_reduce("_sum", "_finite", "_infinite", "_seen")
    def compute(self) -> float:
        """Mean of the measured, finite values.

        Raises:
            NotComputableError: if no slice was seen.
        """
        if not int(self._seen):
            raise NotComputableError("RegionScore has seen no slice: run the evaluator on at least one")
        return FiniteMean(float(self._sum), int(self._finite), int(self._infinite)).mean


def region_scores_metrics(
    regions: Sequence[str] = REGIONS,
    metrics: Sequence[str] = ("psnr", "ssim"),
    method: str | None = None,
    prefix: str = "",
) -> dict[str, RegionScore]:
    """Metrics named ``{prefix}{metric}_{region}`` for an evaluator's ``additional_metrics``.

    Args:
        regions: regions that the evaluator scores.
        metrics: see :class:`RegionScore`.
        method: see :class:`RegionScore`.
        prefix: put before the names, such as "bicubic_".
    """
    return {f"{prefix}{m}_{r}": RegionScore(m, r, method) for r in regions for m in metrics}
