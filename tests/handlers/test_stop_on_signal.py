# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM end a run after its step, with what can be resumed."""

from __future__ import annotations

import signal
import sys

import pytest
from ignite.engine import Engine, Events
from torch import nn

from monai_srgan.handlers import AtomicCheckpointSaver, StopOnSignal
from monai_srgan.handlers import stop_on_signal as module


class Workflow:
    """An engine that runs without arguments, as MONAI's."""

    def __init__(self, engine: Engine, epochs: int) -> None:
        self.engine = engine
        self.epochs = epochs

    @property
    def state(self):
        return self.engine.state

    def run(self) -> None:
        self.engine.run(range(3), max_epochs=self.epochs)


def engine_of(steps: list[int], epochs: int, saver=None, inner: Engine | None = None, **texts):
    """An engine of 3 steps an epoch that records its steps, and the handler that stops it."""
    engine = Engine(lambda engine, _batch: steps.append(engine.state.iteration))
    run = Workflow(engine, epochs)
    if inner is not None:
        engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: inner.run(range(4), max_epochs=1))
    if saver is not None:
        saver.attach(engine)
    stop = StopOnSignal(saver, **texts)
    stop.attach(engine)
    return engine, run, stop


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_its_step_with_three_lines(tmp_path, capfd, number, code):
    steps: list[int] = []
    saver = AtomicCheckpointSaver(tmp_path, {"network": nn.Linear(1, 1)}, save_interval=1)
    engine, run, stop = engine_of(steps, 2, saver, look="curves.png")
    engine.add_event_handler(Events.ITERATION_STARTED(once=5), lambda: signal.raise_signal(number))
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as caught:
        stop.run(run)
    assert caught.value.code == code
    assert steps == [1, 2, 3, 4, 5]
    file = tmp_path / "network_iteration=5.pt"
    assert file.is_file()
    lines = capfd.readouterr().err.splitlines()
    assert lines[-3:] == [
        f"stopped by {number.name} after step 5 of 6; saved: {file}",
        f"resume: the same settings with ckpt={str(file)!r}",
        "look: curves.png",
    ]
    assert signal.getsignal(number) is before


def test_a_validation_is_abandoned_and_the_checkpoint_of_its_epoch_saved(tmp_path):
    steps: list[int] = []
    validated: list[int] = []
    inner = Engine(lambda engine, _batch: validated.append(engine.state.iteration))
    inner.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: signal.raise_signal(signal.SIGTERM))
    saver = AtomicCheckpointSaver(tmp_path, {"network": nn.Linear(1, 1)}, save_interval=1)
    _, run, stop = engine_of(steps, 2, saver, inner)
    stop.attach(inner)
    with pytest.raises(SystemExit):
        stop.run(run)
    assert (steps, validated) == ([1, 2, 3], [1, 2])
    assert [path.name for path in tmp_path.iterdir()] == ["network_epoch=1.pt"]


def test_a_signal_in_the_last_step_lets_the_run_complete():
    done: list[str] = []
    engine, run, stop = engine_of([], 1, saved="the weights")
    engine.add_event_handler(Events.ITERATION_STARTED(once=3), lambda: signal.raise_signal(signal.SIGTERM))
    engine.add_event_handler(Events.COMPLETED, lambda: done.append("weights"))
    with pytest.raises(SystemExit):
        stop.run(run)
    assert done == ["weights"]
    assert "saved: the weights\nresume: run the same command again\n" in stop.report()


def test_a_second_signal_does_what_it_would_do_without_the_handler():
    engine, run, stop = engine_of([], 1)

    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    engine.add_event_handler(Events.ITERATION_STARTED(once=1), twice)
    with pytest.raises(KeyboardInterrupt):
        stop.run(run)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_command_to_resume_replaces_an_earlier_checkpoint(monkeypatch):
    words = ["python", "-m", "monai.bundle", "run", "training", "--ckpt", "old file.pt", "--seed", "1"]
    monkeypatch.setattr(sys, "orig_argv", words)
    expected = "python -m monai.bundle run training --seed 1 --ckpt 'new file.pt'"
    assert module._command("new file.pt") == expected
    monkeypatch.setattr(sys, "orig_argv", [*words[:5], "--ckpt=old.pt", *words[7:]])
    assert module._command("new file.pt") == expected
