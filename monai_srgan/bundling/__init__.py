# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Support for the bundle's configs: its folder, its weights, run folders, checks of options, hints in errors."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.bundling.bundle_root import find_bundle_root, installed_bundle, installed_label_app
from monai_srgan.bundling.error_hints import explain_errors
from monai_srgan.bundling.methods import select_methods
from monai_srgan.bundling.pretrained import VARIANTS, calibrated_intervals, find_srresnet, pretrained_weights
from monai_srgan.bundling.renamed_options import check_renamed
from monai_srgan.bundling.requirements import require_checkpoint, require_crop_size, require_enabled
from monai_srgan.bundling.run_folder import clear_folder, set_aside

__all__ = [
    "VARIANTS",
    "calibrated_intervals",
    "check_renamed",
    "clear_folder",
    "explain_errors",
    "find_bundle_root",
    "find_srresnet",
    "installed_bundle",
    "installed_label_app",
    "pretrained_weights",
    "require_checkpoint",
    "require_crop_size",
    "require_enabled",
    "select_methods",
    "set_aside",
]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
