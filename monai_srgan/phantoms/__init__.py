# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Phantoms: synthetic head slices in the layout of the figshare dataset, for tests and first runs."""

from __future__ import annotations

from monai_srgan.phantoms.dataset import is_phantom_dataset, write_phantom_dataset
from monai_srgan.phantoms.phantom_slice import PhantomSlice, draw_phantom_slice

__all__ = ["PhantomSlice", "draw_phantom_slice", "is_phantom_dataset", "write_phantom_dataset"]
