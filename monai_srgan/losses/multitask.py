# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Multi-task loss for the MRI-native features: tumor segmentation and classification."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from monai.losses import DiceCELoss
from torch import Tensor, nn

__all__ = ["MultiTaskLoss"]


class MultiTaskLoss(nn.Module):
    """Soft Dice + cross-entropy of the tumor mask + `class_weight` times the cross-entropy of the tumor class.

    Dice is computed over the whole batch, so that crops without tumor contribute. The class term skips these crops,
    which carry no information on the tumor class. It is 0 for a batch without any tumor.

    Args:
        class_weight: weight of the class term, >= 0.
        class_balance: weight of each class in the cross-entropy, such as its inverse frequency; None for equal weights.

    Raises:
        ValueError: `class_weight` is negative.
    """

    def __init__(self, class_weight: float = 0.5, *, class_balance: list[float] | None = None) -> None:
        super().__init__()
        if class_weight < 0:
            raise ValueError(f"class_weight must be >= 0, got {class_weight}")
        self.class_weight = float(class_weight)
        self.mask_loss = DiceCELoss(sigmoid=True, batch=True)
        self.class_balance = class_balance

    def forward(self, pred: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """The loss, a scalar.

        Args:
            pred: ``mask`` logits `(B, 1, H, W)` and ``tumor_class`` logits `(B, K)`, from ``MRIFeatures``.
            target: ``mask`` `(B, 1, H, W)` {0, 1} and ``tumor_class`` `(B,)` integers 0..K-1.

        Raises:
            ValueError: the masks differ in shape.
        """
        mask, logits = pred["mask"], pred["tumor_class"]
        if mask.shape != target["mask"].shape:
            raise ValueError(
                f"target['mask'] must have the shape of pred['mask'], {tuple(mask.shape)}, got "
                f"{tuple(target['mask'].shape)}"
            )
        total = self.mask_loss(mask.float(), target["mask"].float())
        has_tumor = target["mask"].flatten(1).amax(1) > 0
        if not has_tumor.any():
            return total + 0.0 * logits.float().sum()
        balance = None if self.class_balance is None else logits.new_tensor(self.class_balance).float()
        term = F.cross_entropy(logits[has_tumor].float(), target["tumor_class"][has_tumor], weight=balance)
        return total + self.class_weight * term
