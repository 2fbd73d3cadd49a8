# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Images on a known, oblique grid, so that a false affine shows."""

from __future__ import annotations

import numpy as np
import torch
from monai.data import MetaTensor

AFFINE = np.array([[0.1, -0.48, 0, 12], [0.48, 0.1, 0, -7], [0, 0, 7, 3], [0, 0, 0, 1]])


def image_of(*shape, **meta):
    entries = {"affine": torch.from_numpy(AFFINE), "original_affine": AFFINE, "filename_or_obj": "7.mat", **meta}
    return MetaTensor(torch.rand(*shape), meta={**entries, "spatial_shape": np.array(shape[1:])})


def coordinate_sample(height=60, width=52):
    """An image whose two channels are its own world coordinates, so that any false affine shows."""
    index = np.stack(np.meshgrid(range(height), range(width), [0], [1], indexing="ij"))[:, :, :, 0, 0]
    world = np.einsum("ij,jhw->ihw", AFFINE, index)[:2]
    mask = torch.zeros(1, height, width)
    mask[:, 50:55, 3:6] = 1
    data = {"image": torch.from_numpy(world), "mask": mask}
    meta = {"affine": torch.from_numpy(AFFINE), "filename_or_obj": "7.mat"}
    return {key: MetaTensor(value, meta=dict(meta)) for key, value in data.items()}
