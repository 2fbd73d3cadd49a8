# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints are complete under their name: through kills, full disks, and diverged weights."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from monai_srgan import files
from monai_srgan.handlers import AtomicCheckpointSaver, WeightsSaver

# a run whose disk is slow: it halves a file, says so, and waits
SLOW = """
import sys, time
from pathlib import Path
from ignite.engine import Engine
from torch import nn
from monai_srgan.handlers import AtomicCheckpointSaver

epoch = 0
real = Path.write_bytes

def slowly(path, content):
    global epoch
    epoch += 1
    if epoch == 2:
        real(path, bytes(content[: len(content) // 2]))
        print("half", flush=True)
        time.sleep(60)
    return real(path, content)

Path.write_bytes = slowly
engine = Engine(lambda engine, batch: None)
AtomicCheckpointSaver(sys.argv[1], {"network": nn.Linear(3, 2)}, save_interval=1, n_saved=1).attach(engine)
engine.run(range(2), max_epochs=3)
"""


def run(folder: Path, network: nn.Module, max_epochs: int = 3, start: int = 0, **options) -> Engine:
    """Save a network every epoch of two iterations; the first weight counts the iterations."""

    def step(engine, _batch):
        with torch.no_grad():
            network.weight.view(-1)[0] = float(engine.state.iteration)

    engine = Engine(step)
    saver = AtomicCheckpointSaver(folder, {"network": network}, save_interval=1, **options)
    saver.attach(engine)
    if start:
        engine.load_state_dict({"epoch": start, "epoch_length": 2, "max_epochs": max_epochs})
    engine.run(range(2), max_epochs=max_epochs)
    return engine


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def first_weight(file: Path) -> float:
    return torch.load(file, weights_only=True)["weight"].flatten()[0].item()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_kill_while_a_checkpoint_is_written_leaves_the_earlier_one_whole(tmp_path, number):
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "half\n"
    process.send_signal(number)
    process.communicate(timeout=60)
    complete = [name for name in names(tmp_path) if name.endswith(".pt") and not name.startswith(".partial-")]
    assert complete == ["network_epoch=1.pt"]  # with n_saved=1, MONAI's saver has removed it by now
    assert set(torch.load(tmp_path / complete[0], weights_only=True)) == {"weight", "bias"}


def test_a_full_disk_is_named_and_the_earlier_checkpoint_stays(tmp_path, monkeypatch):
    network = nn.Linear(3, 2)
    run(tmp_path, network, max_epochs=1, n_saved=1)

    def full(path, content):
        with path.open("wb") as file:
            file.write(bytes(content[:100]))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(files.Path, "write_bytes", full)
    with pytest.raises(
        OSError, match=r"network_epoch=2\.pt cannot be written: the disk is full .* are free in"
    ) as caught:
        run(tmp_path, network, start=1, n_saved=1)
    assert caught.value.errno == errno.ENOSPC
    assert names(tmp_path) == ["network_epoch=1.pt"]
    assert first_weight(tmp_path / "network_epoch=1.pt") == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_weights_that_are_not_finite_are_not_saved(tmp_path, value):
    network = nn.Linear(3, 2)
    run(tmp_path, network, max_epochs=1, n_saved=1)
    with torch.no_grad():
        network.bias[1] = value
    with pytest.raises(FloatingPointError, match=r"network_epoch=2\.pt was not saved: 1 of its 2 tensors .*first bias"):
        run(tmp_path, network, start=1, n_saved=1)
    assert names(tmp_path) == ["network_epoch=1.pt"]
    weights = WeightsSaver(network, tmp_path / "model.pt")
    with pytest.raises(FloatingPointError, match=r"model\.pt was not saved"):
        weights.write(Engine(lambda *_: None))
    assert names(tmp_path) == ["network_epoch=1.pt"]


def test_checkpoints_of_a_killed_run_beyond_the_number_to_keep_go(tmp_path):
    run(tmp_path, nn.Linear(3, 2), max_epochs=3)
    (tmp_path / "other_epoch=1.pt").write_text("mine")
    run(tmp_path, nn.Linear(3, 2), start=3, max_epochs=4, n_saved=2)
    assert names(tmp_path) == ["network_epoch=3.pt", "network_epoch=4.pt", "other_epoch=1.pt"]


def test_later_checkpoints_stay_until_the_resumed_run_comes_to_them(tmp_path):
    run(tmp_path, nn.Linear(3, 2), max_epochs=4)
    run(tmp_path, nn.Linear(3, 2), start=1, max_epochs=2, n_saved=1)
    assert names(tmp_path) == ["network_epoch=2.pt", "network_epoch=3.pt", "network_epoch=4.pt"]


def test_a_run_that_is_stopped_within_an_epoch_saves_its_position(tmp_path):
    network = nn.Linear(3, 2)
    engine = Engine(lambda *_: None)
    saver = AtomicCheckpointSaver(tmp_path, {"network": network}, save_interval=1)
    saver.attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=3), lambda: engine.terminate(skip_completed=True))
    engine.run(range(2), max_epochs=3)
    assert names(tmp_path) == ["network_epoch=1.pt", "network_iteration=3.pt"]
    assert saver.last_saved == tmp_path / "network_iteration=3.pt"
    assert set(torch.load(saver.last_saved, weights_only=True)) == {"weight", "bias"}
    run(tmp_path, network, start=1, max_epochs=2)
    assert names(tmp_path) == ["network_epoch=1.pt", "network_epoch=2.pt"]


def test_equal_contents_give_equal_bytes_whatever_the_name(tmp_path):
    network = nn.Linear(3, 2)
    for name in ("a", "b"):
        run(tmp_path / name, network, max_epochs=1, file_prefix=name)
    first, second = ((tmp_path / name / f"{name}_network_epoch=1.pt").read_bytes() for name in ("a", "b"))
    assert first == second


def test_an_exception_leaves_no_final_checkpoint_and_is_not_swallowed(tmp_path):
    def step(_engine, _batch):
        raise ValueError("broken slice")

    engine = Engine(step)
    saver = AtomicCheckpointSaver(tmp_path, {"network": nn.Linear(1, 1)}, save_final=True, final_filename="net.pt")
    saver.attach(engine)
    with pytest.raises(ValueError, match="broken slice"):
        engine.run(range(2), max_epochs=1)
    assert names(tmp_path) == []
