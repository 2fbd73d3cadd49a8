# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The command ``monai-srgan``: what the bundle's own command line is clumsy at, by the same code."""

from __future__ import annotations

from monai_srgan.cli.main import main

__all__ = ["main"]
