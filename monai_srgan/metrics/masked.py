# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Masked scores as MONAI metrics: call per batch, aggregate at the end, in any MONAI pipeline.

Unlike :func:`monai.metrics.utils.do_metric_reduction`, whose mean over no images is 0 (a perfect error), the aggregate
is NaN where nothing was measured, and it can return the number of averaged images. The infinite PSNR of identical
images is left out, see :class:`~monai_srgan.metrics.finite_mean.FiniteMean`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from monai.metrics import CumulativeIterationMetric

from monai_srgan.metrics.finite_mean import FiniteMean
from monai_srgan.metrics.functional import masked_bias, masked_mse, masked_psnr, masked_ssim

__all__ = ["MaskedBiasMetric", "MaskedMSEMetric", "MaskedMetric", "MaskedPSNRMetric", "MaskedSSIMMetric"]


class MaskedMetric(CumulativeIterationMetric):
    """Base of the masked metrics: one value per image, NaN where the region is empty.

    Example::

        metric = MaskedPSNRMetric(data_range=1.0)
        for batch in loader:
            metric(network(batch["image"]), batch["label"], mask=batch["mask"])
        mean, n = metric.aggregate(get_not_nans=True)

    A call takes ``y_pred`` and ``y``, both ``(B, C, H, W)`` or lists of ``(C, H, W)``, and ``mask`` of the same form
    with one channel, or None for whole images. It returns one value per image and stores them for :meth:`aggregate`.
    Any other keyword is a TypeError, since a misspelled ``mask`` would score the whole image.

    Args:
        get_not_nans: whether :meth:`aggregate` also returns the number of images in the mean.
    """

    def __init__(self, *, get_not_nans: bool = False) -> None:
        super().__init__()
        self.get_not_nans = get_not_nans

    @abstractmethod
    def score(self, pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """One value per image, ``(B,)``, from ``(B, C, H, W)`` images and a ``(B, 1, H, W)`` mask or None."""

    def _compute_tensor(
        self, y_pred: torch.Tensor, y: torch.Tensor | None = None, mask: torch.Tensor | None = None, **unknown: Any
    ) -> torch.Tensor:
        self._check_keywords(unknown)
        if y is None:
            raise ValueError(f"{type(self).__name__} compares with a reference: pass y, with the shape of y_pred")
        return self.score(y_pred, y, mask)

    def _compute_list(
        self, y_pred: Sequence[torch.Tensor], y: Sequence[torch.Tensor] | None = None, **kwargs: Any
    ) -> torch.Tensor:
        mask = kwargs.pop("mask", None)
        self._check_keywords(kwargs)
        masks = [None] * len(y_pred) if mask is None else list(mask)
        if y is None or len(y) != len(y_pred) or len(masks) != len(y_pred):
            found = (len(y_pred), None if y is None else len(y), None if mask is None else len(masks))
            raise ValueError(f"y_pred, y and mask must list the same number of (C, H, W) images, got {found}")
        scores = [
            self._compute_tensor(p[None], t[None], mask=None if m is None else m[None])
            for p, t, m in zip(y_pred, y, masks, strict=True)
        ]
        return torch.cat(scores)

    def _check_keywords(self, keywords: dict[str, Any]) -> None:
        if keywords:
            raise TypeError(
                f"{type(self).__name__} takes y_pred, y and mask, got {sorted(keywords)}: name the region's mask mask="
            )

    def aggregate(self, *, get_not_nans: bool | None = None) -> Any:
        """Mean of the finite values of all calls since the last ``reset()``, and optionally their number.

        Images without the region (NaN) are left out, and so are infinite values, the PSNR of identical images.

        Args:
            get_not_nans: overrides the constructor's choice.

        Returns:
            scalar tensor, or ``(mean, n)`` with n the number of values in the mean. Where n is 0, the mean is ``inf``
            if all measured images were identical, and NaN if none was measured.
        """
        values = self.get_buffer()
        values = torch.empty(0, dtype=torch.float64) if values is None else values
        found = FiniteMean.of(values.tolist())
        mean = torch.tensor(found.mean, dtype=values.dtype, device=values.device)
        return (mean, found.count) if (self.get_not_nans if get_not_nans is None else get_not_nans) else mean


class MaskedMSEMetric(MaskedMetric):
    """:func:`~monai_srgan.metrics.masked_mse` as a MONAI metric."""

    def score(self, pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """See :func:`~monai_srgan.metrics.masked_mse`."""
        return masked_mse(pred, target, mask)


class MaskedBiasMetric(MaskedMetric):
    """:func:`~monai_srgan.metrics.masked_bias` as a MONAI metric."""

    def score(self, pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """See :func:`~monai_srgan.metrics.masked_bias`."""
        return masked_bias(pred, target, mask)


class MaskedPSNRMetric(MaskedMetric):
    """:func:`~monai_srgan.metrics.masked_psnr` as a MONAI metric: the mean of the images' PSNR, in dB.

    Args:
        data_range: the range L of the images.
        get_not_nans: see :class:`MaskedMetric`.
    """

    def __init__(self, data_range: float = 1.0, *, get_not_nans: bool = False) -> None:
        super().__init__(get_not_nans=get_not_nans)
        self.data_range = data_range

    def score(self, pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """See :func:`~monai_srgan.metrics.masked_psnr`."""
        return masked_psnr(pred, target, mask, data_range=self.data_range)


class MaskedSSIMMetric(MaskedMetric):
    """:func:`~monai_srgan.metrics.masked_ssim` as a MONAI metric.

    Args:
        data_range: the range L of the images.
        strict: average only windows that lie wholly inside the region.
        get_not_nans: see :class:`MaskedMetric`.
    """

    def __init__(self, data_range: float = 1.0, *, strict: bool = False, get_not_nans: bool = False) -> None:
        super().__init__(get_not_nans=get_not_nans)
        self.data_range = data_range
        self.strict = strict

    def score(self, pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """See :func:`~monai_srgan.metrics.masked_ssim`."""
        return masked_ssim(pred, target, mask, data_range=self.data_range, strict=self.strict)
