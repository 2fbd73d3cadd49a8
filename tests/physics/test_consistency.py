# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The projection against numpy's pseudo-inverse of the whole operator, and against what makes a projection one."""

from __future__ import annotations

import copy
import doctest
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from monai.data import MetaTensor

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.physics import (
    BicubicDownsample,
    BicubicUpsample,
    ConsistencyProjection,
    GaussianDownsample,
    KSpaceDownsample,
    consistency,
)
from monai_srgan.transforms import ScaleIntensityByPercentile

OPERATORS = {
    "gaussian": GaussianDownsample(4),
    "wide": GaussianDownsample(4, sigma=3.0),
    "sharp": GaussianDownsample(3, sigma=0),
    "eight": GaussianDownsample(8),
    "bicubic": BicubicDownsample(4),
    "kspace": KSpaceDownsample(4),
    "tapered": KSpaceDownsample(4, taper=0.4),
    "hann": KSpaceDownsample(2, taper=1.0),
}
SIZES = [(1, 1), (2, 3), (7, 16), (32, 25)]


def every_operator(sizes=SIZES):
    return [pytest.param(op, size, id=f"{name}-{size}") for name, op in OPERATORS.items() for size in sizes]


def image(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def pair(operator, cells, dtype=torch.float64):
    """A true image, another one, and what the operator makes of the true one."""
    size = (operator.scale * cells[0], operator.scale * cells[1])
    hr = image(2, 1, *size)
    return hr.to(dtype), image(2, 1, *size, seed=1).to(dtype), operator(hr).to(dtype)


def psnr(a, b):
    return float(10 * torch.log10(1 / (a.double() - b.double()).square().mean()))


def shear_kernel():
    """No product of a row and a column."""
    return torch.tensor([[0.1, 0.2, 0.0], [0.0, 0.3, 0.1], [0.05, 0.0, 0.25]], dtype=torch.float64)[None, None]


class Shear:
    """An operator that is not separable: a plain object with a call and an adjoint."""

    def __init__(self, dtype=torch.float64):
        self.kernel = shear_kernel().to(dtype)

    def __call__(self, x):
        return F.conv2d(x, self.kernel, stride=2)

    def adjoint(self, y):
        return F.conv_transpose2d(y, self.kernel, stride=2)


class Opaque:
    """One of the package's operators whose structure cannot be seen."""

    def __init__(self, operator):
        self.operator = operator
        self.adjoint = operator.adjoint

    def __call__(self, x):
        return self.operator(x)


@pytest.mark.parametrize(("operator", "cells"), every_operator([(2, 3), (3, 4)]))
@pytest.mark.parametrize("rcond", [1e-3, 0.21])
def test_it_equals_numpys_pseudo_inverse_of_the_whole_operator(operator, cells, rcond):
    _, x, _ = pair(operator, cells)
    y = image(2, 1, *cells, seed=2)  # nothing that the operator made of an image
    matrix = np.kron(operator.axis_matrix(x.shape[-2]), operator.axis_matrix(x.shape[-1]))
    pinv = np.linalg.pinv(matrix, rcond=rcond)
    flat_x, flat_y = x.flatten(1).numpy(), y.flatten(1).numpy()
    expected = flat_x + (flat_y - flat_x @ matrix.T) @ pinv.T
    ours = ConsistencyProjection(operator, rcond=rcond)(x, y).flatten(1).numpy()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize(("operator", "cells"), every_operator())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_result_degrades_to_what_was_measured(operator, cells, dtype):
    _, x, y = pair(operator, cells, dtype)
    result = ConsistencyProjection(operator)(x, y)
    assert result.dtype == dtype
    assert psnr(operator(result.double()), y) > 80
    assert psnr(operator(x.double()), y) < 60


@pytest.mark.parametrize("operator", [OPERATORS["gaussian"], OPERATORS["bicubic"], OPERATORS["kspace"]])
def test_float32_rounding_leaves_140_db(operator):
    _, x, y = pair(operator, (32, 24), torch.float32)
    assert psnr(operator(ConsistencyProjection(operator)(x, y).double()), y) > 140


@pytest.mark.parametrize(("operator", "cells"), every_operator())
def test_it_is_idempotent(operator, cells):
    _, x, y = pair(operator, cells)
    project = ConsistencyProjection(operator)
    once = project(x, y)
    torch.testing.assert_close(project(once, y), once, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("operator", "cells"), every_operator())
def test_no_consistent_image_is_farther_from_the_result_than_from_the_start(operator, cells):
    hr, x, y = pair(operator, cells)
    result = ConsistencyProjection(operator)(x, y)
    before, moved, after = (x - hr).square().sum(), (result - x).square().sum(), (result - hr).square().sum()
    torch.testing.assert_close(after + moved, before, rtol=1e-9, atol=0)  # Pythagoras: the move is orthogonal
    assert after <= before
    assert psnr(result, hr) >= psnr(x, hr)


def test_what_the_operator_does_not_see_is_left_as_it_is():
    operator, (_, x, y) = OPERATORS["gaussian"], pair(OPERATORS["gaussian"], (8, 8))
    project = ConsistencyProjection(operator)
    unseen = x - project(torch.zeros_like(x), operator(x))  # what remains of x beside its smallest explanation
    torch.testing.assert_close(operator(unseen), torch.zeros_like(y), rtol=0, atol=1e-12)
    torch.testing.assert_close(project(x + unseen, y), project(x, y) + unseen, rtol=0, atol=1e-12)


def test_directions_that_the_operator_destroys_are_left_out_and_not_amplified():
    operator = KSpaceDownsample(4, taper=0.5)  # 0 at the edge of the band, which a grid of even size holds
    nyquist = torch.ones(1, 1, 8, 8, dtype=torch.float64)
    nyquist[..., 1::2] = -1
    x = image(1, 1, 32, 32)
    y = operator(x)
    torch.testing.assert_close(ConsistencyProjection(operator)(x, y + nyquist), x, rtol=0, atol=1e-9)


def test_rcond_limits_how_much_noise_is_amplified():
    operator, noise = GaussianDownsample(4, sigma=3.0), image(1, 1, 32, 32, seed=3) - 0.5
    nothing = torch.zeros(1, 1, 128, 128, dtype=torch.float64)
    rms = [
        float(ConsistencyProjection(operator, rcond=r)(nothing, noise).square().mean().sqrt()) for r in (0.3, 0.1, 1e-3)
    ]
    assert rms[0] < rms[1] < rms[2] / 3


def test_gradients_reach_both_images():
    operator = GaussianDownsample(2)
    x, y = image(1, 2, 6, 4).requires_grad_(), image(1, 2, 3, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(ConsistencyProjection(operator), (x, y))


def test_gradients_pass_through_the_conjugate_gradients():
    project = ConsistencyProjection(Shear(), tolerance=1e-12)
    x, y = image(2, 1, 7, 9).requires_grad_(), image(2, 1, 3, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(project, (x, y))
    assert torch.autograd.gradgradcheck(project, (x, y))


def test_an_operator_that_is_not_separable_equals_numpys_pseudo_inverse():
    operator, x, y = Shear(), image(2, 1, 9, 7), image(2, 1, 4, 3, seed=1)
    columns = operator(torch.eye(63, dtype=torch.float64).view(63, 1, 9, 7)).flatten(1).T.numpy()
    flat_x, flat_y = x.flatten(1).numpy(), y.flatten(1).numpy()
    expected = flat_x + (flat_y - flat_x @ columns.T) @ np.linalg.pinv(columns).T
    ours = ConsistencyProjection(operator, tolerance=1e-10)(x, y).flatten(1).numpy()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-8)


def test_conjugate_gradients_reach_the_tolerance_for_each_image_in_float32():
    operator = Shear(torch.float32)
    x, y = image(3, 1, 33, 41, dtype=torch.float32), image(3, 1, 16, 20, seed=1, dtype=torch.float32)
    x[1], y[1] = 0, 0  # done from the start, and without a norm
    y[2] *= 1e-3  # its remainder must not hide behind the first one's
    result = ConsistencyProjection(operator, tolerance=1e-5)(x, y)
    assert result.dtype == torch.float32
    assert not result[1].any()
    for i in (0, 2):
        start = (y[i] - operator(x)[i]).norm()
        assert (operator(result)[i] - y[i]).norm() <= 1.1e-5 * torch.maximum(y[i].norm(), start)


@pytest.mark.parametrize("name", ["gaussian", "bicubic", "kspace"])
def test_conjugate_gradients_and_closed_form_agree(name):
    _, x, y = pair(OPERATORS[name], (9, 6))
    closed = ConsistencyProjection(OPERATORS[name])(x, y)
    iterated = ConsistencyProjection(Opaque(OPERATORS[name]), tolerance=1e-11)(x, y)
    torch.testing.assert_close(iterated, closed, rtol=0, atol=1e-9)


def test_no_convergence_is_an_error():
    x, y = image(1, 1, 33, 33), image(1, 1, 16, 16, seed=1)
    with pytest.raises(RuntimeError, match=r"after 2 conjugate gradient steps .* raise max_iterations"):
        ConsistencyProjection(Shear(), max_iterations=2)(x, y)
    wrong = Opaque(OPERATORS["gaussian"])
    wrong.adjoint = lambda y: -OPERATORS["gaussian"].adjoint(y)
    with pytest.raises(RuntimeError, match="adjoint is not the transpose"):
        ConsistencyProjection(wrong)(image(1, 1, 16, 16), image(1, 1, 4, 4, seed=1))
    y[0, 0, 3, 3] = torch.nan
    with pytest.raises(RuntimeError, match=r"residual is nan of the norm of the measured image.*not finite"):
        ConsistencyProjection(Shear())(x, y)


def test_autocast_does_not_round_the_physics():
    _, x, y = pair(OPERATORS["gaussian"], (8, 8), torch.float32)
    for project in (ConsistencyProjection(OPERATORS["gaussian"]), ConsistencyProjection(Opaque(OPERATORS["gaussian"]))):
        expected = project(x, y)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(project(x, y), expected)


def test_bfloat16_stays_bfloat16_and_is_rounded_once():
    _, x, y = pair(OPERATORS["gaussian"], (8, 8), torch.float32)
    project, low = ConsistencyProjection(OPERATORS["gaussian"]), x.bfloat16()
    assert torch.equal(project(low, y), project(low.double(), y).bfloat16())


def test_meta_data_of_the_prediction_are_kept():
    _, x, y = pair(OPERATORS["gaussian"], (4, 4), torch.float32)
    project, affine = ConsistencyProjection(OPERATORS["gaussian"]), torch.diag(torch.tensor([0.5, 0.5, 7.0, 1.0]))
    x_meta, y_meta = MetaTensor(x, affine=affine, meta={"name": "hr"}), MetaTensor(y, meta={"name": "lr"})
    result = project(x_meta, y_meta)
    assert isinstance(result, MetaTensor)
    assert result.meta["name"] == "hr"
    assert torch.equal(result.affine, affine.to(result.affine))
    assert torch.equal(result.as_tensor(), project(x, y))
    assert type(project(x, y_meta)) is torch.Tensor


def test_a_projection_first_used_in_inference_mode_can_train_later():
    project, (_, x, y) = ConsistencyProjection(GaussianDownsample(4)), pair(GaussianDownsample(4), (2, 2))
    with torch.inference_mode():
        project(x, y)
    x.requires_grad_()
    project(x, y).sum().backward()
    assert x.grad is not None


def test_copies_are_small_and_nothing_is_saved_with_a_network():
    project, (_, x, y) = ConsistencyProjection(KSpaceDownsample(4)), pair(KSpaceDownsample(4), (16, 16))
    expected = project(x, y)
    data = pickle.dumps(project)
    assert len(data) < 6000
    assert torch.equal(pickle.loads(data)(x, y), expected)
    assert torch.equal(copy.deepcopy(project)(x, y), expected)
    assert not project.state_dict()


def test_many_image_sizes_do_not_pile_up_in_memory():
    project = ConsistencyProjection(GaussianDownsample(2))
    for n in range(1, 40):
        project(torch.ones(1, 1, 2 * n, 4), torch.ones(1, 1, n, 2))
    assert len(project._eigen) <= consistency._MAX_CACHED_SIZES


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: p(torch.ones(1, 1, 8, 8), torch.ones(1, 1, 4, 4)), ValueError, r"measured .* \(1, 1, 2, 2\).*got"),
        (
            lambda p: p(torch.ones(2, 1, 8, 8), torch.ones(1, 1, 2, 2)),
            ValueError,
            r"\(2, 1, 2, 2\).*got \(1, 1, 2, 2\)",
        ),
        (lambda p: p(torch.ones(1, 1, 9, 8), torch.ones(1, 1, 2, 2)), ValueError, r"divisible by 4, got \(9, 8\)"),
        (lambda p: p(torch.ones(1, 8, 8), torch.ones(1, 1, 2, 2)), ValueError, r"pred must .* got \(1, 8, 8\)"),
        (lambda p: p(torch.ones(1, 1, 8, 8), torch.ones(1, 1, 2, 2).int()), ValueError, "measured must be floating"),
        (lambda _: ConsistencyProjection(psnr), TypeError, "method adjoint.*got function"),
        (lambda p: ConsistencyProjection(p.operator, rcond=0), ValueError, r"rcond must .* got 0"),
        (lambda p: ConsistencyProjection(p.operator, tolerance=1.5), ValueError, r"tolerance must .* got 1.5"),
        (lambda p: ConsistencyProjection(p.operator, max_iterations=0), ValueError, r"max_iterations must .* got 0"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call(ConsistencyProjection(GaussianDownsample(4)))


def test_documented_example():
    assert doctest.testmod(consistency).failed == 0


@pytest.mark.real_data
def test_on_a_real_slice_bicubic_interpolation_gains_and_keeps_what_was_measured(real_data_dir):
    item = figshare_datalist(real_data_dir, "validation", progress=False)[0]
    scaled = ScaleIntensityByPercentile()(read_cjdata(item["image"]).image)
    hr, operator = torch.from_numpy(np.asarray(scaled))[None, None], GaussianDownsample(4)
    lr = operator(hr)
    x = BicubicUpsample(4)(lr)
    result = ConsistencyProjection(operator)(x, lr)
    assert psnr(operator(x.double()), lr) < 50
    assert psnr(operator(result.double()), lr) > 150
    assert psnr(result, hr) > psnr(x, hr) + 0.5


@pytest.mark.gpu
@pytest.mark.parametrize("wrap", [lambda operator: operator, Opaque])
def test_gpu_equals_cpu(wrap):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    project = ConsistencyProjection(wrap(OPERATORS["gaussian"]), tolerance=1e-11)
    _, x, y = pair(OPERATORS["gaussian"], (16, 12))
    torch.testing.assert_close(project(x.cuda(), y.cuda()).cpu(), project(x, y), rtol=0, atol=1e-9)
