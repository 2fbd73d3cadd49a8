# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from monai_srgan.losses import AdversarialLoss


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


def bce(logit: float, label: float) -> float:
    return -(label * log_sigmoid(logit) + (1 - label) * log_sigmoid(-logit))


REAL, FAKE = [1.5, -0.25], [0.75, -2.0]


def column(values: list[float]) -> torch.Tensor:
    return torch.tensor(values)[:, None]


def test_vanilla_losses_equal_the_closed_form():
    loss = AdversarialLoss(real_label=0.9, fake_label=0.2)
    expected_d = 0.5 * (sum(bce(r, 0.9) for r in REAL) / 2 + sum(bce(f, 0.2) for f in FAKE) / 2)
    expected_g = sum(bce(f, 1.0) for f in FAKE) / 2
    assert loss.discriminator(column(REAL), column(FAKE)).item() == pytest.approx(expected_d, rel=1e-6)
    assert loss.generator(column(FAKE)).item() == pytest.approx(expected_g, rel=1e-6)


def test_relativistic_average_losses_equal_the_closed_form():
    loss = AdversarialLoss("relativistic_average", real_label=1.0)
    mean_real, mean_fake = sum(REAL) / 2, sum(FAKE) / 2
    real, fake = [r - mean_fake for r in REAL], [f - mean_real for f in FAKE]
    expected_d = 0.5 * (sum(bce(r, 1.0) for r in real) / 2 + sum(bce(f, 0.0) for f in fake) / 2)
    expected_g = 0.5 * (sum(bce(f, 1.0) for f in fake) / 2 + sum(bce(r, 0.0) for r in real) / 2)
    assert loss.discriminator(column(REAL), column(FAKE)).item() == pytest.approx(expected_d, rel=1e-6)
    assert loss.generator(column(FAKE), column(REAL)).item() == pytest.approx(expected_g, rel=1e-6)


def test_gradient_survives_a_logit_at_which_sigmoid_and_bce_have_none():
    logits = torch.tensor([[-200.0]], requires_grad=True)
    AdversarialLoss().generator(logits).backward()
    assert logits.grad.item() == pytest.approx(-1.0)


def test_relativistic_generator_without_real_logits_is_refused():
    with pytest.raises(ValueError, match="real_logits is required"):
        AdversarialLoss("relativistic_average").generator(column(FAKE))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "hinge"}, "mode must"),
        ({"real_label": 0.4}, "real_label must"),
        ({"fake_label": 0.6}, "fake_label must"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdversarialLoss(**arguments)
