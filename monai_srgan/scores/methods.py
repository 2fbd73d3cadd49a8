# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How a method with something added is named: the evaluation writes these names, and the report reads them."""

from __future__ import annotations

__all__ = ["CONSISTENCY", "ENSEMBLE", "SEPARATOR", "variant_name"]

SEPARATOR = " + "
CONSISTENCY = "consistency"
ENSEMBLE = "ensemble"


def variant_name(base: str, variant: str) -> str:
    """Name of a method with something added: ``"srgan + consistency"``."""
    return f"{base}{SEPARATOR}{variant}"
