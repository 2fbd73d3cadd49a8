# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundle's commands under signals, and two of them in one folder, as real processes."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from small_training import BUNDLE, causes, run, workflow

SMALL = {
    "pretrain_epochs": 1,
    "adversarial_epochs": 0,
    "perceptual_weight": 0,
    "val_interval": 1,
    "batch_size": 2,
    "patch_size": 32,
    "network_def#num_blocks": 1,
    "network_def#channels": 4,
    "discriminator_def#channels": "[4,4,4,8,8]",
    "discriminator_def#dense": 8,
    "amp": False,
}


def start(data: Path, out: Path, **options) -> subprocess.Popen:
    """A training of the bundle, once it trains."""
    items = {**SMALL, "dataset_dir": data, "output_dir": out, **options}
    command = [sys.executable, "-m", "monai.bundle", "run", "training", "--config_file", "bundle/configs/train.json"]
    command += [str(part) for name, value in items.items() for part in (f"--{name}", value)]
    process = subprocess.Popen(
        command, cwd=BUNDLE.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    for line in process.stdout:
        if "Engine run" in line:
            break
    time.sleep(0.5)
    return process


def test_a_stopped_training_resumes_by_the_command_it_prints_and_a_second_one_is_refused(phantom_dir, tmp_path):
    process = start(phantom_dir, tmp_path, epoch_length=5000)
    try:
        with pytest.raises(RuntimeError) as caught:
            run(workflow(phantom_dir, tmp_path))
        assert f"output_dir {tmp_path} is in use by process {process.pid} on " in causes(caught.value)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143
    assert "Traceback" not in errors
    saved, resume, look = errors.strip().splitlines()[-3:]
    number, path = re.fullmatch(r"stopped by SIGTERM after step (\d+) of 5000; saved: (.+)", saved).groups()
    assert path == str(tmp_path / "checkpoints" / f"checkpoint_iteration={number}.pt")
    assert torch.load(path, weights_only=True)["trainer"]["iteration"] == int(number)
    assert shlex.split(resume)[-2:] == ["--ckpt", path]
    assert str(tmp_path) in look
    table = (tmp_path / "losses.csv").read_text().splitlines()
    assert len(table) == int(number) + 1  # up to the checkpoint, from which a resumed run continues it


@pytest.mark.parametrize("name", ["adversarial_weight", "learning_rate", "tumor_prob", "epoch_length"])
def test_a_number_that_is_none_is_refused_by_name_before_anything_is_written(phantom_dir, tmp_path, name):
    with pytest.raises(RuntimeError) as caught:
        run(workflow(phantom_dir, tmp_path / "out", **{name: float("nan")}))
    assert re.search(rf"{name} must be a (finite|whole) number, got nan", causes(caught.value))
    assert not (tmp_path / "out").exists()
