# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What the bundle's configs need around the library: its folder, its weights, run folders and checks of options."""

from __future__ import annotations

from monai_srgan.bundling.bundle_root import find_bundle_root, installed_bundle
from monai_srgan.bundling.methods import chosen_methods
from monai_srgan.bundling.requirements import require_checkpoint, require_crop_size, require_with
from monai_srgan.bundling.run_folder import clear_folder, set_aside
from monai_srgan.bundling.shipped import VARIANTS, shipped_intervals, shipped_weights, srresnet_beside

__all__ = [
    "VARIANTS",
    "chosen_methods",
    "clear_folder",
    "find_bundle_root",
    "installed_bundle",
    "require_checkpoint",
    "require_crop_size",
    "require_with",
    "set_aside",
    "shipped_intervals",
    "shipped_weights",
    "srresnet_beside",
]
