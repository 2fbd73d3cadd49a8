# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""train_measurement.json and train_outliers.json on phantoms: weights that the estimate can be made with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigWorkflow

from monai_srgan.estimation import MeasurementEstimator, estimate_measurement
from monai_srgan.phantoms import write_phantom_dataset

CONFIGS = Path(__file__).parents[2] / "bundle" / "configs"
METRICS = {
    "train_measurement": {"transfer_rmse", "noise_rmse", "standardized_square"},
    "train_outliers": {"auc", "sensitivity", "specificity"},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_phantom_dataset(tmp_path_factory.mktemp("phantoms") / "set", num_patients=3, image_size=256)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("estimation")
    options = {"max_epochs": 2, "val_interval": 1, "num_samples": 32, "batch_size": 1, "num_folds": 3}
    for name, expected in METRICS.items():
        workflow = ConfigWorkflow(
            config_file=str(CONFIGS / f"{name}.json"),
            workflow_type="train",
            logging_file=False,
            dataset_dir=str(data),
            output_dir=str(out),
            **options,
        )
        workflow.initialize()
        workflow.run()
        workflow.finalize()
        metrics = workflow.parser.get_parsed_content("validate#evaluator").state.metrics
        assert set(metrics) == expected
        assert all(0 <= value < 10 for value in metrics.values())
    return out


def test_the_weights_make_an_estimate(trained: Path) -> None:
    files = trained / "measurement_net.pt", trained / "outlier_net.pt"
    for file in files:
        state = torch.load(file, weights_only=True)
        assert all(isinstance(value, torch.Tensor) for value in state.values())
    own, shipped = MeasurementEstimator(*files), MeasurementEstimator()
    assert own.fingerprint.split()[0] != shipped.fingerprint.split()[0]
    assert own.fingerprint.split()[1] != shipped.fingerprint.split()[1]
    image = torch.rand(80, 96, generator=torch.Generator().manual_seed(0))
    estimate = estimate_measurement(image, own)
    assert estimate.transfer.shape == (2, 16)
    assert 0 < estimate.outlier < 1
    assert not torch.equal(estimate.condition(), estimate_measurement(image, shipped).condition())
