# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The degradation operators against scipy, numpy's FFT, torch's interpolation and a plain imresize."""

from __future__ import annotations

import doctest
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from monai.data import MetaTensor
from scipy.ndimage import gaussian_filter

from monai_srgan.physics import BicubicDownsample, BicubicUpsample, GaussianDownsample, KSpaceDownsample, operators

SCALES = (2, 3, 4, 8)
KINDS = {
    "gaussian": GaussianDownsample,
    "sharp": lambda scale: GaussianDownsample(scale, sigma=0),
    "bicubic": BicubicDownsample,
    "kspace": KSpaceDownsample,
    "tapered": lambda scale: KSpaceDownsample(scale, taper=0.4),
}


def random_image(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def every_operator():
    return [pytest.param(make(scale), id=f"{name}-{scale}") for name, make in KINDS.items() for scale in SCALES]


@pytest.mark.parametrize("operator", every_operator())
@pytest.mark.parametrize("cells", [(5, 4), (1, 3)])
def test_adjoint_passes_the_dot_product_test(operator, cells):
    s = operator.scale
    x, y = random_image(2, 3, cells[0] * s, cells[1] * s), random_image(2, 3, *cells, seed=1)
    left, right = (operator(x) * y).sum(), (x * operator.adjoint(y)).sum()
    assert operator(x).shape == y.shape
    assert abs(left - right) < 1e-10 * abs(left)


@pytest.mark.parametrize("operator", every_operator())
def test_adjoint_is_the_gradient(operator):
    x = random_image(1, 1, operator.scale * 4, operator.scale * 3).requires_grad_()
    y = random_image(1, 1, 4, 3, seed=1)
    (operator(x) * y).sum().backward()
    torch.testing.assert_close(x.grad, operator.adjoint(y), rtol=0, atol=1e-12)


@pytest.mark.parametrize("operator", every_operator())
def test_constant_image_stays_constant_up_to_the_border(operator):
    x = torch.full((1, 1, operator.scale * 6, operator.scale * 5), 0.37, dtype=torch.float64)
    torch.testing.assert_close(operator(x), torch.full((1, 1, 6, 5), 0.37, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize("operator", every_operator())
def test_operators_commute_with_flips_and_axis_swap(operator):
    x = random_image(1, 1, operator.scale * 6, operator.scale * 5)
    torch.testing.assert_close(operator(x.flip(-1)), operator(x).flip(-1), rtol=0, atol=1e-12)
    torch.testing.assert_close(operator(x.flip(-2)), operator(x).flip(-2), rtol=0, atol=1e-12)
    torch.testing.assert_close(operator(x.mT), operator(x).mT, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["gaussian", "sharp", "bicubic"])
@pytest.mark.parametrize("scale", SCALES)
def test_a_ramp_is_sampled_at_cell_centers(name, scale):
    ramp = torch.arange(16.0 * scale, dtype=torch.float64).repeat(16 * scale, 1)[None, None]
    centers = torch.arange(16.0, dtype=torch.float64) * scale + (scale - 1) / 2
    inner = slice(4, 12)  # the ramp's reflection at the border is no ramp
    y = KINDS[name](scale)(ramp)[0, 0, 8]
    torch.testing.assert_close(y[inner], centers[inner], rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", SCALES)
def test_kspace_samples_a_band_limited_image_at_cell_centers(scale):
    n, m = 12 * scale, 12

    def wave(row, column):
        turns = 2 * np.pi / n
        return 0.3 + np.cos(turns * (5 * row - 2 * column) + 0.4) + 0.5 * np.sin(turns * (3 * row + 4 * column))

    fine, coarse = np.arange(n), np.arange(m) * scale + (scale - 1) / 2
    x = torch.from_numpy(wave(fine[:, None], fine))[None, None]
    y = KSpaceDownsample(scale)(x)[0, 0].numpy()
    np.testing.assert_allclose(y, wave(coarse[:, None], coarse), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("scale", "size"), [(4, (48, 32)), (4, (20, 36)), (3, (27, 24)), (2, (10, 14)), (8, (64, 40))])
@pytest.mark.parametrize("taper", [None, 0.3, 1.0])
def test_kspace_equals_the_cropped_fft(scale, size, taper):
    x = random_image(*size).numpy()
    y = x
    for axis, n in enumerate(size):  # crop with numpy, axis by axis; then move by half a cell with a phase ramp
        m = n // scale
        k = np.arange(-(m // 2), m // 2 + 1)
        weight = np.ones(len(k))
        if m % 2 == 0:
            weight[[0, -1]] = 0.5
        if taper is not None:
            edge = np.abs(k) / (m / 2)
            falling = edge > 1 - taper
            weight[falling] *= np.cos(np.pi / 2 * (edge[falling] - 1 + taper) / taper) ** 2
        spectrum = np.moveaxis(np.fft.fft(y, axis=axis), axis, -1)[..., k]
        spectrum = spectrum * weight * np.exp(2j * np.pi * k * (scale - 1) / 2 / n)
        folded = np.zeros((*spectrum.shape[:-1], m), dtype=complex)
        for position, index in enumerate(k):
            folded[..., index % m] += spectrum[..., position]
        y = np.moveaxis(np.fft.ifft(folded, axis=-1), -1, axis) / scale
    assert np.abs(y.imag).max() < 1e-12
    ours = KSpaceDownsample(scale, taper)(torch.from_numpy(x)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(ours, y.real, rtol=0, atol=1e-12)


def test_kspace_preserves_the_mean():
    x = random_image(1, 1, 40, 28) * 3000
    assert abs(KSpaceDownsample(4)(x).mean() - x.mean()) < 1e-9


def test_taper_reduces_ringing_at_an_edge():
    step = torch.zeros(1, 1, 96, 96, dtype=torch.float64)
    step[..., 26:70] = 1
    overshoot = [float(KSpaceDownsample(4, taper)(step).max() - 1) for taper in (None, 0.5, 1.0)]
    assert overshoot[0] > 0.05
    assert overshoot[0] > overshoot[1] > overshoot[2]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("sigma", [None, 0.7, 2.5])
def test_gaussian_equals_scipy_blur_and_torch_bicubic(scale, sigma):
    x = random_image(1, 1, 8 * scale, 6 * scale)
    width = (scale - 1) / 2 if sigma is None else sigma
    blurred = torch.from_numpy(gaussian_filter(x[0, 0].numpy(), width, mode="mirror", truncate=4.0))[None, None]
    operator = GaussianDownsample(scale, sigma)
    torch.testing.assert_close(operator.blur(x), blurred, rtol=0, atol=1e-12)
    expected = F.interpolate(blurred, scale_factor=1 / scale, mode="bicubic", align_corners=False, antialias=False)
    torch.testing.assert_close(operator(x), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(operator.decimate(operator.blur(x)), operator(x), rtol=0, atol=1e-12)


def test_gaussian_reflects_however_small_the_image():
    x = random_image(1, 1, 4, 8)  # the kernel's radius of 6 exceeds the image
    blurred = gaussian_filter(x[0, 0].numpy(), 1.5, mode="mirror")
    torch.testing.assert_close(GaussianDownsample(4).blur(x)[0, 0], torch.from_numpy(blurred), rtol=0, atol=1e-12)


def test_sigma_zero_is_plain_decimation():
    x = random_image(1, 1, 24, 16)
    expected = F.interpolate(x, scale_factor=0.25, mode="bicubic", align_corners=False)
    torch.testing.assert_close(GaussianDownsample(4, sigma=0)(x), expected, rtol=0, atol=1e-14)


def plain_imresize(row, scale):
    """MATLAB's contributions(), one output at a time and one-based, on one row."""

    def cubic(t):
        t = abs(t)
        if t <= 1:
            return 1.5 * t**3 - 2.5 * t**2 + 1
        return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t <= 2 else 0.0

    n, out = len(row), []
    mirror = [*range(n), *range(n - 1, -1, -1)]
    for x in range(1, n // scale + 1):
        u = x * scale + 0.5 * (1 - scale)
        left = int(np.floor(u - 2 * scale))
        taps = range(left, left + 4 * scale + 2)
        weights = [cubic((u - tap) / scale) / scale for tap in taps]
        values = [row[mirror[(tap - 1) % (2 * n)]] for tap in taps]
        out.append(sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights))
    return np.array(out)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("cells", [2, 7])
def test_bicubic_equals_a_plain_imresize(scale, cells):
    x = random_image(cells * scale, 3 * scale).numpy()
    rows = np.stack([plain_imresize(column, scale) for column in x.T], axis=1)
    expected = np.stack([plain_imresize(row, scale) for row in rows])
    ours = BicubicDownsample(scale)(torch.from_numpy(x)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", SCALES)
def test_bicubic_equals_torch_antialias_away_from_the_border(scale):
    x = random_image(1, 1, 10 * scale, 9 * scale)
    torch_one = F.interpolate(x, scale_factor=1 / scale, mode="bicubic", align_corners=False, antialias=True)
    inner = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(BicubicDownsample(scale)(x)[inner], torch_one[inner], rtol=0, atol=1e-12)


def test_stripes_of_the_cell_width_average_out():
    stripes = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    stripes[..., ::4] = 1
    for operator in (GaussianDownsample(4, sigma=3), BicubicDownsample(4), KSpaceDownsample(4)):
        torch.testing.assert_close(
            operator(stripes)[..., 3:-3], torch.full((1, 1, 16, 10), 0.25, dtype=torch.float64), rtol=0, atol=2e-2
        )


def test_stripes_of_the_cell_width_leave_what_the_default_blur_passes():
    stripes = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    stripes[..., ::4] = 1
    # 1/4 + 1/2 cos(w n) + 1/4 cos(2 w n) with w = pi / 2. At the cell centers n = 4 i + 1.5 the second wave is zero and
    # the first cos(3 pi / 4). Gains: the Fourier transforms of the Gaussian and of the weights (-3, 19, 19, -3) / 32.
    w, sigma = np.pi / 2, 1.5
    blur = np.exp(-(sigma**2) * w**2 / 2)
    decimation = (38 * np.cos(w / 2) - 6 * np.cos(3 * w / 2)) / 32
    expected = 1 / 4 + blur * decimation * np.cos(3 * np.pi / 4) / 2  # 0.2286: 0.0214 below the mean
    got = GaussianDownsample(4)(stripes)[..., 3:-3]
    torch.testing.assert_close(got, torch.full_like(got, expected), rtol=0, atol=1e-5)  # truncated at 4 sigma


def test_upsampling_is_torch_bicubic_and_shares_the_geometry():
    x = random_image(2, 1, 6, 5)
    assert torch.equal(BicubicUpsample(4)(x), F.interpolate(x, size=(24, 20), mode="bicubic", align_corners=False))
    ramp = torch.arange(80.0, dtype=torch.float64).repeat(80, 1)[None, None]
    back = BicubicUpsample(4)(GaussianDownsample(4)(ramp))
    # Keys' kernel with a = -0.75 bends a ramp by 0.16 pixels between the nodes; half a pixel would be a shift.
    torch.testing.assert_close(back[..., 24:56], ramp[..., 24:56], rtol=0, atol=0.17)
    torch.testing.assert_close(back[..., 24:56].mean(), ramp[..., 24:56].mean(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("operator", [GaussianDownsample(4), BicubicDownsample(4), KSpaceDownsample(4)])
def test_dtype_is_kept_and_float32_is_accurate(operator):
    x = random_image(2, 1, 64, 48)
    exact = operator(x)
    assert operator(x.float()).dtype == torch.float32
    torch.testing.assert_close(operator(x.float()).double(), exact, rtol=0, atol=2e-6)
    assert operator(x.bfloat16()).dtype == torch.bfloat16


def test_autocast_does_not_round_the_physics():
    x = random_image(1, 1, 32, 32, dtype=torch.float32)
    operator = GaussianDownsample(4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(operator(x), operator(x.clone()))
        assert operator(x).dtype == torch.float32
    torch.testing.assert_close(operator(x).double(), operator(x.double()), rtol=0, atol=1e-6)


def test_an_operator_first_used_in_inference_mode_can_train_later():
    operator = GaussianDownsample(4)
    with torch.inference_mode():
        operator(torch.ones(1, 1, 8, 8))
    x = torch.ones(1, 1, 8, 8, requires_grad=True)
    operator(x).sum().backward()
    assert x.grad is not None


def test_the_affine_of_the_other_grid_is_not_carried_along():
    y = GaussianDownsample(4)(MetaTensor(torch.ones(1, 1, 8, 8)))
    assert type(y) is torch.Tensor


def test_operators_survive_pickling_without_their_matrices():
    operator = KSpaceDownsample(4, taper=0.2)
    x = random_image(1, 1, 64, 64)
    expected = operator(x)
    data = pickle.dumps(operator)
    assert len(data) < 4000
    assert torch.equal(pickle.loads(data)(x), expected)
    assert not operator.state_dict()


def test_many_image_sizes_do_not_pile_up_in_memory():
    operator = GaussianDownsample(2)
    for n in range(2, 100, 2):
        operator(torch.ones(1, 1, n, n))
    assert len(operator._matrices) <= operators._MAX_CACHED_MATRICES


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GaussianDownsample(4)(torch.ones(1, 1, 511, 513)), r"divisible by 4, got \(511, 513\).*DivisiblePadd"),
        (lambda: GaussianDownsample(4)(torch.ones(8, 8)), r"shape \(B, C, H, W\), got \(8, 8\)"),
        (lambda: GaussianDownsample(4)(torch.ones(1, 1, 0, 8)), r"got \(0, 8\)"),
        (lambda: BicubicDownsample(4)(torch.ones(1, 1, 8, 8, dtype=torch.int16)), r"floating point, got torch.int16"),
        (lambda: BicubicUpsample(4)(np.ones((1, 1, 8, 8))), r"x must be a tensor"),
        (lambda: GaussianDownsample(4).decimate(torch.ones(1, 1, 6, 8)), r"divisible by 4"),
        (lambda: GaussianDownsample(4, sigma=-0.5), r"sigma must be .* >= 0, got -0.5"),
        (lambda: GaussianDownsample(4, sigma=float("nan")), r"sigma must be .* got nan"),
        (lambda: KSpaceDownsample(4, taper=1.5), r"taper must be a fraction in \[0, 1\], got 1.5"),
        (lambda: BicubicDownsample(1), r"scale must be an integer of at least 2, got 1"),
        (lambda: BicubicUpsample(2.5), r"scale must be an integer of at least 2, got 2.5"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_documented_example():
    assert doctest.testmod(operators).failed == 0


@pytest.mark.gpu
@pytest.mark.parametrize("operator", [GaussianDownsample(4), BicubicDownsample(4), KSpaceDownsample(4)])
def test_gpu_equals_cpu(operator):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    x = random_image(2, 1, 64, 48)
    torch.testing.assert_close(operator(x.cuda()).cpu(), operator(x), rtol=0, atol=1e-12)
