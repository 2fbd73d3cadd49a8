# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Linear models of how a low-resolution image arises from a high-resolution one."""

from __future__ import annotations

from monai_srgan.physics.operators import (
    BicubicDownsample,
    BicubicUpsample,
    GaussianDownsample,
    KSpaceDownsample,
    SeparableDownsample,
)

__all__ = ["BicubicDownsample", "BicubicUpsample", "GaussianDownsample", "KSpaceDownsample", "SeparableDownsample"]
