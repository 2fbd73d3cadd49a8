# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A resumed training run gives the very weights of an unbroken one, also where the network draws random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from small_training import workflow

DROPOUT = {
    "network": "$torch.nn.Sequential(torch.nn.Upsample(scale_factor=4), torch.nn.Conv2d(1, 4, 3, padding=1), "
    "torch.nn.Dropout(0.5), torch.nn.Conv2d(4, 1, 3, padding=1)).to(@device)",
    "perceptual_weight": 0,
    "adversarial_epochs": 0,
    "epoch_length": 4,
}


def train(data: Path, out: Path, stop: Any = None, **options: Any) -> dict[str, torch.Tensor]:
    """Weights of a run that is stopped at an event; the trainer is built first in all runs, so that all start alike."""
    flow = workflow(data, out, **{**DROPOUT, **options})
    flow.initialize()
    if stop is not None:
        flow.trainer.add_event_handler(stop, lambda engine: engine.terminate(skip_completed=True))
    assert flow.trainer.state.iteration == 0
    flow.run()
    flow.finalize()
    file = out / "models" / "srresnet.pt"
    return torch.load(file, weights_only=True) if stop is None else {}


def rows(out: Path) -> list[str]:
    return (out / "losses.csv").read_text().splitlines()


@pytest.fixture(scope="module")
def unbroken(phantom_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    out = tmp_path_factory.mktemp("unbroken")
    return out, train(phantom_dir, out)


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize(
    ("stop", "checkpoint"),
    [
        (Events.ITERATION_COMPLETED(once=3), "checkpoint_iteration=3.pt"),
        (Events.EPOCH_COMPLETED(once=1), "checkpoint_epoch=1.pt"),
    ],
)
def test_a_network_with_dropout_resumes_to_the_bit_whatever_the_workers(
    unbroken, phantom_dir, tmp_path, num_workers, stop, checkpoint
):
    expected_out, expected = unbroken
    train(phantom_dir, tmp_path, stop, num_workers=num_workers)
    saved = tmp_path / "checkpoints" / checkpoint
    found = train(phantom_dir, tmp_path, num_workers=num_workers, ckpt=str(saved))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[k], found[k]) for k in expected)
    assert rows(tmp_path) == rows(expected_out)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["checkpoint_epoch=1.pt", "checkpoint_epoch=2.pt"]  # that of the stop is outdated


def test_equal_runs_write_equal_bytes(unbroken, phantom_dir, tmp_path):
    expected_out, _ = unbroken
    train(phantom_dir, tmp_path)
    for name in ("models/srresnet.pt", "models/model.pt", "checkpoints/checkpoint_epoch=2.pt"):
        assert (tmp_path / name).read_bytes() == (expected_out / name).read_bytes(), name


def test_other_hyperparameters_of_a_resumed_run_are_used_and_told(unbroken, phantom_dir, tmp_path, caplog):
    checkpoint = unbroken[0] / "checkpoints" / "checkpoint_epoch=1.pt"
    changed = {"optimizer#betas": [0.5, 0.9], "learning_rate": 0.002, "pixel_weight": 2.0}
    flow = workflow(phantom_dir, tmp_path, **DROPOUT, **changed, ckpt=str(checkpoint))
    flow.initialize()
    flow.run()
    assert "resuming with another g_optimizer: betas (0.9, 0.999), now (0.5, 0.9)" in caplog.text
    assert "schedule.learning_rate 0.001, now 0.002; schedule.pixel_weight 1.0, now 2.0" in caplog.text
    groups = flow.parser.get_parsed_content("optimizer").param_groups
    assert [tuple(group["betas"]) for group in groups] == [(0.5, 0.9)] * len(groups)
