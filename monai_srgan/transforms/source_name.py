# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The name of an image's file, for error messages."""

from __future__ import annotations

from typing import Any

from monai.data import MetaTensor

__all__ = ["source_name"]


def source_name(image: Any, default: str = "image") -> str:
    """File that `image` was loaded from; `default` if its metadata does not say."""
    return str(image.meta.get("filename_or_obj", default)) if isinstance(image, MetaTensor) else default
