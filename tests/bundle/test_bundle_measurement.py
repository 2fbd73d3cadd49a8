# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""bundle/configs/train_measurement.json on phantoms: weights that the estimate can be made with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigWorkflow

from monai_srgan.estimation import MeasurementEstimator, estimate_measurement
from monai_srgan.phantoms import write_phantom_dataset

CONFIG = Path(__file__).parents[2] / "bundle" / "configs" / "train_measurement.json"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = write_phantom_dataset(tmp_path_factory.mktemp("phantoms") / "set", num_patients=3, image_size=256)
    out = tmp_path_factory.mktemp("measurement")
    options = {"max_epochs": 2, "val_interval": 1, "num_samples": 32, "batch_size": 1, "num_folds": 3}
    workflow = ConfigWorkflow(
        config_file=str(CONFIG),
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
    assert set(metrics) == {"transfer_rmse", "noise_rmse", "standardized_square"}
    assert 0 < metrics["transfer_rmse"] < 10
    return out


def test_the_weights_make_an_estimate(trained: Path) -> None:
    file = trained / "measurement_net.pt"
    state = torch.load(file, weights_only=True)
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    assert state["novelty_limits"].min() > 0
    image = torch.rand(80, 96, generator=torch.Generator().manual_seed(0))
    estimate = estimate_measurement(image, MeasurementEstimator(file))
    assert estimate.transfer.shape == (2, 16)
    assert not torch.equal(estimate.condition(), estimate_measurement(image).condition())
