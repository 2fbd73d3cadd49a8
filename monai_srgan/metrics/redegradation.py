# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Data fidelity: the prediction, degraded again, against the low-resolution input."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from monai_srgan.metrics.functional import RegionValues, masked_psnr
from monai_srgan.precision import plain

__all__ = ["RedegradationPSNR"]


class RedegradationPSNR:
    """``PSNR(A pred, y)``: the prediction, degraded again, against the low-resolution input.

    It needs no reference and does not measure detail: an image may be wrong in everything that the operator removes.
    The prediction is degraded in float64, so that only its own rounding counts: a consistent float32 image in [0, 1]
    scores above 140 dB.

    Args:
        operator: linear degradation, ``(B, C, H, W)`` to ``(B, C, h, w)``: the one that produced ``y``.
        data_range: the range of the images.

    Raises:
        ValueError: if ``data_range`` is not positive.
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
    ) -> RegionValues:
        """Score a batch.

        Args:
            pred: enlarged images, ``(B, C, H, W)`` floating point; not clamped.
            target: not used: the score needs no HR image.
            masks: not used: a region's pixels on the two grids do not correspond.
            image: low-resolution input, ``(B, C, h, w)`` floating point.

        Returns:
            ``{("whole", "redegraded_psnr"): (B,) float64 on the CPU}`` in dB, inf where the two are identical.

        Raises:
            ValueError: when the degraded `pred` does not have the size of `image`, or a value is not finite.
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
        return {("whole", "redegraded_psnr"): psnr.cpu()}
