# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundle's feature network: its training config, the pretrained weights, and what they measure."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from monai.bundle import ConfigWorkflow
from monai.transforms import Compose, GaussianSmooth

from monai_srgan.apps import figshare_datalist
from monai_srgan.losses import PerceptualFeatureLoss
from monai_srgan.networks import MRIFeatures
from monai_srgan.transforms import LoadMatd, ScaleIntensityByPercentiled

BUNDLE = Path(__file__).parents[2] / "bundle"
CONFIG = BUNDLE / "configs" / "train_features.json"
WEIGHTS = BUNDLE / "models" / "features" / "mri_features.pt"


def run_training(dataset_dir: Path, output_dir: Path, **override: object) -> ConfigWorkflow:
    workflow = ConfigWorkflow(
        config_file=str(CONFIG),
        workflow_type="train",
        run_id="training",
        logging_file=False,
        bundle_root=str(BUNDLE),
        dataset_dir=str(dataset_dir),
        output_dir=str(output_dir),
        **override,
    )
    workflow.initialize()
    workflow.run()
    workflow.finalize()
    return workflow


@pytest.fixture(scope="module")
def trained(phantom_dir, tmp_path_factory) -> tuple[ConfigWorkflow, Path]:
    output_dir = tmp_path_factory.mktemp("features")
    override = {
        "num_folds": 3,
        "max_epochs": 2,
        "val_interval": 2,
        "batch_size": 4,
        "roi_size": [96, 96],
        "network_def#channels": [4, 8, 8],
    }
    return run_training(phantom_dir, output_dir, **override), output_dir


def test_training_ends_with_weights_that_the_perceptual_loss_can_load(trained):
    workflow, output_dir = trained
    network = MRIFeatures(channels=(4, 8, 8), weights=output_dir / "mri_features.pt")
    torch.testing.assert_close(
        dict(network.state_dict()), dict(workflow.parser.get_parsed_content("network").state_dict())
    )
    x = torch.rand(1, 1, 32, 32)
    assert PerceptualFeatureLoss(network)(x, 0.5 * x).item() > 0
    assert not torch.equal(
        network.state_dict()["encoder.0.0.weight"], MRIFeatures(channels=(4, 8, 8)).encoder[0][0].weight
    )


def test_training_changes_the_weights_and_counts_its_steps(trained):
    workflow, _ = trained
    trainer = workflow.parser.get_parsed_content("train#trainer")
    steps = 2 * len(workflow.parser.get_parsed_content("train#dataloader"))
    assert trainer.state.iteration == steps
    assert int(workflow.parser.get_parsed_content("network").encoder[0][1].num_batches_tracked) == steps


def test_validation_measures_dice_and_accuracy_of_every_slice(trained):
    workflow, output_dir = trained
    evaluator = workflow.parser.get_parsed_content("validate#evaluator")
    assert 0 <= evaluator.state.metrics["val_mean_dice"] <= 1
    assert 0 <= evaluator.state.metrics["val_accuracy"] <= 1
    with (output_dir / "val_mean_dice_raw.csv").open() as file:
        rows = list(csv.reader(file))
    assert len(rows) - 1 == len(workflow.parser.get_parsed_content("validate#dataset")) > 0


def test_no_patient_is_in_training_and_validation(trained):
    workflow, _ = trained
    patients = [
        {item["patient"] for item in workflow.parser.get_parsed_content(f"{section}#dataset").data}
        for section in ("train", "validate")
    ]
    assert patients[0]
    assert patients[1]
    assert not patients[0] & patients[1]


def test_every_top_level_knob_is_read_by_another_item():
    config = json.loads(CONFIG.read_text())
    text = CONFIG.read_text()
    for name in config.keys() - {"imports", "initialize", "training", "run", "finalize", "validate", "train"}:
        assert f"@{name}" in text, name


def test_an_unknown_training_folder_is_an_error_and_no_weights_are_written(tmp_path):
    with pytest.raises(RuntimeError) as caught:
        run_training(tmp_path / "nowhere", tmp_path / "out")
    assert "nowhere" in str(caught.value.__cause__)
    assert not list(tmp_path.glob("out/*.pt"))


@pytest.fixture(scope="module")
def shipped() -> MRIFeatures:
    return MRIFeatures(weights=WEIGHTS).eval()


def test_shipped_weights_are_small_finite_float32_and_trained(shipped):
    assert WEIGHTS.stat().st_size < 6_000_000
    state = shipped.state_dict()
    assert all(torch.isfinite(v).all() for v in state.values())
    assert {v.dtype for v in state.values()} <= {torch.float32, torch.int64}
    assert int(state["encoder.0.1.num_batches_tracked"]) >= 1000


def test_model_card_stands_beside_the_weights_and_names_license_and_command():
    card = (WEIGHTS.parent / "README.md").read_text()
    for fact in ("CC BY 4.0", "10.6084/m9.figshare.1512427", "train_features.json --dataset_dir DIR", "Dice", "seed 0"):
        assert fact in card, fact


def test_no_weights_lie_where_monai_label_looks_for_the_generator():
    assert WEIGHTS.parent.parent.name == "models"
    assert not list((BUNDLE / "models").glob("*features*.pt"))


def blurred(image: torch.Tensor, sigma: float) -> torch.Tensor:
    return torch.stack([GaussianSmooth(sigma)(x) for x in image]).as_subclass(torch.Tensor)


def assert_orders_images_sensibly(network: MRIFeatures, hr: torch.Tensor) -> None:
    loss = PerceptualFeatureLoss(network)
    distances = [loss(blurred(hr, sigma), hr).item() for sigma in (0.5, 1.0, 1.5, 2.5)]
    assert distances == sorted(distances)
    assert distances[0] < 0.5 * distances[-1]
    bicubic = F.interpolate(F.avg_pool2d(hr, 4), scale_factor=4, mode="bicubic", align_corners=False)
    noise = torch.randn(hr.shape, generator=torch.Generator().manual_seed(0))
    assert loss(bicubic, hr).item() > 2 * loss((hr + 0.002 * noise).clamp(0, 1), hr).item()


def test_shipped_features_grow_with_blur_on_phantoms(shipped, phantom_dir):
    load = Compose([LoadMatd("image", mask_key="mask"), ScaleIntensityByPercentiled("image")])
    items = figshare_datalist(phantom_dir, "training", num_folds=3)[:4]
    assert_orders_images_sensibly(shipped, torch.stack([load(item)["image"].as_tensor() for item in items]))


@pytest.mark.real_data
def test_shipped_features_grow_with_blur_and_find_tumors_on_real_slices(shipped, real_data_dir):
    load = Compose([LoadMatd("image", mask_key="mask"), ScaleIntensityByPercentiled("image")])
    items = [load(item) for item in figshare_datalist(real_data_dir, "test")[::10]]
    dice, seen = [], []
    for item in items:
        hr, mask = item["image"].as_tensor()[None], item["mask"].as_tensor()[None]
        if not seen:
            assert_orders_images_sensibly(shipped, hr)
        with torch.no_grad():
            out = shipped(hr)
        found = out["mask"] > 0
        dice.append(2 * (found * mask).sum().item() / (found.sum() + mask.sum()).item())
        seen.append(int(out["tumor_class"].argmax()) + 1 == item["tumor_type"])
    # chance: a Dice of 0.03 (the tumor's share of the slice), an accuracy of about 0.5 (the commonest class)
    assert sum(dice) / len(dice) > 0.3
    assert sum(seen) / len(seen) > 0.5
