# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""ignite metrics on region scores: for ``key_val_metric``, ``additional_metrics`` and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from ignite.exceptions import NotComputableError
from ignite.metrics import Metric
from ignite.metrics.metric import reinit__is_reduced, sync_all_reduce

from monai_srgan.metrics import REGIONS
from monai_srgan.scores import METRIC_FACTS
from monai_srgan.scores.scored_slices import evaluation_scores

__all__ = ["RegionScore", "region_scores_metrics"]


class RegionScore(Metric):
    """Mean over the slices of one score of a :class:`~monai_srgan.engines.SREvaluator`.

    Slices without the region (NaN) are left out of the mean, and so is the infinite PSNR of an identical image, which
    would hide all others. The result is NaN when no slice had the region and ``inf`` when all were identical. As a
    key metric take a region that every slice has, such as ``head``.

    Example::

        SREvaluator(..., key_val_metric={"psnr_head": RegionScore("psnr", "head")})

    Args:
        metric: "psnr", "ssim", "mse", "bias", or the name of a further score that the evaluator was given. For ``mse``
            a best value is a low one: give the evaluator a ``metric_cmp_fn`` and MONAI's ``CheckpointSaver``
            ``key_metric_negative_sign=True``.
        region: name of a region that the evaluator scores.
        method: the network's or a baseline's name; None is the network.
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
        self.method = method
        super().__init__(device=device)

    @reinit__is_reduced
    def reset(self) -> None:
        """Forget all slices."""
        # float64 does not exist on every device, and counts must survive an all-reduce
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
        finite = [v for v in output if math.isfinite(v)]
        self._sum += math.fsum(finite)
        self._finite += len(finite)
        self._infinite += sum(math.isinf(v) for v in output)
        self._seen += len(output)

    def iteration_completed(self, engine: Any) -> None:
        """Read the scores of the engine's step."""
        values = []
        for scores in evaluation_scores(engine):
            method = engine.name if self.method is None else self.method
            if method not in scores:
                raise ValueError(f"method must be one of {list(scores)}, got {method!r}")
            if self.region not in scores[method]:
                raise ValueError(f"the evaluator scores {list(scores[method])}, not region={self.region!r}")
            if self.metric not in scores[method][self.region]:
                raise ValueError(
                    f"the evaluator scores {list(scores[method][self.region])} on {self.region}, not "
                    f"metric={self.metric!r}: pass it in the evaluator's scores"
                )
            values.append(scores[method][self.region][self.metric])
        self.update(values)

    @sync_all_reduce("_sum", "_finite", "_infinite", "_seen")
    def compute(self) -> float:
        """Mean of the measured, finite values.

        Raises:
            NotComputableError: if no slice was seen.
        """
        if not int(self._seen):
            raise NotComputableError("RegionScore has seen no slice: run the evaluator on at least one")
        if int(self._finite):
            return float(self._sum) / int(self._finite)
        return math.inf if int(self._infinite) else math.nan


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
        method: the network's or a baseline's name; None is the network.
        prefix: put before the names, such as "bicubic_".
    """
    return {f"{prefix}{m}_{r}": RegionScore(m, r, method) for r in regions for m in metrics}
