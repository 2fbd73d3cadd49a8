# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Batch preparation for the feature network: one input, two targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from monai.engines import PrepareBatch
from torch import Tensor

from monai_srgan.precision import plain

__all__ = ["PrepareTumorBatch"]


class PrepareTumorBatch(PrepareBatch):
    """Turn a batch into ``(image, {"mask", "tumor_class"})``, the form of ``MRIFeatures`` and ``MultiTaskLoss``.

    Args:
        image_key: key of the image ``(B, 1, H, W)``.
        mask_key: key of the tumor mask ``(B, 1, H, W)`` of {0, 1}.
        type_key: key of the tumor type ``(B,)``, 1 to 3 as in the dataset; it becomes a class 0 to 2.

    Raises:
        KeyError: when called with a batch that lacks one of the keys.
    """

    def __init__(self, image_key: str = "image", mask_key: str = "mask", type_key: str = "tumor_type") -> None:
        self.image_key = image_key
        self.mask_key = mask_key
        self.type_key = type_key

    def __call__(  # noqa: D102 - MONAI's hook
        self,
        batchdata: Mapping[str, Any],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        missing = [key for key in (self.image_key, self.mask_key, self.type_key) if key not in batchdata]
        if missing:
            raise KeyError(f"the batch must have {missing}, it has {sorted(batchdata)}")
        image, mask = (plain(batchdata[key]) for key in (self.image_key, self.mask_key))
        tumor_class = torch.as_tensor(batchdata[self.type_key]).long() - 1
        return image.to(device=device, non_blocking=non_blocking, **kwargs), {
            "mask": mask.to(device=device, non_blocking=non_blocking, **kwargs),
            "tumor_class": tumor_class.to(device=device, non_blocking=non_blocking),
        }
