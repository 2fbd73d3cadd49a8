# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A fingerprint of a network's weights that does not depend on the file they came from."""

from __future__ import annotations

import hashlib

import torch
from torch import nn

__all__ = ["weights_sha256"]


def weights_sha256(network: nn.Module) -> str:
    """sha256 over the names, types, shapes and bytes of a network's state dict, in hexadecimal digits.

    The result does not depend on device or memory layout, and a blend has a fingerprint of its own. A hash of the file
    would not serve, since the same weights can be saved in many ways.

    Args:
        network: any module.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
