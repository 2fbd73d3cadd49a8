# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The multi-task loss of the MRI features and its batches."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from monai.data import MetaTensor

from monai_srgan.engines import PrepareTumorBatch
from monai_srgan.losses import MultiTaskLoss


@pytest.fixture
def case() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    pred = {
        "mask": torch.randn(3, 1, 8, 8, generator=generator).requires_grad_(True),
        "tumor_class": torch.randn(3, 3, generator=generator).requires_grad_(True),
    }
    mask = torch.zeros(3, 1, 8, 8)
    mask[0, :, 1:4, 2:7] = 1
    mask[2, :, 5:, 5:] = 1
    return pred, {"mask": mask, "tumor_class": torch.tensor([2, 0, 1])}


def test_value_is_dice_plus_cross_entropies_written_out(case):
    pred, target = case
    p, y = pred["mask"].sigmoid(), target["mask"]
    dice = 1 - 2 * (p * y).sum() / (p.sum() + y.sum())
    entropy = F.binary_cross_entropy(p, y)
    logs = pred["tumor_class"].log_softmax(1)
    classes = -(logs[0, 2] + logs[2, 1]) / 2  # the second crop shows no tumor
    torch.testing.assert_close(MultiTaskLoss(0.3)(pred, target), dice + entropy + 0.3 * classes, atol=1e-4, rtol=1e-4)


def test_a_crop_without_tumor_teaches_no_class(case):
    pred, target = case
    MultiTaskLoss()(pred, target).backward()
    assert pred["tumor_class"].grad[1].abs().sum() == 0
    assert (pred["tumor_class"].grad[[0, 2]].abs().sum(1) > 0).all()
    assert (pred["mask"].grad != 0).all()


def test_a_batch_without_tumor_has_a_finite_loss_and_gradient(case):
    pred, target = case
    target["mask"] = torch.zeros_like(target["mask"])
    loss = MultiTaskLoss()(pred, target)
    loss.backward()
    assert torch.isfinite(loss)
    assert pred["tumor_class"].grad.abs().sum() == 0


def test_class_balance_weighs_the_classes(case):
    pred, target = case
    plain = F.cross_entropy(pred["tumor_class"][[0, 2]], target["tumor_class"][[0, 2]], torch.tensor([1.0, 5.0, 2.0]))
    difference = MultiTaskLoss(1.0, class_balance=[1.0, 5.0, 2.0])(pred, target) - MultiTaskLoss(0.0)(pred, target)
    torch.testing.assert_close(difference, plain)


def test_bad_arguments_are_refused_by_name(case):
    pred, target = case
    with pytest.raises(ValueError, match="class_weight must be >= 0, got -1"):
        MultiTaskLoss(-1)
    target["mask"] = target["mask"][..., :4]
    with pytest.raises(ValueError, match=r"target\['mask'\] must have the shape .*\(3, 1, 8, 8\), got \(3, 1, 8, 4\)"):
        MultiTaskLoss()(pred, target)


def test_a_batch_becomes_an_image_and_two_targets():
    batch = {
        "image": MetaTensor(torch.rand(2, 1, 4, 4)),
        "mask": MetaTensor(torch.ones(2, 1, 4, 4, dtype=torch.uint8)),
        "tumor_type": torch.tensor([3, 1]),
        "patient": ["a", "b"],
    }
    image, target = PrepareTumorBatch()(batch, "cpu")
    assert type(image) is type(target["mask"]) is torch.Tensor
    torch.testing.assert_close(image, batch["image"].as_tensor())
    assert target["tumor_class"].tolist() == [2, 0]


def test_a_batch_without_a_mask_is_refused_by_name():
    with pytest.raises(KeyError, match=r"must have \['mask'\]"):
        PrepareTumorBatch()({"image": torch.rand(1, 1, 4, 4), "tumor_type": [1]})
