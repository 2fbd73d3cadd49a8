# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A job of one process, and the device of each; test_multi_gpu.py runs jobs of two."""

from __future__ import annotations

import pytest
import torch

from monai_srgan import processes


def test_without_a_group_there_is_one_process_that_agrees_with_itself():
    assert (processes.rank(), processes.world_size(), processes.is_main_process()) == (0, 1, True)
    assert processes.gather("x") == processes.gather_on_main("x") == ["x"]
    assert processes.in_turn(sorted, [2, 1], reverse=True) == [2, 1]
    assert processes.mean_over_processes({"loss": 0.1}, "cpu") == {"loss": 0.1}
    processes.require_same_on_all(seed=0)
    processes.end_processes()
    with pytest.raises(ZeroDivisionError):
        processes.on_all_processes(lambda: 1 / 0)


def test_without_cuda_every_process_is_on_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert processes.process_device() == torch.device("cpu")


def test_every_process_has_its_own_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert processes.process_device() == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ValueError, match="got 2 with 2: start torchrun with --nproc_per_node=2 or fewer"):
        processes.process_device()
