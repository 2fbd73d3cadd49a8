# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Inferers: how a network is run over an image."""

from __future__ import annotations

from monai_srgan.inferers.autocast import AutocastInferer

__all__ = ["AutocastInferer"]
