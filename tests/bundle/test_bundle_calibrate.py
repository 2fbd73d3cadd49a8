# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""bundle/configs/calibrate.json: intervals for a checkpoint."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow
from monai.engines import SupervisedEvaluator
from workflows import SMALL_NETWORK, small_workflow

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.handlers import IntervalCalibration, IntervalFit
from monai_srgan.inferers import SelfEnsembleInferer, TiledSRInferer
from monai_srgan.networks import SRResNet, weights_sha256
from monai_srgan.physics import GaussianDownsample, Measurement
from monai_srgan.uncertainty import IntervalTable

ROOT = Path(__file__).parents[2]


def small_network() -> SRResNet:
    torch.manual_seed(0)
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic")
    torch.nn.init.normal_(network.tail.weight, std=0.01)
    return network.eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "model.pt"
    torch.save(small_network().state_dict(), path)
    return path


def workflow(dataset_dir: Path, output_file: Path, ckpt_path: Path, **items: Any) -> ConfigWorkflow:
    return small_workflow("calibrate", dataset_dir=dataset_dir, output_file=output_file, ckpt_path=ckpt_path, **items)


def slices_of(dataset_dir: Path, section: str, **kwargs: Any) -> list[tuple[str, Any, Any, Any]]:
    """Patient, HR and LR image and tumor mask of every slice."""
    found = []
    for item in figshare_datalist(dataset_dir, section, num_folds=3, progress=False, **kwargs):
        data = read_cjdata(item["image"])
        image = torch.from_numpy(data.image).double()[None, None]
        hr = (image / torch.quantile(image, 0.999)).clamp(0, 1).float()
        found.append((item["patient"], hr, GaussianDownsample(4)(hr), torch.from_numpy(data.mask)[None, None] > 0))
    return found


def test_the_workflow_has_every_property_that_monai_asks_for(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    assert workflow(phantom_dir, tmp_path / "intervals.json", weights).check_properties() == []


def test_a_calibration_writes_intervals_whose_coverage_is_that_of_a_count(
    phantom_dir: Path, tmp_path: Path, weights: Path
) -> None:
    path = tmp_path / "new" / "intervals.json"
    made = workflow(phantom_dir, path, weights, fit_every=2, cap=0.25)
    made.run()
    made.finalize()
    assert [p.name for p in path.parent.iterdir()] == ["intervals.json"]
    intervals, network = IntervalTable.load(path), small_network()
    assert intervals.weights_sha256 == weights_sha256(network)
    ensemble = SelfEnsembleInferer(intervals=intervals)
    shares: dict[str, list[tuple[float, float]]] = {}
    for patient, hr, lr, mask in slices_of(phantom_dir, "validation"):
        mean, _, half_width = ensemble(lr, network).split(1, dim=1)
        covered = (mean - hr).abs() <= half_width
        both = (covered[mask].float().mean().item(), covered[~mask].float().mean().item())
        shares.setdefault(patient, []).append(both)
    by_patient = np.array([np.mean(values, axis=0) for values in shares.values()])
    record = json.loads(path.read_text())["record"]
    coverage = record["calibration"]["coverage"]
    assert list(coverage) == ["whole", "inside", "outside", "head", "rim"]
    assert [coverage[r]["mean"] for r in ("inside", "outside")] == pytest.approx(by_patient.mean(axis=0), abs=2e-3)
    # the mean loss of n patients that risk control asks for: ((n + 1) 0.1 - cap) / n
    n = len(by_patient)
    assert 1 - by_patient.mean() <= (0.1 * (n + 1) - 0.25) / n + 1e-3
    assert record["calibration"]["patients"] == n
    assert record["patients"] == sorted(shares)
    assert intervals.facts()["lambda"] == intervals.factor
    assert intervals.facts()["patients"] == sorted(shares)
    assert record["calibration"]["slices"] == len(slices_of(phantom_dir, "validation"))
    training = slices_of(phantom_dir, "training")[::2]
    assert record["fit"]["slices"] == len(training)
    assert record["fit"]["patients"] == len({item[0] for item in training})
    chosen = {k: record["settings"][k] for k in ("section", "fold", "num_folds", "seed", "fit_every")}
    assert chosen == {"section": "validation", "fold": 0, "num_folds": 3, "seed": 0, "fit_every": 2}
    assert intervals.precision == "fp32"
    assert record["settings"]["intensity"] == {"percentile": 99.9, "clip": True}
    assert intervals.measurement == Measurement(GaussianDownsample(4))
    assert record["settings"]["checkpoint"] == weights.name
    assert str(tmp_path.parent) not in path.read_text()  # the file is to be given away


@pytest.mark.parametrize(("overrides", "message"), [({"cap": 0.05}, "cap must lie in"), ({"fit#bins": 0}, "bins")])
def test_what_cannot_be_calibrated_is_refused_before_any_slice_is_enlarged(
    phantom_dir: Path, tmp_path: Path, weights: Path, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises((RuntimeError, ValueError)) as caught:
        workflow(phantom_dir, tmp_path / "intervals.json", weights, **overrides).run()
    error: BaseException = caught.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert message in str(error)


def test_every_knob_is_read(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    path = tmp_path / "intervals.json"
    path.write_text("old")
    made = workflow(
        phantom_dir,
        path,
        weights,
        overwrite=True,
        level=0.6,
        sigma=0.7,
        fold=1,
        seed=4,
        precision="bf16",
        consistency=True,
        fit_every=3,
        **{"fit#bins": 2, "fit#pixels": 50, "degrade#noise_std": 0.05},
    )
    made.run()
    content = json.loads(path.read_text())
    record = content["record"]
    assert content["level"] == 0.6
    assert record["calibration"]["cap"] == pytest.approx(0.8)
    assert record["fit"]["bins"] == [2, 2]
    assert record["fit"]["pixels"] == 100 * record["fit"]["slices"]
    assert content["measurement"] == Measurement(GaussianDownsample(4, 0.7), noise_std=0.05).to_dict()
    assert content["precision"] == "bf16"
    chosen = {k: record["settings"][k] for k in ("fold", "seed")}
    assert chosen == {"fold": 1, "seed": 4}
    assert content["consistent"] is True
    assert type(made.inferer.inferer).__name__ == "ConsistentInferer"
    assert made.inferer.inferer.inferer.precision == "bf16"
    expected = figshare_datalist(phantom_dir, "validation", 1, 3, 4, progress=False)
    assert record["calibration"]["slices"] == len(expected)


def test_an_existing_file_stops_the_run_before_any_computing(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    path = tmp_path / "intervals.json"
    path.write_text("old")
    with pytest.raises(RuntimeError) as caught:
        workflow(phantom_dir, path, weights).run()
    assert "intervals.json exists" in str(caught.value.__cause__)
    assert path.read_text() == "old"


def test_the_command_of_the_how_to_works_and_logs_the_table(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    command = [sys.executable, "-m", "monai.bundle", "run", "calibrating"]
    command += ["--config_file", "bundle/configs/calibrate.json", "--dataset_dir", str(phantom_dir)]
    command += ["--ckpt_path", str(weights), "--num_folds", "3"]
    command += ["--output_file", str(tmp_path / "intervals.json")]
    command += [word for key, value in SMALL_NETWORK.items() for word in (f"--{key}", str(value))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(r"inside +\d+\.\d% +\d+\.\d%", done.stdout)
    assert "intervals.json" in done.stdout.splitlines()[-1]
    assert IntervalTable.load(tmp_path / "intervals.json").level == 0.9


def evaluator(handler: Any, inferer: Any, without: Sequence[str] = (), **kwargs: Any) -> SupervisedEvaluator:
    batch = {"image": torch.rand(1, 1, 8, 8), "label": torch.rand(1, 1, 32, 32), "patient": ["a"]}
    batch["mask"] = torch.zeros(1, 1, 32, 32)
    batch["mask"][..., 8:16, 8:16] = 1
    made = SupervisedEvaluator(
        device="cpu",
        val_data_loader=[{k: v for k, v in batch.items() if k not in without}],
        network=small_network(),
        inferer=inferer,
        val_handlers=[handler],
        **{"decollate": False, **kwargs},
    )
    made.logger.disabled = True
    return made


@pytest.mark.parametrize(
    ("inferer", "kwargs", "error", "message"),
    [
        (TiledSRInferer(), {}, ValueError, r"got 1 of shape \(1, 1, 32, 32\).* a SelfEnsembleInferer"),
        (SelfEnsembleInferer(), {"decollate": True}, ValueError, "set decollate=False"),
        (SelfEnsembleInferer(), {"without": ["patient"]}, KeyError, r"the batch lacks \['patient'\]"),
    ],
)
def test_an_evaluator_of_another_kind_is_refused(inferer, kwargs, error, message) -> None:
    with pytest.raises(error, match=message):
        evaluator(IntervalFit(), inferer, **kwargs).run()


def test_the_factor_needs_the_table_first(tmp_path: Path) -> None:
    calibration = IntervalCalibration(IntervalFit(), tmp_path / "intervals.json", small_network())
    with pytest.raises(RuntimeError, match="run the evaluator with IntervalFit first"):
        evaluator(calibration, SelfEnsembleInferer()).run()
    with pytest.raises(ValueError, match="overwrite must be True or False"):
        IntervalCalibration(IntervalFit(), tmp_path / "x.json", small_network(), overwrite="false")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="level must lie in"):
        IntervalFit(level=1.0)
