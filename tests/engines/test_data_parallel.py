# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks of many processes, as far as one process can tell; test_multi_gpu.py runs real ones."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from monai_srgan.engines.data_parallel import average_batch_norm, bare, data_parallel, sync_batch_norm

module = importlib.import_module("monai_srgan.engines.data_parallel")  # the package exports a function of this name


class FakeDDP(nn.Module):
    """Keeps what it was built with."""

    def __init__(self, network: nn.Module, **kwargs: Any) -> None:
        super().__init__()
        self.module, self.kwargs, self.hook = network, kwargs, None

    def register_comm_hook(self, state: Any, hook: Any) -> None:
        assert state is None
        self.hook = hook


@pytest.fixture
def three_processes(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Gradients of three processes, of which this one is the second."""
    parts = [torch.tensor([1e8, 1.0]), torch.tensor([-1e8, 2.0]), torch.tensor([1.0, 3.0])]

    def all_gather(into: list[torch.Tensor], own: torch.Tensor, async_op: bool) -> SimpleNamespace:
        assert async_op
        assert torch.equal(own, parts[1])
        for tensor, part in zip(into, parts, strict=True):
            tensor.copy_(part)
        done: torch.futures.Future = torch.futures.Future()
        done.set_result(None)
        return SimpleNamespace(get_future=lambda: done)

    monkeypatch.setattr(module, "world_size", lambda: 3)
    monkeypatch.setattr(module, "DistributedDataParallel", FakeDDP)
    monkeypatch.setattr(module.dist, "all_gather", all_gather)
    return parts


def test_gradients_on_the_cpu_are_averaged_in_the_order_of_ranks(three_processes):
    parallel = data_parallel(nn.Linear(2, 1))
    bucket = SimpleNamespace(buffer=three_processes[1].clone)
    # (1e8 - 1e8) + 1 is 1; in another order the 1 is lost
    assert torch.equal(parallel.hook(None, bucket).wait(), torch.tensor([1.0, 6.0]) / 3)


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
    assert "batch norm of Sequential sees the batch of its own process" in caplog.text
