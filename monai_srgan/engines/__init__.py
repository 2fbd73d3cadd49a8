# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Engines: training and evaluation of super-resolution networks."""

from __future__ import annotations

from monai_srgan.engines.evaluator import SREvaluator, evaluation_items, evaluation_scores, slice_source
from monai_srgan.engines.precision import autocast, autocast_dtype, has_fast_autocast, plain
from monai_srgan.engines.trainer import SRGANTrainer, step_losses
from monai_srgan.engines.tumor_batch import PrepareTumorBatch

__all__ = [
    "PrepareTumorBatch",
    "SREvaluator",
    "SRGANTrainer",
    "autocast",
    "autocast_dtype",
    "evaluation_items",
    "evaluation_scores",
    "has_fast_autocast",
    "plain",
    "slice_source",
    "step_losses",
]
