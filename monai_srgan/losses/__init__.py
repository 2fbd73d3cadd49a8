# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Losses: adversarial on raw logits, perceptual over any feature network, and the one that trains MRI features."""

from __future__ import annotations

from monai_srgan.losses.adversarial import AdversarialLoss
from monai_srgan.losses.multitask import MultiTaskLoss
from monai_srgan.losses.perceptual import PerceptualFeatureLoss

__all__ = ["AdversarialLoss", "MultiTaskLoss", "PerceptualFeatureLoss"]
