"""SRGAN super-resolution of brain-tumour MRI for MONAI, measured inside and outside the tumour."""

from __future__ import annotations

__version__ = "0.2.0"
