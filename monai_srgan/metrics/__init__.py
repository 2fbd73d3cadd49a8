# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Image quality metrics: of regions, of the spectrum and of the null space; functions, classes, and the regions."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.metrics.coverage import interval_scores
from monai_srgan.metrics.finite_mean import FiniteMean
from monai_srgan.metrics.functional import (
    METRICS,
    RegionValues,
    masked_bias,
    masked_mean,
    masked_mse,
    masked_psnr,
    masked_ssim,
    region_scores,
)
from monai_srgan.metrics.hfen import HFEN, masked_hfen
from monai_srgan.metrics.masked import (
    MaskedBiasMetric,
    MaskedMetric,
    MaskedMSEMetric,
    MaskedPSNRMetric,
    MaskedSSIMMetric,
)
from monai_srgan.metrics.null_space import ErrorSplit, NullSpaceError, split_error
from monai_srgan.metrics.outside_support import OutsideSupport, OutsideSupportPower, outside_support
from monai_srgan.metrics.redegradation import RedegradationPSNR
from monai_srgan.metrics.regions import REGIONS, head_mask, region_masks, rim_mask
from monai_srgan.metrics.resolution import FRC_THRESHOLDS, FourierRings, effective_resolution
from monai_srgan.metrics.rings import RING_WIDTH, RingComparison, compare_rings
from monai_srgan.metrics.ssim import SSIM_SETTINGS, ssim_map
from monai_srgan.metrics.st_lpips import STLPIPS, st_lpips_is_installed

__all__ = [
    "FRC_THRESHOLDS",
    "HFEN",
    "METRICS",
    "REGIONS",
    "RING_WIDTH",
    "SSIM_SETTINGS",
    "STLPIPS",
    "ErrorSplit",
    "FiniteMean",
    "FourierRings",
    "MaskedBiasMetric",
    "MaskedMSEMetric",
    "MaskedMetric",
    "MaskedPSNRMetric",
    "MaskedSSIMMetric",
    "NullSpaceError",
    "OutsideSupport",
    "OutsideSupportPower",
    "RedegradationPSNR",
    "RegionValues",
    "RingComparison",
    "compare_rings",
    "effective_resolution",
    "head_mask",
    "interval_scores",
    "masked_bias",
    "masked_hfen",
    "masked_mean",
    "masked_mse",
    "masked_psnr",
    "masked_ssim",
    "outside_support",
    "region_masks",
    "region_scores",
    "rim_mask",
    "split_error",
    "ssim_map",
    "st_lpips_is_installed",
]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
