# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Schedules and records of a training run."""

from __future__ import annotations

import csv
import logging
import sys

import pytest
import torch
from ignite.engine import Engine, Events
from ignite.handlers import EMAHandler
from PIL import Image
from torch import nn

from monai_srgan import processes
from monai_srgan.bundling import set_aside
from monai_srgan.engines import SREvaluator
from monai_srgan.files import writable_folder
from monai_srgan.handlers import (
    CurveRecorder,
    DiscriminatorMonitor,
    EMAWarmup,
    IterationStateScheduler,
    LossProgressBar,
    PhaseValidation,
    Ramp,
    RunTimeEstimate,
    TrainerState,
    WeightsSaver,
)
from monai_srgan.handlers.run_time_estimate import duration
from monai_srgan.physics import GaussianDownsample, Measurement


def engine_with(step=None, **state) -> Engine:
    engine = Engine(step or (lambda _engine, _batch: {"loss": 0.5}))
    for name, value in state.items():
        setattr(engine.state, name, value)
    return engine


def test_ramp_is_zero_then_linear_then_full():
    ramp = Ramp(start=3, length=4, weight=0.8)
    assert [ramp(i) for i in range(1, 10)] == pytest.approx([0, 0, 0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8])
    assert [Ramp(2, 0, 1.0)(i) for i in (2, 3)] == [0.0, 1.0]


@pytest.mark.parametrize("name", ["start", "length", "weight"])
def test_negative_ramps_are_refused_by_name(name):
    with pytest.raises(ValueError, match=f"{name} must not be negative, got -1"):
        Ramp(**{"start": 1, "length": 1, "weight": 1.0, name: -1})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_ramps_to_no_number_are_refused(value):
    with pytest.raises(ValueError, match=f"weight must be finite, got {value}"):
        Ramp(start=1, weight=value)


def values_seen(schedule, iterations: int, start: int = 0) -> list[float]:
    """Values of ``engine.state.value`` in each step of a run that starts at an iteration, as after a checkpoint."""
    seen: list[float] = []
    engine = engine_with(lambda e, _batch: seen.append(e.state.value) or {}, value=-1.0)
    IterationStateScheduler(schedule, "value").attach(engine)
    engine.add_event_handler(Events.STARTED, lambda: setattr(engine.state, "iteration", start))
    engine.run(range(iterations), max_epochs=1)
    return seen


def test_a_scheduler_sets_the_value_before_the_step_runs():
    assert values_seen(Ramp(start=2, length=2, weight=0.01), 5) == pytest.approx([0, 0, 0.005, 0.01, 0.01])


@pytest.mark.parametrize("schedule", [Ramp(start=2, length=7, weight=0.3), EMAWarmup(0.9)])
def test_a_resumed_scheduler_sets_the_very_values_of_an_uninterrupted_one(schedule):
    assert values_seen(schedule, 12, start=5) == values_seen(schedule, 12)[5:]


def test_the_moving_average_follows_closely_at_first_and_ends_with_its_decay():
    assert [EMAWarmup(0.9)(i) for i in (1, 8, 80, 81, 1000)] == pytest.approx([9 / 11, 0.5, 0.1, 0.1, 0.1])
    with pytest.raises(ValueError, match=r"decay must be in \(0, 1\), got 1"):
        EMAWarmup(1.0)


def test_the_schedule_drives_the_moving_average_of_ignite():
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    engine = engine_with(lambda e, _batch: nn.init.constant_(network.weight, float(e.state.iteration)))
    ema = EMAHandler(network, momentum=0.1)
    ema.attach(engine)
    IterationStateScheduler(EMAWarmup(0.9), "ema_momentum").attach(engine)
    engine.run(range(2), max_epochs=1)
    assert ema.ema_model.weight.item() == pytest.approx(9 / 11 * 1 * (1 - 9 / 12) + 9 / 12 * 2)


def test_validation_runs_at_the_interval_and_at_the_ends_of_phases(monkeypatch):
    epochs: list[int] = []
    validator = SREvaluator("cpu", [], nn.Identity())
    monkeypatch.setattr(validator, "run", epochs.append)
    engine = engine_with()
    PhaseValidation(validator, interval=3, phase_ends=[4, 6, 8]).attach(engine)
    engine.run(range(1), max_epochs=8)
    assert epochs == [3, 4, 6, 8]


@pytest.mark.parametrize(
    ("real", "fake", "warnings"),
    [
        (0.9, 0.001, 3),  # it has won, label smoothing or not
        (0.999, 0.2, 3),
        (0.5, 0.5, 1),  # it has learned nothing, which is too early to say for two windows
        (0.7, 0.3, 0),
        (0.9, 0.1, 0),
    ],
)
def test_a_stuck_discriminator_is_reported_once_a_window(real, fake, warnings, caplog):
    engine = engine_with(lambda _e, _batch: {"d_real": real, "d_fake": fake})
    DiscriminatorMonitor(start=0, window=4).attach(engine)
    with caplog.at_level(logging.INFO):
        engine.run(range(12), max_epochs=1)
    assert caplog.text.count("iteration 1: adversarial phase") == 1
    assert len([r for r in caplog.records if "stuck" in r.message]) == warnings


def test_curves_hold_every_iteration_and_a_resumed_run_keeps_the_rows_before_it(tmp_path):
    def step(engine, _batch):
        return {"loss": 1.0 / engine.state.iteration, "pixel_loss": 0.25, "not_a_loss": "text"}

    engine = engine_with(step)
    CurveRecorder(tmp_path).attach(engine)
    engine.run(range(4), max_epochs=2)

    resumed = engine_with(step)
    CurveRecorder(tmp_path).attach(resumed)
    resumed.load_state_dict({"iteration": 4, "epoch_length": 4, "max_epochs": 3})
    resumed.run(range(4), max_epochs=3)

    with (tmp_path / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(r["iteration"]) for r in rows] == list(range(1, 13))
    assert float(rows[7]["loss"]) == pytest.approx(1 / 8)
    assert rows[0]["adversarial_loss"] == ""
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size[0] > 500
    assert not list(tmp_path.glob("*.part*"))


def test_curves_draw_the_scores_of_validation(tmp_path):
    table = tmp_path / "metrics.csv"
    table.write_text(
        "epoch,method,region,metric,mean,sd,n\n1,bicubic,head,psnr,28.5,1,3\n1,srgan,head,psnr,29.5,1,3\n"
        "2,srgan,head,psnr,30.5,1,3\n1,srgan,head,ssim,0.9,1,3\n"
    )
    recorder = CurveRecorder(tmp_path, metrics_csv=table)
    axes = recorder.draw().axes[2]
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert drawn == {"bicubic": [[1.0, 28.5]], "srgan": [[1.0, 29.5], [2.0, 30.5]]}


def test_progress_bar_shows_named_losses_in_short():
    assert LossProgressBar.floats({"pixel_loss": 0.0123456, "d_real": 0.5, "pred": torch.zeros(1)}) == {
        "pixel": "0.01235",
        "d_real": "0.5",
    }
    assert LossProgressBar.floats(None) == {}


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_a_bar_on_a_terminal_and_a_line_per_epoch_in_a_log_file(terminal, monkeypatch, caplog, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    engine = engine_with(lambda _e, _batch: {"pixel_loss": 0.25})
    LossProgressBar().attach(engine)
    with caplog.at_level(logging.INFO):
        engine.run(range(20), max_epochs=2)
    lines = [r.getMessage() for r in caplog.records if r.name.endswith("loss_progress_bar")]
    expected = [f"training [{i}/2]: iteration {20 * i}, pixel 0.25" for i in (1, 2)]
    assert lines == ([] if terminal else expected)
    assert ("pixel=0.25" in capsys.readouterr().err) == terminal


def test_the_progress_of_a_single_epoch_counts_its_batches_in_a_log_file(monkeypatch, caplog):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    engine = engine_with(lambda _e, _batch: {})
    LossProgressBar("evaluation").attach(engine)
    with caplog.at_level(logging.INFO):
        engine.run(range(5), max_epochs=1)
    assert "evaluation: 5 of 5" in caplog.messages


def test_the_run_time_is_estimated_from_the_first_iterations(caplog, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("ignite.handlers.timing.perf_counter", lambda: clock[0])

    def step(engine, _batch):
        clock[0] += 100.0 if engine.state.iteration == 1 else 2.0  # the first one allocates memory

    engine = engine_with(step)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: clock.__setitem__(0, clock[0] + 1000.0))  # validation
    RunTimeEstimate(pretrain_iterations=8, after=5, adversarial_cost=4.0).attach(engine)
    with caplog.at_level(logging.INFO):
        engine.run(range(3), max_epochs=4)
    # 3 iterations of 2 s, and 4 adversarial ones of 8 s
    assert "about 38 s for the remaining 7 iterations, measured over the first 5" in caplog.text


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (200, "3 min"), (12600, "3.5 h")])
def test_durations_are_rounded_to_what_one_would_say(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("epoch", "expected"), [(1, 1.0), (2, 2.0), (None, 3.0)])
def test_weights_are_saved_after_the_given_epoch_or_at_the_end(tmp_path, epoch, expected):
    network = nn.Linear(1, 1, bias=False)
    engine = engine_with()
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: nn.init.constant_(network.weight, float(e.state.epoch)))
    path = tmp_path / "models" / "w.pt"
    WeightsSaver(network, path, epoch=epoch).attach(engine)
    engine.run(range(2), max_epochs=3)
    assert torch.load(path, weights_only=True)["weight"].item() == expected
    assert [p.name for p in path.parent.iterdir()] == ["w.pt"]


def test_only_the_main_process_of_a_job_writes_speaks_and_shows(tmp_path, monkeypatch, caplog, capfd):
    def run_all():
        engine = engine_with(lambda _e, _batch: {"loss": 1.0, "d_real": 1.0, "d_fake": 0.0}, adversarial_weight=0.0)
        handlers = (
            CurveRecorder(tmp_path / "curves"),
            WeightsSaver(nn.Linear(1, 1), tmp_path / "models" / "w.pt"),
            LossProgressBar(),
            DiscriminatorMonitor(start=0, window=2),
            IterationStateScheduler(Ramp(start=0, weight=0.5), "adversarial_weight"),
            RunTimeEstimate(pretrain_iterations=0, after=2),
        )
        for handler in handlers:
            handler.attach(engine)
        engine.run(range(4), max_epochs=1)
        return engine

    (tmp_path / "old.csv").write_text("of an earlier run")
    monkeypatch.setattr(processes, "rank", lambda: 1)
    caplog.set_level(logging.INFO, logger="monai_srgan")
    other = run_all()
    writable_folder(tmp_path / "new")
    assert set_aside(tmp_path, ["*.csv"]) is None
    assert [p.name for p in tmp_path.iterdir()] == ["old.csv"]
    assert not [record for record in caplog.records if record.name.startswith("monai_srgan.handlers")]
    assert capfd.readouterr().err == ""

    monkeypatch.setattr(processes, "rank", lambda: 0)
    main = run_all()
    assert {p.name for p in tmp_path.iterdir()} == {"old.csv", "curves", "models"}
    for text in ("stuck", "training: 4 of 4", "for the remaining 2 iterations"):
        assert text in caplog.text
    assert other.state.adversarial_weight == main.state.adversarial_weight == 0.5  # a schedule is everybody's


def test_weights_folder_that_cannot_be_made_fails_before_the_first_iteration(tmp_path):
    (tmp_path / "file").write_text("in the way")
    steps = []
    engine = engine_with(lambda _e, _b: steps.append(1) or {})
    WeightsSaver(nn.Linear(1, 1), tmp_path / "file" / "w.pt").attach(engine)
    with pytest.raises(OSError, match="cannot be written to"):
        engine.run(range(2), max_epochs=1)
    assert steps == []


def test_a_trainer_state_that_is_not_attached_says_so():
    with pytest.raises(RuntimeError, match="not attached: put it among the trainer's handlers"):
        TrainerState().state_dict()


def test_a_degradation_among_the_settings_is_compared_by_meaning():
    engine = engine_with(device=torch.device("cpu"), epoch_length=3, best_metric=0.0, best_metric_epoch=1)
    written = TrainerState({"degradation": {"operator": {"kind": "gaussian", "scale": 4}}})
    same = TrainerState({"degradation": Measurement(GaussianDownsample(4)).to_dict()})
    other = TrainerState({"degradation": Measurement(GaussianDownsample(4), noise_std=0.01).to_dict()})
    for state in (written, same, other):
        state.attach(engine)
    same.load_state_dict(written.state_dict())
    with pytest.raises(ValueError, match=r"degradation\.noise_std \(not recorded\), now 0\.01"):
        other.load_state_dict(written.state_dict())


SETTINGS = {"seed": 0, "degradation": {"noise_std": 0.0, "inside": None}, "schedule": {"learning_rate": 0.1}}


def resumed(settings: dict, adjustable: list[str]) -> None:
    """Load the state of a run with SETTINGS into one with other settings."""
    states = []
    for own in (SETTINGS, settings):
        engine = engine_with(device=torch.device("cpu"), best_metric=-1, best_metric_epoch=-1, epoch_length=2)
        states.append(TrainerState(own, adjustable))
        states[-1].attach(engine)
    states[1].load_state_dict(states[0].state_dict())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 1}, "seed 0, now 1"),
        ({"degradation": {"noise_std": 0.01, "inside": None}}, r"degradation.noise_std 0.0, now 0.01"),
        ({"degradation": {"noise_std": 0.0, "inside": {"sigma": 2.0}}}, r"degradation.inside None, now {'sigma': 2.0}"),
        ({"schedule": {"learning_rate": 0.2}}, r"schedule.learning_rate 0.1, now 0.2"),
        ({"fold": 3}, r"fold \(not recorded\), now 3"),
    ],
)
def test_a_run_with_other_settings_is_not_resumed(changed, message):
    with pytest.raises(ValueError, match=f"other settings: {message}. Resume with"):
        resumed({**SETTINGS, **changed}, adjustable=[])


def test_adjustable_settings_may_change_and_the_log_says_so(caplog):
    resumed(SETTINGS, adjustable=["schedule"])
    assert caplog.text == ""
    resumed({**SETTINGS, "schedule": {"learning_rate": 0.2}}, adjustable=["schedule"])
    assert "resuming with other settings: schedule.learning_rate 0.1, now 0.2" in caplog.text
