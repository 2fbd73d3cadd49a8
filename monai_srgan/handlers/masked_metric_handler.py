# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Masked metrics in any MONAI evaluator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from monai.handlers import IgniteMetricHandler
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.metrics import MaskedMetric

__all__ = ["MaskedMetricHandler"]


class MaskedMetricHandler(IgniteMetricHandler):
    """A :class:`~monai_srgan.metrics.MaskedMetric` in any MONAI evaluator.

    Use it in ``key_val_metric`` or ``additional_metrics``. It reads ``pred`` and ``label`` from
    ``engine.state.output``, and the mask from there or from ``engine.state.batch``, decollated or not. The values of
    the slices are in ``engine.state.metric_details``, for MONAI's ``MetricsSaver``.

    Example::

        SupervisedEvaluator(..., key_val_metric={"psnr_tumor": MaskedMetricHandler(MaskedPSNRMetric())})

    Args:
        metric_fn: the metric.
        mask_key: key of the region's mask; None scores whole images.
        mask_transform: callable applied to the mask, such as ``torch.logical_not`` for the outside.
        save_details: whether to keep the value of every slice.
    """

    def __init__(
        self,
        metric_fn: MaskedMetric,
        mask_key: str | None = "mask",
        mask_transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
        save_details: bool = True,
    ) -> None:
        self.mask_key = mask_key
        self.mask_transform = mask_transform
        super().__init__(metric_fn=metric_fn, save_details=save_details)

    def iteration_completed(self, engine: Any) -> None:
        """Score the engine's step."""
        output, batch = engine.state.output, engine.state.batch
        mask = None
        if self.mask_key is not None:
            source = output if _has(output, self.mask_key) else batch
            if not _has(source, self.mask_key):
                raise KeyError(f"neither output nor batch has mask_key={self.mask_key!r}: set the mask's key, or None")
            mask = _entry(source, self.mask_key)
            if self.mask_transform is not None:
                mask = [self.mask_transform(m) for m in mask] if isinstance(mask, list) else self.mask_transform(mask)
        self.metric_fn(_entry(output, Keys.PRED), _entry(output, Keys.LABEL), mask=mask)
        self._is_reduced = False


def _has(data: Any, key: str) -> bool:
    first = data[0] if isinstance(data, list) and data else data
    return isinstance(first, Mapping) and key in first


def _entry(data: Any, key: str) -> Any:
    """A batched tensor, or the list of tensors of decollated slices."""
    return [item[key] for item in data] if isinstance(data, list) else data[key]
