# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Masked MSE, PSNR, SSIM and mean bias: functions, MONAI metric classes and the regions they are measured on."""

from __future__ import annotations

from monai_srgan.metrics.functional import (
    METRICS,
    SSIM_SETTINGS,
    masked_bias,
    masked_mse,
    masked_psnr,
    masked_ssim,
    region_scores,
    ssim_map,
)
from monai_srgan.metrics.masked import (
    MaskedBiasMetric,
    MaskedMetric,
    MaskedMSEMetric,
    MaskedPSNRMetric,
    MaskedSSIMMetric,
)
from monai_srgan.metrics.regions import REGIONS, head_mask, region_masks, rim_mask

__all__ = [
    "METRICS",
    "REGIONS",
    "SSIM_SETTINGS",
    "MaskedBiasMetric",
    "MaskedMSEMetric",
    "MaskedMetric",
    "MaskedPSNRMetric",
    "MaskedSSIMMetric",
    "head_mask",
    "masked_bias",
    "masked_mse",
    "masked_psnr",
    "masked_ssim",
    "region_masks",
    "region_scores",
    "rim_mask",
    "ssim_map",
]
