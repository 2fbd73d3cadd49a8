# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Schedules and records of a training run."""

from __future__ import annotations

import csv
import logging

import pytest
import torch
from ignite.engine import Engine, Events
from PIL import Image
from torch import nn

from monai_srgan import processes
from monai_srgan.bundling import set_aside
from monai_srgan.files import writable_folder
from monai_srgan.handlers import (
    AdversarialHandler,
    CurveRecorder,
    LossProgressBar,
    PerceptualHandler,
    Ramp,
    TrainerState,
    WeightsSaver,
)
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
    with pytest.raises(ValueError, match=f"{name} of a ramp must not be negative, got -1"):
        Ramp(**{"start": 1, "length": 1, "weight": 1.0, name: -1})


@pytest.mark.parametrize(
    ("handler", "attribute"),
    [(AdversarialHandler, "adversarial_weight"), (PerceptualHandler, "perceptual_weight")],
)
def test_handlers_set_the_weight_before_the_step_runs(handler, attribute):
    seen = []
    engine = engine_with(lambda e, _batch: seen.append(getattr(e.state, attribute)) or {})
    handler(start=2, ramp=2, weight=0.01).attach(engine)
    engine.run(range(5), max_epochs=1)
    assert seen == pytest.approx([0, 0, 0.005, 0.01, 0.01])


def test_feature_matching_rises_with_the_adversarial_weight():
    seen = []
    engine = engine_with(lambda e, _batch: seen.append(e.state.feature_matching_weight) or {})
    AdversarialHandler(start=2, ramp=2, weight=0.01, feature_matching_weight=0.1).attach(engine)
    engine.run(range(5), max_epochs=1)
    assert seen == pytest.approx([0, 0, 0.05, 0.1, 0.1])


@pytest.mark.parametrize(
    ("real", "fake", "warnings"),
    [
        (0.9, 0.001, 3),  # it has won, label smoothing or not
        (0.999, 0.2, 3),
        (0.5, 0.5, 1),  # it tells nothing apart, which a fresh one may for two windows
        (0.7, 0.3, 0),
        (0.9, 0.1, 0),
    ],
)
def test_a_stuck_discriminator_is_reported_once_a_window(real, fake, warnings, caplog):
    engine = engine_with(lambda _e, _batch: {"d_real": real, "d_fake": fake})
    AdversarialHandler(start=0, window=4).attach(engine)
    with caplog.at_level(logging.WARNING):
        engine.run(range(12), max_epochs=1)
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


@pytest.mark.parametrize(("epoch", "expected"), [(1, 1.0), (2, 2.0), (None, 3.0)])
def test_weights_are_written_after_the_epoch_asked_for_or_at_the_end(tmp_path, epoch, expected):
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
        engine = engine_with(lambda _e, _batch: {"loss": 1.0, "d_real": 1.0, "d_fake": 0.0})
        handlers = (
            CurveRecorder(tmp_path / "curves"),
            WeightsSaver(nn.Linear(1, 1), tmp_path / "models" / "w.pt"),
            LossProgressBar(),
            AdversarialHandler(start=0, window=2),
        )
        for handler in handlers:
            handler.attach(engine)
        engine.run(range(4), max_epochs=1)
        return engine

    (tmp_path / "old.csv").write_text("of an earlier run")
    monkeypatch.setattr(processes, "rank", lambda: 1)
    with caplog.at_level(logging.WARNING):
        other = run_all()
    writable_folder(tmp_path / "new")
    assert set_aside(tmp_path, ["*.csv"]) is None
    assert [p.name for p in tmp_path.iterdir()] == ["old.csv"]
    assert "stuck" not in caplog.text
    assert capfd.readouterr().err == ""

    monkeypatch.setattr(processes, "rank", lambda: 0)
    with caplog.at_level(logging.WARNING):
        main = run_all()
    assert {p.name for p in tmp_path.iterdir()} == {"old.csv", "curves", "models"}
    assert "stuck" in caplog.text
    assert "training" in capfd.readouterr().err
    assert other.state.adversarial_weight == main.state.adversarial_weight > 0  # what all processes need they all do


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
    with pytest.raises(ValueError, match=r"degradation 4x, Gaussian .* pixels, now 4x, .* Rician noise of 0\.01\."):
        other.load_state_dict(written.state_dict())
