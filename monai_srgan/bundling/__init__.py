# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Support for the bundle's configs: its folder, its weights, run folders, checks of options, hints in errors."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.bundling.bundle_root import find_bundle_root, installed_bundle, installed_label_app
from monai_srgan.bundling.error_hints import explain_errors
from monai_srgan.bundling.folder_lock import FolderInUseError, claim_folder, release_folder, run_in_folder
from monai_srgan.bundling.methods import select_methods
from monai_srgan.bundling.numbers import require_numbers, require_whole_numbers
from monai_srgan.bundling.pretrained import VARIANTS, calibrated_intervals, find_srresnet, pretrained_weights
from monai_srgan.bundling.renamed_options import check_renamed
from monai_srgan.bundling.requirements import require_checkpoint, require_crop_size, require_enabled
from monai_srgan.bundling.run_folder import clear_folder, set_aside

__all__ = [
    "VARIANTS",
    "FolderInUseError",
    "calibrated_intervals",
    "check_renamed",
    "claim_folder",
    "clear_folder",
    "explain_errors",
    "find_bundle_root",
    "find_srresnet",
    "installed_bundle",
    "installed_label_app",
    "pretrained_weights",
    "release_folder",
    "require_checkpoint",
    "require_crop_size",
    "require_enabled",
    "require_numbers",
    "require_whole_numbers",
    "run_in_folder",
    "select_methods",
    "set_aside",
]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
