# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Distributed networks, as far as one process can test them; test_multi_gpu.py runs two processes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from torch import nn

from monai_srgan.engines.data_parallel import average_batch_norm, bare, data_parallel, sync_batch_norm

module = importlib.import_module("monai_srgan.engines.data_parallel")  # the package exports a function of this name


class FakeDDP(nn.Module):
    """Records its arguments."""

    def __init__(self, network: nn.Module, **kwargs: Any) -> None:
        super().__init__()
        self.module, self.kwargs = network, kwargs


@pytest.fixture
def three_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of three processes, without their network traffic."""
    monkeypatch.setattr(module, "world_size", lambda: 3)
    monkeypatch.setattr(module, "DistributedDataParallel", FakeDDP)


@pytest.mark.usefixtures("three_processes")
def test_buffers_are_not_broadcast_before_each_forward_pass():
    assert data_parallel(nn.Linear(2, 1)).kwargs == {"broadcast_buffers": False}


@pytest.mark.usefixtures("three_processes")
@pytest.mark.parametrize("channels_last", [True, False])
def test_the_layout_is_set_before_ddp_copies_it(channels_last):
    network = nn.Conv2d(4, 4, 3)
    parallel = data_parallel(network, channels_last=channels_last)
    assert parallel.module.weight.is_contiguous(memory_format=torch.channels_last) == channels_last
    assert bare(parallel) is network


def test_a_single_process_trains_the_network_itself():
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1))
    assert data_parallel(network) is network
    assert bare(network) is network
    assert sync_batch_norm(network) is network
    before = {k: v.clone() for k, v in network.state_dict().items()}
    average_batch_norm(network)
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


@pytest.mark.usefixtures("three_processes")
def test_batch_norm_on_the_cpu_stays_and_says_so(caplog):
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1))
    with caplog.at_level("INFO"):
        assert sync_batch_norm(network) is network
    assert type(network[1]) is nn.BatchNorm2d
    assert "batch norm of Sequential uses each process's own part of the batch" in caplog.text
