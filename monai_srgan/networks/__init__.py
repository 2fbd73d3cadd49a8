# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks: generator and discriminator of SRGAN, and the feature networks of its perceptual loss."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.networks.architecture import architecture
from monai_srgan.networks.discriminator import SRGANDiscriminator
from monai_srgan.networks.fingerprint import weights_sha256
from monai_srgan.networks.finite_weights import non_finite, require_finite_state
from monai_srgan.networks.generator import SRResNet
from monai_srgan.networks.mri_features import MRIFeatures
from monai_srgan.networks.shift_tolerant_alexnet import ShiftTolerantAlexNet, blur_pool
from monai_srgan.networks.vgg_features import VGGFeatures
from monai_srgan.networks.weights import blend_state_dicts, load_weights, read_network_weights

__all__ = [
    "MRIFeatures",
    "SRGANDiscriminator",
    "SRResNet",
    "ShiftTolerantAlexNet",
    "VGGFeatures",
    "architecture",
    "blend_state_dicts",
    "blur_pool",
    "load_weights",
    "non_finite",
    "read_network_weights",
    "require_finite_state",
    "weights_sha256",
]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
