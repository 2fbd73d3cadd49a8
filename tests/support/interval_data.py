# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mean, spread and target of synthetic slices, and a table of half-widths."""

from __future__ import annotations

import numpy as np
import torch

from monai_srgan.uncertainty import QuantileTable

MASK = torch.zeros(1, 1, 48, 40, dtype=torch.bool)
MASK[..., 10:20, 8:30] = True
TABLE = QuantileTable((np.array([0.01]), np.array([0.02, 0.05])), np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), 1)


def maps(seed: int, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean, spread and target of a slice whose error is normal, and `scale` times its spread."""
    random = np.random.default_rng(seed)
    mean = random.random(MASK.shape)
    spread = np.exp(random.normal(-4, 0.5, MASK.shape))
    target = mean + scale * spread * random.normal(size=MASK.shape)
    mean, spread, target = (torch.from_numpy(a).float() for a in (mean, spread, target))
    return mean, spread, target
