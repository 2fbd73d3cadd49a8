# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision for MONAI's engines on any device."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_srgan.inferers import AutocastInferer


@pytest.mark.parametrize(("dtype", "expected"), [("bfloat16", torch.bfloat16), (None, torch.float32)])
def test_network_runs_in_the_precision_asked_for(dtype, expected):
    network = nn.Linear(4, 3)
    x = torch.rand(2, 4)
    out = AutocastInferer(dtype)(x, network)
    assert out.dtype == expected
    torch.testing.assert_close(out.float(), network(x), atol=0.02, rtol=0.02)


def test_further_arguments_reach_the_network():
    assert AutocastInferer()(torch.ones(1), lambda x, y, z: x + y * z, 2, z=3).item() == 7


def test_an_unknown_precision_is_refused_by_name():
    with pytest.raises(ValueError, match="dtype must be 'bfloat16', 'float16' or None, got 'int8'"):
        AutocastInferer("int8")
