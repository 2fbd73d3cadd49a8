# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of the tumor types."""

from __future__ import annotations

from typing import Any

__all__ = ["TUMOR_TYPES", "tumor_type_name"]


TUMOR_TYPES = {1: "meningioma", 2: "glioma", 3: "pituitary tumor"}


def tumor_type_name(label: Any) -> str:
    """Name of a slice's tumor type, "glioma" for 2; an unknown number as text, and "" for None."""
    return "" if label is None else TUMOR_TYPES.get(int(label), str(int(label)))
