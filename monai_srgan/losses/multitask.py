# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Loss that trains the MRI-native features: where the tumour is, and what it is."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from monai.losses import DiceCELoss
from torch import Tensor, nn

__all__ = ["MultiTaskLoss"]


class MultiTaskLoss(nn.Module):
    """Soft Dice + cross-entropy of the tumour mask + `class_weight` times the cross-entropy of the tumour class.

    Dice is taken over the whole batch, so that crops without tumour count. The class term leaves them out: nothing in
    such a crop tells a meningioma from a glioma. A batch without any tumour has a class term of 0.

    Args:
        class_weight: weight of the class term, >= 0.
        class_balance: one factor per class in the cross-entropy, e.g. the inverse of how often it occurs; None for
            equal.
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
        """
        mask, logits = pred["mask"], pred["tumor_class"]
        if mask.shape != target["mask"].shape:
            raise ValueError(
                f"target['mask'] must be {tuple(mask.shape)} as the prediction, got {tuple(target['mask'].shape)}"
            )
        total = self.mask_loss(mask.float(), target["mask"].float())
        shown = target["mask"].flatten(1).amax(1) > 0
        if not shown.any():
            return total + 0.0 * logits.float().sum()
        balance = None if self.class_balance is None else logits.new_tensor(self.class_balance).float()
        term = F.cross_entropy(logits[shown].float(), target["tumor_class"][shown], weight=balance)
        return total + self.class_weight * term
