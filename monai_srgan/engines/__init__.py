# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Engines: training and evaluation of super-resolution networks."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.engines.data_parallel import data_parallel, sync_batch_norm
from monai_srgan.engines.evaluator import SREvaluator
from monai_srgan.engines.trainer import SRGANTrainer, step_losses
from monai_srgan.engines.tumor_batch import PrepareTumorBatch

__all__ = ["PrepareTumorBatch", "SREvaluator", "SRGANTrainer", "data_parallel", "step_losses", "sync_batch_norm"]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
