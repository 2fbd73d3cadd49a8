# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Tumor types of the figshare set by label."""

from __future__ import annotations

from typing import Any

__all__ = ["TUMOR_TYPES", "tumor_type_name"]

TUMOR_TYPES = {1: "meningioma", 2: "glioma", 3: "pituitary tumor"}


def tumor_type_name(label: Any) -> str:
    """Name of a tumor type, such as "glioma" for 2; unknown numbers and names as text, and "" for None."""
    if isinstance(label, str) and not label.isdecimal():
        return label
    return "" if label is None else TUMOR_TYPES.get(int(label), str(int(label)))
