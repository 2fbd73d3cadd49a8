# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision for MONAI's engines on any device."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_srgan.inferers import AutocastInferer


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [({}, torch.bfloat16), ({"enabled": False}, torch.float32), ({"dtype": torch.float16}, torch.float16)],
)
def test_network_runs_in_the_requested_precision(arguments, expected):
    network = nn.Linear(4, 3)
    x = torch.rand(2, 4)
    out = AutocastInferer(**arguments)(x, network)
    assert out.dtype == expected
    torch.testing.assert_close(out.float(), network(x), atol=0.02, rtol=0.02)


def test_further_arguments_reach_the_network():
    assert AutocastInferer()(torch.ones(1), lambda x, y, z: x + y * z, 2, z=3).item() == 7
