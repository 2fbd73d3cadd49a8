# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Optimizers for convolutional networks."""

from __future__ import annotations

from monai_srgan.optimizers.conv_muon import ConvMuon

__all__ = ["ConvMuon"]
