# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Inferers: run a network over slices and volumes, tiled, projected, self-ensembled or accelerated."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.inferers.accelerated import AcceleratedNetwork, accelerate
from monai_srgan.inferers.autocast import AutocastInferer
from monai_srgan.inferers.consistent import ConsistentInferer
from monai_srgan.inferers.folded import FoldedSRResNet
from monai_srgan.inferers.measured import MeasuredInferer, assumed_measurements
from monai_srgan.inferers.predictor import Predictor
from monai_srgan.inferers.self_ensemble import SelfEnsembleInferer
from monai_srgan.inferers.tiled import TiledSRInferer

__all__ = [
    "AcceleratedNetwork",
    "AutocastInferer",
    "ConsistentInferer",
    "FoldedSRResNet",
    "MeasuredInferer",
    "Predictor",
    "SelfEnsembleInferer",
    "TiledSRInferer",
    "accelerate",
    "assumed_measurements",
]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
