# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Losses: adversarial, feature matching, perceptual, multi-task for the MRI features, and of estimates."""

from __future__ import annotations

from monai_srgan.losses.adversarial import AdversarialLoss
from monai_srgan.losses.certainty import MeasurementCertainty
from monai_srgan.losses.feature_matching import FeatureMatchingLoss
from monai_srgan.losses.measurement import MeasurementLoss
from monai_srgan.losses.multitask import MultiTaskLoss
from monai_srgan.losses.perceptual import PerceptualFeatureLoss

__all__ = [
    "AdversarialLoss",
    "FeatureMatchingLoss",
    "MeasurementCertainty",
    "MeasurementLoss",
    "MultiTaskLoss",
    "PerceptualFeatureLoss",
]
