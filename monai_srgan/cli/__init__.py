# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The command ``monai-srgan``: the bundle's workflows with short options and short errors."""

from __future__ import annotations

from monai_srgan.cli.main import main

__all__ = ["main"]
