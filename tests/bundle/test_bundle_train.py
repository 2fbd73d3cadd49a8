# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The training workflow of the bundle, in small."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigWorkflow
from small_training import BUNDLE, causes, run, workflow

from monai_srgan.physics import GaussianDownsample, WindowedKSpaceDownsample


@pytest.fixture(scope="module")
def trained(phantom_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    run(workflow(phantom_dir, out))
    return out


def test_workflow_has_every_property_that_monai_asks_for(phantom_dir, tmp_path):
    flow = workflow(phantom_dir, tmp_path)
    flow.initialize()
    assert flow.check_properties() == []
    assert len(flow.train_dataset_data) == len(flow.train_dataset)
    assert flow.max_epochs == 3
    assert flow.train_handlers
    assert flow.val_handlers
    assert list(flow.val_key_metric) == ["psnr_head"]


def test_a_run_leaves_weights_metrics_curves_and_panels(trained):
    for name in ("models/srresnet.pt", "models/model.pt"):
        weights = torch.load(trained / name, weights_only=True)
        assert all(isinstance(w, torch.Tensor) and torch.isfinite(w).all() for w in weights.values())
    with (trained / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(r["iteration"]) for r in rows] == list(range(1, 10))
    adversarial = [r["adversarial_loss"] != "" for r in rows]
    assert adversarial == [False] * 6 + [True] * 3
    assert all(r["perceptual_loss"] != "" for r in rows[6:])
    with (trained / "metrics.csv").open() as file:
        history = list(csv.DictReader(file))
    assert {r["method"] for r in history} == {"bicubic", "generator"}
    assert {r["epoch"] for r in history} == {"1", "2", "3"}
    summary = json.loads((trained / "summary.json").read_text())
    assert summary["settings"]["section"] == "validation"
    assert summary["settings"]["intensity"]["percentile"] == 99.9
    assert (trained / "curves.png").stat().st_size > 10_000
    last = dict(line.split(",") for line in (trained / "metrics" / "metrics.csv").read_text().split())
    assert {"psnr_head", "psnr_inside", "ssim_head"} == set(last)
    assert list((trained / "panels").glob("*.png"))
    saved = sorted(p.name for p in (trained / "checkpoints").iterdir())
    assert saved == ["checkpoint_epoch=2.pt", "checkpoint_epoch=3.pt"]


def test_phases_end_with_different_weights(trained):
    first, last = (torch.load(trained / f"models/{n}.pt", weights_only=True) for n in ("srresnet", "model"))
    assert any(not torch.equal(first[k], last[k]) for k in first)


def test_a_resumed_run_ends_with_the_same_weights(trained, phantom_dir, tmp_path):
    stopped = tmp_path / "stopped"
    flow = workflow(phantom_dir, stopped)
    flow.initialize()
    flow.trainer.state.max_epochs = 2
    flow.run()
    run(workflow(phantom_dir, stopped, ckpt=str(stopped / "checkpoints" / "checkpoint_epoch=2.pt")))
    expected, resumed = (torch.load(d / "models/model.pt", weights_only=True) for d in (trained, stopped))
    assert all(torch.equal(expected[k], resumed[k]) for k in expected)
    tables = [(d / "losses.csv").read_text() for d in (trained, stopped)]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("degrade#sigma_inside", 1.0, False),
        ("degrade#isolate", True, False),
        ("degrade#noise_std", 0.01, False),
        ("degrade#sigma_inside", 1.5, True),  # that of the outside
    ],
)
def test_a_run_resumes_only_with_the_same_degradation(trained, phantom_dir, tmp_path, name, value, allowed):
    checkpoint = trained / "checkpoints" / "checkpoint_epoch=3.pt"
    flow = workflow(phantom_dir, tmp_path, ckpt=str(checkpoint), **{name: value})
    if allowed:
        run(flow)
        return
    with pytest.raises(RuntimeError) as caught:
        run(flow)
    part = "noise_std 0.0" if name == "degrade#noise_std" else "inside None"
    assert f"other settings: degradation.{part}, now " in causes(caught.value)


def test_a_checkpoint_of_another_split_is_refused(trained, phantom_dir, tmp_path):
    checkpoint = trained / "checkpoints" / "checkpoint_epoch=2.pt"
    flow = workflow(phantom_dir, tmp_path, fold=1, ckpt=str(checkpoint))
    flow.initialize()
    with pytest.raises(RuntimeError) as caught:
        flow.run()
    assert "fold 0, now 1; training_patients" in causes(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sigma": 2.5}, "degradation"),
        ({"network_def#global_residual": None}, "generator.residual True, now False"),
        ({"network_def#output": "tanh", "network_def#global_residual": None}, "generator.layers."),
        ({"discriminator_def#norm": "instance"}, "discriminator.layers.InstanceNorm2d"),
        ({"varied": 0.5, "estimated": 0.0}, "varied.prob 0.0, now 0.5"),
        ({"network_def#condition": None}, "generator.parameters"),
    ],
)
def test_a_checkpoint_of_other_data_or_networks_is_refused(trained, phantom_dir, tmp_path, changed, message):
    checkpoint = trained / "checkpoints" / "checkpoint_epoch=2.pt"
    flow = workflow(phantom_dir, tmp_path, ckpt=str(checkpoint), **changed)
    flow.initialize()
    with pytest.raises(ValueError, match=f"other settings: .*{re.escape(message)}"):
        flow.parser.get_parsed_content("trainer_state").load_state_dict(loaded_state(flow, checkpoint))


def loaded_state(flow: ConfigWorkflow, checkpoint: Path) -> dict:
    """The trainer's part of a checkpoint, with the trainer of a workflow built to load it."""
    assert flow.trainer.state.iteration == 0
    return torch.load(checkpoint, weights_only=True)["trainer"]


def test_a_new_schedule_is_no_reason_to_refuse_a_checkpoint(trained, phantom_dir, tmp_path, caplog):
    checkpoint = trained / "checkpoints" / "checkpoint_epoch=2.pt"
    flow = workflow(phantom_dir, tmp_path, ckpt=str(checkpoint), adversarial_epochs=2)
    flow.initialize()
    flow.parser.get_parsed_content("trainer_state").load_state_dict(loaded_state(flow, checkpoint))
    assert "resuming with other settings: schedule.adversarial_epochs 1, now 2" in caplog.text


# Knobs that need not agree between runs and processes, and those that others in run_settings follow from
FREE = {"bundle_root", "dataset_dir", "output_dir", "run_files", "ckpt", "init_weights", "method", "device", "compile"}
FREE |= {"num_workers", "cache_rate", "quick", "passes_per_epoch", "pretrain_iterations", "adversarial_iterations"}
FREE |= {"run_dir", "sigma", "network", "discriminator", "ema_network"}


def test_every_knob_that_shapes_a_run_is_in_its_settings():
    config = json.loads((BUNDLE / "configs" / "train.json").read_text())
    settings = json.dumps(config["run_settings"])
    knobs = {k for k, v in config.items() if not isinstance(v, dict | list)} - FREE - {"run"}
    assert {k for k in knobs if not re.search(rf"@{k}\b", settings)} == set()
    assert {k for k in FREE if k not in config} == set()
    for item in ("scale_intensity", "degrade", "measurements", "network_def", "discriminator_def"):
        assert re.search(rf"@{item}\b", settings), item


def test_the_summary_of_the_scores_holds_the_settings_of_the_run(trained):
    settings = json.loads((trained / "summary.json").read_text())["settings"]
    assert settings["schedule"]["pretrain_epochs"] == 2
    assert settings["generator"]["class"] == "SRResNet"
    assert settings["training_patients"]


KNOBS = ("batch_size", "patch_size", "epoch_length", "pretrain_epochs", "adversarial_epochs", "val_interval")


@pytest.mark.parametrize("phantom", [True, False])
def test_phantoms_get_a_short_recipe_and_other_slices_the_long_one(phantom_dir, tmp_path, phantom):
    data = tmp_path / "data"
    shutil.copytree(phantom_dir, data)
    if not phantom:
        (data / "phantom.json").unlink()
    config = str(BUNDLE / "configs" / "train.json")
    flow = ConfigWorkflow(
        config, workflow_type="train", logging_file=False, bundle_root=str(BUNDLE), dataset_dir=str(data)
    )
    flow.initialize()
    found = [flow.parser.get_parsed_content(name) for name in (*KNOBS, "ema_warmup")]
    # 2 slices to train on, 30 times each
    assert found == ([8, 48, 20, 15, 2, 5, True] if phantom else [16, 96, 10, 20, 5, 2, False])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("models/model.pt", "is not a checkpoint of a training run, it lacks"),
        ("checkpoints/none.pt", "checkpoint_epoch=2.pt"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused_before_anything_is_written(
    trained, phantom_dir, tmp_path, name, message
):
    with pytest.raises(RuntimeError) as caught:
        run(workflow(phantom_dir, tmp_path / "out", ckpt=str(trained / name)))
    assert message in causes(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_crop_that_the_scale_does_not_divide_is_refused_at_once(phantom_dir, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        run(workflow(phantom_dir, tmp_path / "out", patch_size=30))
    assert "patch_size must be a positive multiple of the scale 4, got 30" in causes(caught.value)
    assert not (tmp_path / "out").exists()


def test_varied_slices_are_measured_whole_and_then_cropped_and_validation_keeps_the_default(phantom_dir, tmp_path):
    windowed = {"measurements#weights": {"windowed": 1}, "measurements#noise_prob": 0.0}
    flow = workflow(phantom_dir, tmp_path, varied=1.0, estimated=0.0, **windowed)
    flow.initialize()
    parser = flow.parser
    item = parser.get_parsed_content("train#dataset")[0]
    assert item["image"].shape == (1, 8, 8)
    assert item["label"].shape == item["mask"].shape == (1, 32, 32)
    measurement = parser.get_parsed_content("measure").measurement
    assert isinstance(measurement.operator, WindowedKSpaceDownsample)
    assert torch.equal(item["condition"], measurement.condition())
    validated = parser.get_parsed_content("validate#dataset")[0]
    expected = GaussianDownsample(4)(validated["label"].as_tensor()[None])[0]
    torch.testing.assert_close(validated["image"].as_tensor(), expected)
    flow.run()
    assert (tmp_path / "models" / "model.pt").is_file()
    settings = json.loads((tmp_path / "summary.json").read_text())["settings"]
    assert settings["varied"]["measurements"]["weights"] == {"windowed": 1}


def test_the_network_is_told_the_condition_only_if_it_takes_one(phantom_dir, tmp_path):
    # The last convolution starts at zero, so that the first step reaches nothing before it.
    short = {"pretrain_epochs": 1, "adversarial_epochs": 0, "epoch_length": 3}
    start = torch.load(conditioned_weights(phantom_dir, tmp_path / "a", short), weights_only=True)
    assert start["film.out.bias"].abs().max() > 0  # no longer the identity
    run(workflow(phantom_dir, tmp_path / "b", varied=1.0, estimated=0.0, **{"network_def#condition": None}, **short))
    assert not any("film" in name for name in torch.load(tmp_path / "b" / "models" / "model.pt", weights_only=True))


def conditioned_weights(phantom_dir: Path, out: Path, options: dict) -> Path:
    run(workflow(phantom_dir, out, varied=1.0, estimated=0.0, **options))
    return out / "models" / "model.pt"


def test_a_run_can_start_from_the_weights_of_another(phantom_dir, tmp_path, trained):
    start = trained / "models" / "srresnet.pt"
    still = {"pretrain_epochs": 1, "adversarial_epochs": 0, "epoch_length": 1, "learning_rate": 0.0}
    run(workflow(phantom_dir, tmp_path, init_weights=str(start), **still))
    first, second = (torch.load(p, weights_only=True) for p in (start, tmp_path / "models" / "model.pt"))
    torch.testing.assert_close(second, first, rtol=1e-6, atol=1e-7)  # the moving average starts there too


def test_slices_that_are_not_varied_keep_the_degradation_of_the_run(phantom_dir, tmp_path):
    flow = workflow(phantom_dir, tmp_path, varied=1e-9, estimated=0.0, sigma=2.5)
    flow.initialize()
    measure = flow.parser.get_parsed_content("measure")
    measure.randomize()
    assert measure.measurement.operator.sigma == 2.5


def test_slices_too_small_for_an_estimate_are_refused(phantom_dir, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        run(workflow(phantom_dir, tmp_path / "out", varied=1.0, estimated=1.0))
    assert "image must have at least 64 pixels along each axis, got (32, 32)" in causes(caught.value)


@pytest.mark.parametrize("name", ["compile", "quick"])
def test_a_switch_that_is_a_text_is_refused(phantom_dir, tmp_path, name):
    with pytest.raises(RuntimeError) as caught:
        run(workflow(phantom_dir, tmp_path / "out", **{name: "false"}))
    assert f"{name} must be True or False" in causes(caught.value)


def test_a_second_run_into_the_same_folder_sets_the_first_aside(phantom_dir, tmp_path):
    quick = {"pretrain_epochs": 1, "adversarial_epochs": 0, "perceptual_weight": 0}
    run(workflow(phantom_dir, tmp_path, **quick))
    first = {p.name: p.read_bytes() for p in (tmp_path / "models").iterdir()}
    (tmp_path / "notes.txt").write_text("mine")
    run(workflow(phantom_dir, tmp_path, seed=1, **quick))
    kept = {p.name: p.read_bytes() for p in (tmp_path / "previous-1" / "models").iterdir()}
    assert kept == first
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with (tmp_path / "losses.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3


def test_the_ends_of_the_phases_are_validated_whatever_the_interval(phantom_dir, tmp_path):
    run(workflow(phantom_dir, tmp_path, val_interval=50))
    with (tmp_path / "metrics.csv").open() as file:
        assert {r["epoch"] for r in csv.DictReader(file)} == {"2", "3"}


@pytest.mark.parametrize(("folder", "config"), [("..", "bundle/configs/train.json"), (".", "configs/train.json")])
def test_the_command_of_the_readme_works_beside_and_inside_the_bundle(phantom_dir, tmp_path, folder, config):
    small = {
        "dataset_dir": phantom_dir,
        "output_dir": tmp_path,
        "epoch_length": 2,
        "pretrain_epochs": 1,
        "adversarial_epochs": 1,
        "batch_size": 2,
        "patch_size": 32,
        "network_def#num_blocks": 1,
        "network_def#channels": 4,
        "discriminator_def#channels": "[4,4,4,8,8]",
    }
    command = [sys.executable, "-m", "monai.bundle", "run", "training", "--config_file", config]
    command += [str(part) for name, value in small.items() for part in (f"--{name}", value)]
    done = subprocess.run(command, cwd=BUNDLE / folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "models" / "model.pt").is_file()
    log = done.stdout
    assert re.search(r"head +bicubic .*\n.*head +generator ", log)
    assert log.rstrip().endswith(f"weights, metrics, curves and panels are in {tmp_path}")


def test_the_checkpoint_holds_no_features_and_loads_weights_only(trained):
    checkpoint = torch.load(trained / "checkpoints" / "checkpoint_epoch=3.pt", weights_only=True)
    optimizers = {"g_optimizer", "adversarial_optimizer", "d_optimizer"}
    assert set(checkpoint) == {"trainer", "generator", "discriminator", "ema"} | optimizers
    assert checkpoint["trainer"]["iteration"] == 9
    assert not [k for part in ("generator", "discriminator", "ema") for k in checkpoint[part] if "encoder" in k]


# alembic, sqlalchemy and mlflow warn about their own and each other's deprecations while the tracking store starts.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_tracking_by_mlflow_records_losses_and_validation_scores(phantom_dir, tmp_path):
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: pip install '.[all]'")
    run(workflow(phantom_dir, tmp_path, tracking="mlflow"))
    client = mlflow.tracking.MlflowClient(f"sqlite:///{tmp_path / 'mlruns.db'}")
    (experiment,) = [e for e in client.search_experiments() if e.name == "monai_experiment"]
    runs = client.search_runs([experiment.experiment_id])
    metrics = {name: value for r in runs for name, value in r.data.metrics.items()}
    assert {"train_loss", "psnr_head", "psnr_inside", "ssim_head"} <= set(metrics)
    history = [m.value for r in runs for m in client.get_metric_history(r.info.run_id, "train_loss")]
    assert len(history) == 9
