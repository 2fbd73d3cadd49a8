# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.metrics import RedegradationPSNR
from monai_srgan.physics import BicubicUpsample, ConsistencyProjection, GaussianDownsample

OPERATOR = GaussianDownsample(4)


def score(pred: torch.Tensor, lr: torch.Tensor, data_range: float = 1.0) -> torch.Tensor:
    result = RedegradationPSNR(OPERATOR, data_range)(pred, pred, {}, lr)
    assert list(result) == [("whole", "redegraded_psnr")]
    return result["whole", "redegraded_psnr"]


def test_it_is_the_psnr_of_the_operators_two_matrices_in_numpy():
    pred, lr = torch.rand(3, 2, 32, 24), torch.rand(3, 2, 8, 6)
    rows, columns = OPERATOR.axis_matrix(32), OPERATOR.axis_matrix(24)
    again = rows @ pred.double().numpy() @ columns.T
    expected = -10 * np.log10(((again - lr.double().numpy()) ** 2).mean(axis=(1, 2, 3)))
    got = score(pred, lr)
    assert got.dtype == torch.float64
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-10)
    np.testing.assert_allclose(score(pred, lr, 2.0).numpy(), expected + 20 * math.log10(2), rtol=1e-10)


def test_each_image_has_its_own_score_and_an_identical_one_is_infinite():
    lr = torch.zeros(2, 1, 8, 8)
    pred = BicubicUpsample(4)(lr)
    pred[0] += 0.1
    values = score(pred, lr)
    assert values[0] == pytest.approx(20.0, abs=1e-4)  # a constant stays one, hence an MSE of 0.01
    assert values[1] == torch.inf


def test_nothing_is_clamped():
    lr = torch.full((1, 1, 8, 8), 1.5)
    assert score(torch.full((1, 1, 32, 32), 1.6), lr).item() == pytest.approx(20.0, abs=1e-4)


def test_only_the_rounding_of_a_consistent_image_is_left():
    lr = torch.rand(1, 1, 16, 16)
    pred = BicubicUpsample(4)(lr)
    assert score(pred, lr).item() < 40
    assert score(ConsistencyProjection(OPERATOR)(pred, lr), lr).item() > 140


def test_neither_target_nor_masks_nor_meta_data_matter():
    pred, lr, metric = torch.rand(1, 1, 32, 32), torch.rand(1, 1, 8, 8), RedegradationPSNR(OPERATOR)
    masks = {"inside": torch.zeros(1, 1, 32, 32, dtype=torch.bool)}
    other = metric(MetaTensor(pred), torch.full_like(pred, torch.nan), masks, MetaTensor(lr))
    assert torch.equal(other["whole", "redegraded_psnr"], score(pred, lr))
    assert type(other["whole", "redegraded_psnr"]) is torch.Tensor


def test_no_gradients_are_kept_and_autocast_does_not_round():
    pred, lr = torch.rand(1, 1, 32, 32, requires_grad=True), torch.rand(1, 1, 8, 8)
    expected = score(pred, lr)
    assert not expected.requires_grad
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(score(pred, lr), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RedegradationPSNR(OPERATOR, 0.0), r"data_range must be positive, got 0"),
        (
            lambda: score(torch.rand(1, 1, 32, 32), torch.rand(1, 1, 16, 16)),
            r"makes \(1, 1, 8, 8\) .* \(1, 1, 16, 16\)",
        ),
        (lambda: score(torch.full((1, 1, 32, 32), torch.nan), torch.rand(1, 1, 8, 8)), "finite"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
