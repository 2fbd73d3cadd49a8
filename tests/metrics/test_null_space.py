# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The split of the error against numpy's pseudo-inverse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from monai_srgan.metrics import NullSpaceError, masked_mean, masked_mse, split_error
from monai_srgan.physics import (
    BicubicDownsample,
    BicubicUpsample,
    ConsistencyProjection,
    GaussianDownsample,
    KSpaceDownsample,
)

OPERATORS = [GaussianDownsample(4), BicubicDownsample(4), KSpaceDownsample(4), GaussianDownsample(3, sigma=0.7)]


def images(shape: tuple[int, ...] = (2, 3, 60, 84), seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pred, target = torch.rand(2, *shape, generator=generator, dtype=torch.float64)
    return pred, target


@pytest.mark.parametrize("operator", OPERATORS, ids=repr)
def test_the_measured_part_is_that_of_the_pseudo_inverse(operator: nn.Module) -> None:
    pred, target = images()
    parts = split_error(pred, target, ConsistencyProjection(operator))
    error = (pred - target).numpy()
    rows, columns = (operator.axis_matrix(size) for size in (60, 84))
    expected = np.linalg.pinv(rows) @ rows @ error @ (np.linalg.pinv(columns) @ columns).T
    np.testing.assert_allclose(parts.measured.numpy(), expected, atol=1e-10)
    np.testing.assert_allclose(parts.null.numpy(), error - expected, atol=1e-10)


@pytest.mark.parametrize("operator", OPERATORS, ids=repr)
def test_the_parts_are_orthogonal_and_their_squares_add_up(operator: nn.Module) -> None:
    pred, target = images()
    parts = split_error(pred, target, ConsistencyProjection(operator))
    assert (parts.measured * parts.null).sum(dim=(1, 2, 3)).abs().max() < 1e-9
    square = (pred - target).square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(
        parts.measured.square().sum(dim=(1, 2, 3)) + parts.null.square().sum(dim=(1, 2, 3)), square
    )
    assert parts.measured.square().sum() > 0.01 * square.sum()
    assert operator(parts.null).abs().max() < 1e-10


def test_after_the_projection_nothing_measured_is_wrong() -> None:
    _, target = images((1, 1, 64, 48))
    operator = GaussianDownsample(4)
    lr = operator(target)
    pred, projection = BicubicUpsample(4)(lr), ConsistencyProjection(operator)
    before, after = (split_error(x, target, projection) for x in (pred, projection(pred, lr)))
    assert before.measured.abs().max() > 0.01
    assert after.measured.abs().max() < 1e-10
    torch.testing.assert_close(before.null, after.null)


def test_an_operator_without_axes_is_solved_iteratively() -> None:
    class Mean(nn.Module):
        """Means of blocks of 2 x 2 pixels."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.avg_pool2d(x, 2)

        def adjoint(self, y: torch.Tensor) -> torch.Tensor:
            return y.repeat_interleave(2, -2).repeat_interleave(2, -1) / 4

    pred, target = images((1, 1, 6, 10))
    parts = split_error(pred, target, ConsistencyProjection(Mean()))
    expected = torch.nn.functional.avg_pool2d(pred - target, 2).repeat_interleave(2, -2).repeat_interleave(2, -1)
    torch.testing.assert_close(parts.measured, expected, atol=1e-6, rtol=0)


def test_the_score_is_the_mean_square_of_the_parts_in_each_region() -> None:
    pred, target = images((2, 1, 32, 44))
    operator = BicubicDownsample(4)
    mask = torch.zeros(2, 1, 32, 44, dtype=torch.bool)
    mask[0, :, 3:15, 20:40] = True
    found = NullSpaceError(operator)(MetaTensor(pred), MetaTensor(target), {"inside": mask, "outside": ~mask})
    parts = split_error(pred, target, ConsistencyProjection(operator))
    names = [(region, name) for region in ("inside", "outside") for name in ("measured_mse", "null_mse")]
    assert list(found) == [*names, ("whole", "null_share")]
    torch.testing.assert_close(found["outside", "null_mse"], masked_mean(parts.null.square(), ~mask))
    torch.testing.assert_close(found["inside", "measured_mse"][0], masked_mean(parts.measured.square(), mask)[0])
    assert found["inside", "null_mse"].isnan().tolist() == [False, True]
    share = masked_mean(parts.null.square()) / masked_mse(pred, target)
    torch.testing.assert_close(found["whole", "null_share"], share)
    assert all(values.dtype == torch.float64 for values in found.values())
    assert 0.5 < share.min() < share.max() < 1


def test_where_nothing_is_wrong_there_is_no_share() -> None:
    _, target = images((1, 1, 16, 16))
    found = NullSpaceError(BicubicDownsample(4))(target, target, {})
    assert found["whole", "null_share"].isnan().all()


def test_bad_arguments_are_named() -> None:
    with pytest.raises(TypeError, match="operator must be callable and have its exact transpose"):
        NullSpaceError(nn.Identity())
    pred, target = images((1, 1, 18, 16))
    with pytest.raises(ValueError, match="divisible by 4, got"):
        split_error(pred, target, ConsistencyProjection(BicubicDownsample(4)))
    with pytest.raises(ValueError, match="same shape"):
        split_error(pred, target[..., :8], ConsistencyProjection(BicubicDownsample(4)))
