# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How well an enlarged image explains the low-resolution one it was made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from monai_srgan.metrics.functional import masked_psnr
from monai_srgan.precision import plain

__all__ = ["RedegradationPSNR"]


class RedegradationPSNR:
    """``PSNR(A pred, y)``: the prediction, degraded again, against the low-resolution image it was made from.

    It needs no reference and says nothing about detail: an image can be wrong wherever the operator does not look. The
    prediction is degraded in float64, so that only its own rounding counts: a float32 image in [0, 1] that is
    consistent otherwise scores above 140 dB.

    Args:
        operator: linear degradation, ``(B, C, H, W)`` to ``(B, C, h, w)``: the one by which ``y`` arose.
        data_range: the range of the images.

    Raises:
        ValueError: when ``data_range`` is not positive.
    """

    def __init__(self, operator: Callable[[torch.Tensor], torch.Tensor], data_range: float = 1.0) -> None:
        if not data_range > 0:
            raise ValueError(f"data_range must be positive, got {data_range}")
        self.operator = operator
        self.data_range = float(data_range)

    def __call__(
        self,
        pred: torch.Tensor,
        target: torch.Tensor,
        masks: Mapping[str, torch.Tensor],
        image: torch.Tensor,
    ) -> dict[str, dict[str, torch.Tensor]]:
        """Score a batch.

        Args:
            pred: enlarged images, ``(B, C, H, W)`` floating point; not clamped.
            target: not used: there is no HR image in it.
            masks: not used: a region's pixels on the two grids do not correspond.
            image: low-resolution input, ``(B, C, h, w)`` floating point.

        Returns:
            ``{"redegraded_psnr": {"whole": (B,) float64 on the CPU}}`` in dB, inf where the two are identical.

        Raises:
            ValueError: when the operator does not bring `pred` to the size of `image`, or a value is not finite.
        """
        del target, masks
        high = torch.float32 if pred.device.type == "mps" else torch.float64  # MPS has no float64
        with torch.no_grad(), torch.autocast(pred.device.type, enabled=False):
            degraded = self.operator(plain(pred).to(high))
            lr = plain(image).to(degraded)
            if degraded.shape != lr.shape:
                raise ValueError(
                    f"the operator makes {tuple(degraded.shape)} of pred {tuple(pred.shape)}, the image is "
                    f"{tuple(lr.shape)}: its scale must be that of the enlargement"
                )
            psnr = masked_psnr(degraded, lr, data_range=self.data_range)
        return {"redegraded_psnr": {"whole": psnr.cpu()}}
