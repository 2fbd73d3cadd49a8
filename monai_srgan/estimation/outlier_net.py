# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The network that tells images apart that no measurement of the training explains."""

from __future__ import annotations

import torch

from monai_srgan.estimation.feature_ensemble import FeatureEnsemble

__all__ = ["OutlierNet"]


class OutlierNet(FeatureEnsemble):
    """Classifier of images that were processed in ways that the estimate of a measurement does not know.

    A regression gives an answer for every image, also for one that was sharpened, compressed or interpolated after the
    measurement. Examples of such images teach a second network to recognize them (outlier exposure: Hendrycks,
    Mazeika and Dietterich, *Deep anomaly detection with outlier exposure*, 2019, https://arxiv.org/abs/1812.04606).

    Args:
        members: number of classifiers that are averaged.
        width: units of the last hidden layer.
        dropout: probability in training.
    """

    def __init__(self, members: int = 3, width: int = 64, dropout: float = 0.1) -> None:
        super().__init__(1, members, width, dropout)

    def forward(self, spectrum: torch.Tensor, fine: torch.Tensor, axes: torch.Tensor) -> torch.Tensor:
        """Classify.

        Args:
            spectrum: ``(B, 32, 32)``.
            fine: ``(B, 17)``.
            axes: ``(B, 2, 43)``.

        Returns:
            the logit of the probability that an image is an outlier, ``(B, 1)``; in training those of all members,
            ``(B, members)``, since each learns on its own.
        """
        logits = self.outputs(spectrum, fine, axes)[..., 0].T
        return logits if self.training else torch.logit(torch.sigmoid(logits).mean(1, keepdim=True), eps=1e-6)
