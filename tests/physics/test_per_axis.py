# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Operators that differ between the axes."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from monai_srgan.physics import (
    BicubicDownsample,
    ConsistencyProjection,
    GaussianDownsample,
    KSpaceDownsample,
    Measurement,
    PerAxisDownsample,
    WindowedKSpaceDownsample,
    same_operator,
)

OPERATOR = PerAxisDownsample(GaussianDownsample(4, 1.0), KSpaceDownsample(4, support=0.7))


def image(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_each_axis_has_its_own_matrix():
    x = image(1, 1, 24, 40)
    rows, columns = OPERATOR.first.axis_matrix(24), OPERATOR.second.axis_matrix(40)
    np.testing.assert_allclose(OPERATOR(x)[0, 0].numpy(), rows @ x[0, 0].numpy() @ columns.T, rtol=0, atol=1e-14)
    y = image(1, 1, 6, 10, seed=1)
    torch.testing.assert_close((OPERATOR(x) * y).sum(), (x * OPERATOR.adjoint(y)).sum(), rtol=1e-12, atol=0)


def test_the_projection_equals_numpys_pseudo_inverse():
    x, y = image(1, 1, 24, 16), image(1, 1, 6, 4, seed=1)
    matrix = np.kron(OPERATOR.first.axis_matrix(24), OPERATOR.second.axis_matrix(16))
    pinv = np.linalg.pinv(matrix, rcond=1e-3)
    expected = x.numpy().ravel() + pinv @ (y.numpy().ravel() - matrix @ x.numpy().ravel())
    ours = ConsistencyProjection(OPERATOR)(x, y).numpy().ravel()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


def test_with_noise_the_projection_is_the_ridge_solution():
    x, y = image(1, 1, 24, 16), image(1, 1, 6, 4, seed=1)
    matrix = np.kron(OPERATOR.first.axis_matrix(24), OPERATOR.second.axis_matrix(16))
    alpha = (0.02 / 0.05) ** 2
    flat = x.numpy().ravel()
    # argmin |y - A z|^2 / noise^2 + |z - x|^2 / prior^2
    expected = np.linalg.solve(matrix.T @ matrix + alpha * np.eye(384), matrix.T @ y.numpy().ravel() + alpha * flat)
    ours = ConsistencyProjection(OPERATOR, noise_std=0.02, prior_std=0.05)(x, y).numpy().ravel()
    # directions that the operator nearly destroys keep the values of x: the difference is far below the noise
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5)


def test_with_noise_conjugate_gradients_agree_with_the_closed_form():
    class Opaque:
        scale = 4

        def __call__(self, z):
            return OPERATOR(z)

        def adjoint(self, z):
            return OPERATOR.adjoint(z)

    x, y = image(1, 1, 24, 16), image(1, 1, 6, 4, seed=1)
    settings = {"noise_std": 0.02, "prior_std": 0.05}
    ours = ConsistencyProjection(Opaque(), tolerance=1e-9, **settings)(x, y)
    torch.testing.assert_close(ours, ConsistencyProjection(OPERATOR, **settings)(x, y), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise_std": -0.1}, "noise_std must be a finite number >= 0 in units of the image, got -0.1"),
        ({"noise_std": float("nan")}, "noise_std must be a finite number"),
        ({"prior_std": 0.0}, "prior_std must be a finite number > 0 in units of the image, got 0.0"),
    ],
)
def test_bad_noise_is_refused(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ConsistencyProjection(OPERATOR, **settings)


def test_records_rebuild_the_operator():
    record = Measurement(OPERATOR, 0.01).to_dict()
    assert record["operator"]["kind"] == "per_axis"
    assert Measurement.from_dict(record) == Measurement(OPERATOR, 0.01)
    window = WindowedKSpaceDownsample(4, support=(0.8, 1.0), exponent=None, taper=0.2)
    assert Measurement.from_dict(Measurement(window).to_dict()) == Measurement(window)


def test_operators_are_compared_by_their_effect():
    same = GaussianDownsample(4, 1.3)
    assert same_operator(PerAxisDownsample(same, same), same)
    assert not same_operator(OPERATOR, PerAxisDownsample(OPERATOR.second, OPERATOR.first))
    assert same_operator(WindowedKSpaceDownsample(4, exponent=None), KSpaceDownsample(4))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"kind": "per_axis", "first": {"kind": "bicubic", "scale": 4}}, "operator lacks ['second']"),
        (
            {"kind": "per_axis", "first": {"kind": "bicubic", "scale": 4}, "second": {"kind": "gaussian", "scale": 2}},
            "both operators must have the same scale, got 4 and 2",
        ),
        (
            {"kind": "per_axis", "first": {"kind": "gaussian", "scale": 4, "sigma": -1}, "second": {}},
            "operator: first: sigma must be a finite number >= 0, got -1",
        ),
        (
            {
                "kind": "per_axis",
                "first": {"kind": "kspace_window", "scale": 4},
                "second": {"kind": "bicubic", "scale": 4},
            },
            "first must be a separable operator",
        ),
        ({"kind": "kspace_window", "scale": 4, "support": [1]}, "operator: support must be 2 numbers, got [1]"),
    ],
)
def test_bad_records_are_refused(record, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Measurement.from_dict({"operator": record})


def test_what_is_not_separable_or_of_another_scale_is_refused():
    with pytest.raises(ValueError, match="first must be a separable operator"):
        PerAxisDownsample(WindowedKSpaceDownsample(4), BicubicDownsample(4))
    with pytest.raises(ValueError, match="second must be a separable operator"):
        PerAxisDownsample(BicubicDownsample(4), OPERATOR)
    with pytest.raises(TypeError, match="axes of this operator differ"):
        OPERATOR.axis_matrix(16)
