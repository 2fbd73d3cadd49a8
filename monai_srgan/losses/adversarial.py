# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Adversarial losses on raw logits."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F

__all__ = ["AdversarialLoss"]


def _bce(logits: torch.Tensor, label: float) -> torch.Tensor:
    """Binary cross-entropy of logits against a single label, in float32; its gradient survives large logits."""
    return F.binary_cross_entropy_with_logits(logits.float(), torch.full_like(logits, label, dtype=torch.float32))


class AdversarialLoss:
    """Adversarial losses of generator and discriminator on raw logits.

    "vanilla" (Ledig et al., arXiv 1609.04802, equation 6), with ``D`` the sigmoid of the logit and bce against a
    label::

        L_D = (bce(D(HR), real_label) + bce(D(SR), fake_label)) / 2        L_G = bce(D(SR), 1) = -log D(SR)

    "relativistic_average" (Jolicoeur-Martineau, arXiv 1807.00734): the mean logit of the other class is subtracted from
    each logit, and the generator's loss has both terms with swapped labels, so that real and fake images both
    contribute to its gradient.

    Args:
        mode: "vanilla" or "relativistic_average".
        real_label: label of real images in the discriminator's loss, in (0.5, 1]; 0.9 is one-sided label smoothing.
        fake_label: label of fake images in the discriminator's loss, in [0, 0.5); values above 0 smooth this side too.

    Raises:
        ValueError: an argument is out of range; the message names it.
    """

    def __init__(
        self,
        mode: Literal["vanilla", "relativistic_average"] = "vanilla",
        real_label: float = 0.9,
        fake_label: float = 0.0,
    ) -> None:
        if mode not in ("vanilla", "relativistic_average"):
            raise ValueError(f"mode must be 'vanilla' or 'relativistic_average', got {mode!r}")
        if not 0.5 < real_label <= 1.0:
            raise ValueError(f"real_label must be in (0.5, 1], got {real_label}")
        if not 0.0 <= fake_label < 0.5:
            raise ValueError(f"fake_label must be in [0, 0.5), got {fake_label}")
        self.mode = mode
        self.real_label = real_label
        self.fake_label = fake_label

    @property
    def generator_needs_real(self) -> bool:
        """Whether the generator's loss depends on the logits of real images."""
        return self.mode == "relativistic_average"

    def generator(self, fake_logits: torch.Tensor, real_logits: torch.Tensor | None = None) -> torch.Tensor:
        """Loss of the generator.

        Args:
            fake_logits: logits ``(B, 1)`` of SR images, with gradient.
            real_logits: logits ``(B, 1)`` of HR images; required by "relativistic_average" only.

        Returns:
            Scalar loss.

        Raises:
            ValueError: the real logits are required and missing.
        """
        if self.mode == "vanilla":
            return _bce(fake_logits, 1.0)
        if real_logits is None:
            raise ValueError("real_logits is required with mode='relativistic_average', got None")
        return 0.5 * (_bce(fake_logits - real_logits.mean(), 1.0) + _bce(real_logits - fake_logits.mean(), 0.0))

    def discriminator(self, real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
        """Loss of the discriminator.

        Args:
            real_logits: logits ``(B, 1)`` of HR images.
            fake_logits: logits ``(B, 1)`` of SR images, detached from the generator.

        Returns:
            Scalar loss, the mean of its two terms.
        """
        if self.mode == "relativistic_average":
            real_logits, fake_logits = real_logits - fake_logits.mean(), fake_logits - real_logits.mean()
        return 0.5 * (_bce(real_logits, self.real_label) + _bce(fake_logits, self.fake_label))
