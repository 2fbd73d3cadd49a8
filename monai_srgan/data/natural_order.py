# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The order of file names in which 9.mat comes before 10.mat."""

from __future__ import annotations

import re

__all__ = ["natural_key"]


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sorting key by which digits in names count as numbers, which come before letters."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", text) if part]
