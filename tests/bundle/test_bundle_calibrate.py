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
from monai.data import MetaTensor
from monai.engines import SupervisedEvaluator
from workflows import SMALL_NETWORK, small_workflow

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.handlers import IntervalSamples
from monai_srgan.inferers import MeasuredInferer, SelfEnsembleInferer, TiledSRInferer
from monai_srgan.networks import SRResNet, weights_sha256
from monai_srgan.phantoms import write_phantom_dataset
from monai_srgan.physics import GaussianDownsample, Measurement, RandomMeasurements
from monai_srgan.transforms import ASSUMED_MEASUREMENT
from monai_srgan.uncertainty import MeasuredIntervals, SampleFolder, load_intervals

ROOT = Path(__file__).parents[2]


def small_network() -> SRResNet:
    torch.manual_seed(0)
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    torch.nn.init.normal_(network.tail.weight, std=0.01)
    return network.eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "model.pt"
    torch.save(small_network().state_dict(), path)
    return path


def workflow(dataset_dir: Path, output_file: Path, ckpt_path: Path, **items: Any) -> ConfigWorkflow:
    """Records are told: the phantoms are too small for estimates."""
    given = {"records": "told", "dataset_dir": dataset_dir, "output_file": output_file, "ckpt_path": ckpt_path}
    return small_workflow("calibrate", **{**given, **items})


def estimated_dataset(folder: Path) -> Path:
    """Phantoms whose LR images are large enough for an estimate."""
    return write_phantom_dataset(folder, num_patients=6, image_size=256, seed=0)


def test_the_workflow_has_every_property_that_monai_asks_for(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    assert workflow(phantom_dir, tmp_path / "intervals.json", weights).check_properties() == []


def test_a_calibration_writes_intervals_whose_coverage_is_that_of_a_count(
    phantom_dir: Path, tmp_path: Path, weights: Path
) -> None:
    path = tmp_path / "new" / "intervals.json"
    default = {"measurements#weights": {"default": 1}, "measurements#noise_prob": 0.0}
    made = workflow(phantom_dir, path, weights, draws=1, cap=0.25, pixels=100_000, **default)
    made.run()
    made.finalize()
    intervals, network = load_intervals(path), small_network()
    assert isinstance(intervals, MeasuredIntervals)
    assert intervals.weights_sha256 == weights_sha256(network)
    assert (intervals.basis, intervals.consistent, intervals.precision) == ("told", True, "fp32")
    (cell,) = intervals.cells
    told = AssumedMeasurement.told(Measurement(GaussianDownsample(4)))
    items = figshare_datalist(phantom_dir, "validation", num_folds=3, progress=False)
    assert cell.calibration.slices == len(items)
    assert intervals.patients == tuple(sorted({item["patient"] for item in items}))
    ensemble = SelfEnsembleInferer(MeasuredInferer(TiledSRInferer()), intervals)
    shares: dict[str, list[tuple[float, float]]] = {}
    for item in items:
        data = read_cjdata(item["image"])
        image = torch.from_numpy(data.image).double()[None, None]
        hr = (image / torch.quantile(image, 0.999)).clamp(0, 1).float()
        mask = torch.from_numpy(data.mask)[None, None] > 0
        lr = MetaTensor(GaussianDownsample(4)(hr), meta={ASSUMED_MEASUREMENT: [told.to_json()]})
        mean, _, half_width = ensemble(lr, network).as_tensor().split(1, dim=1)
        covered = (mean - hr).abs() <= half_width
        both = (covered[mask].float().mean().item(), covered[~mask].float().mean().item())
        shares.setdefault(item["patient"], []).append(both)
    by_patient = np.array([np.mean(values, axis=0) for values in shares.values()])
    # the factor was set by tables of the other fold, this is the table of both
    n = len(by_patient)
    assert 1 - by_patient.mean() <= (0.1 * (n + 1) - 0.25) / n + 0.05
    assert list(cell.calibration.coverage) == ["inside", "outside"]
    assert intervals.settings["measurements"]["noise_prob"] == 0.0
    assert str(tmp_path.parent) not in path.read_text()  # the file is to be given away


def test_an_interrupted_calibration_goes_on_and_another_level_takes_no_enlargement(
    phantom_dir: Path, tmp_path: Path, weights: Path
) -> None:
    path = tmp_path / "intervals.json"
    workflow(phantom_dir, path, weights, draws=2).run()
    samples = sorted((tmp_path / "intervals_samples").iterdir())
    assert len(samples) == 2 * len(figshare_datalist(phantom_dir, "validation", num_folds=3, progress=False))
    first, *rest = (sample.stat().st_mtime_ns for sample in samples)
    content = path.read_bytes()
    samples[0].unlink()
    workflow(phantom_dir, path, weights, draws=2, overwrite=True).run()
    assert [sample.stat().st_mtime_ns for sample in samples[1:]] == rest
    assert samples[0].stat().st_mtime_ns > first
    assert path.read_bytes() == content  # of the same random draws
    workflow(phantom_dir, path, weights, draws=2, overwrite=True, level=0.6).run()
    assert load_intervals(path).level == 0.6
    assert sorted((tmp_path / "intervals_samples").iterdir()) == samples


def test_records_are_estimated_from_the_images(tmp_path: Path, weights: Path) -> None:
    dataset = estimated_dataset(tmp_path / "data")
    made = workflow(dataset, tmp_path / "intervals.json", weights, records="estimated", draws=1)
    samples, preprocessing, calibration = map(
        made.parser.get_parsed_content, ("samples", "preprocessing", "calibration")
    )
    item = preprocessing(samples.items[0])
    assumed = AssumedMeasurement.from_json(item["image"].meta[ASSUMED_MEASUREMENT])
    assert assumed.basis == "estimated"
    truth = Measurement.from_dict(json.loads(item["measurement"]))
    assert not torch.equal(assumed.condition, truth.condition())
    assert calibration.facts["basis"] == "estimated"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"cap": 0.05}, "cap must lie in"),
        ({"calibration#bins": 0}, "bins must be at least 1"),
        ({"records": "guessed"}, "basis must be one of estimated, told"),
        ({"draws": 0}, "draws must be at least 1"),
        ({"noise_edges": [0.1, 0.0]}, "noise_edges must be two or more increasing numbers"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_before_any_slice_is_enlarged(
    phantom_dir: Path, tmp_path: Path, weights: Path, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises((RuntimeError, ValueError)) as caught:
        workflow(phantom_dir, tmp_path / "intervals.json", weights, **overrides).run()
    error: BaseException = caught.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert message in str(error)
    assert not (tmp_path / "intervals_samples").exists()


def test_every_knob_is_read(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    path = tmp_path / "intervals.json"
    path.write_text("old")
    made = workflow(
        phantom_dir,
        path,
        weights,
        overwrite=True,
        level=0.6,
        fold=1,
        seed=4,
        precision="bf16",
        consistency=False,
        draws=2,
        pixels=500,
        min_patients=2,
        noise_edges=[0.0, 0.03, 0.2],
        bandwidth_edges=[0.5],
        samples_dir=str(tmp_path / "kept"),
        **{"calibration#bins": 2, "calibration#folds": 2},
    )
    made.run()
    content = json.loads(path.read_text())
    assert (content["level"], content["precision"], content["consistent"]) == (0.6, "bf16", False)
    assert {tuple(cell["noise"]) for cell in content["cells"]} <= {(0.0, 0.03), (0.03, 0.2)}
    for cell in content["cells"]:
        assert cell["calibration"]["cap"] == pytest.approx(0.8)
        assert len(cell["quantiles"]) <= 2
    chosen = {k: content["settings"][k] for k in ("fold", "seed", "draws", "pixels")}
    assert chosen == {"fold": 1, "seed": 4, "draws": 2, "pixels": 500}
    assert made.inferer.inferer.inferer.precision == "bf16"
    expected = figshare_datalist(phantom_dir, "validation", 1, 3, 4, progress=False)
    assert len(list((tmp_path / "kept").iterdir())) == 2 * len(expected)


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
    command += ["--ckpt_path", str(weights), "--num_folds", "3", "--draws", "2", "--records", "told"]
    command += ["--output_file", str(tmp_path / "intervals.json")]
    command += [word for key, value in SMALL_NETWORK.items() for word in (f"--{key}", str(value))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(r"noise 0 to 0.5 %, bandwidth .* +\d\.\d{3}  +\d+\.\d%", done.stdout)
    assert "intervals.json" in done.stdout.splitlines()[-1]
    assert load_intervals(tmp_path / "intervals.json").level == 0.9


def evaluator(folder: Path, inferer: Any, without: Sequence[str] = (), **kwargs: Any) -> SupervisedEvaluator:
    batch = {"image": torch.rand(1, 1, 8, 8), "label": torch.rand(1, 1, 32, 32), "patient": ["a"]}
    batch |= {"mask": torch.zeros(1, 1, 32, 32), "measurement": ["{}"], "sample": ["a.npz"]}
    batch["mask"][..., 8:16, 8:16] = 1
    made = SupervisedEvaluator(
        device="cpu",
        val_data_loader=[{k: v for k, v in batch.items() if k not in without}],
        network=small_network(),
        inferer=inferer,
        val_handlers=[IntervalSamples(SampleFolder(folder, [], RandomMeasurements()))],
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
        (SelfEnsembleInferer(), {}, ValueError, "the images must have a record each, got 0 for 1: add AssumeMeas"),
    ],
)
def test_an_evaluator_of_another_kind_is_refused(inferer, kwargs, error, message, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        evaluator(tmp_path, inferer, **kwargs).run()


def test_no_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pixels must be at least 1, got 0"):
        IntervalSamples(SampleFolder(tmp_path, [], RandomMeasurements()), pixels=0)
