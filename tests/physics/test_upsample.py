# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The interpolations against Pillow, numpy and torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from monai.data import MetaTensor
from PIL import Image

from monai_srgan.physics import BicubicUpsample, GaussianDownsample, LanczosUpsample, NearestUpsample

KINDS = (NearestUpsample, BicubicUpsample, LanczosUpsample)
SCALES = (2, 3, 4, 8)


def image(*shape, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("size", [(17, 23), (3, 2), (1, 5)])
def test_lanczos_is_pillows_borders_included(scale, size):
    x = image(*size, dtype=torch.float32)
    resized = Image.fromarray(x.numpy()).resize((size[1] * scale, size[0] * scale), Image.Resampling.LANCZOS)
    ours = LanczosUpsample(scale)(x[None, None])[0, 0]
    np.testing.assert_allclose(ours.numpy(), np.asarray(resized), rtol=0, atol=2e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_nearest_is_a_kronecker_product(scale):
    x = image(2, 3, 4, 5)
    assert np.array_equal(NearestUpsample(scale)(x).numpy(), np.kron(x.numpy(), np.ones((scale, scale))))


def test_bicubic_is_torchs():
    x = image(2, 1, 6, 5)
    assert torch.equal(BicubicUpsample(4)(x), F.interpolate(x, size=(24, 20), mode="bicubic", align_corners=False))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", SCALES)
def test_constants_flips_and_axes_are_kept(kind, scale):
    up, x = kind(scale), image(1, 1, 9, 7)
    constant = torch.full((1, 1, 3, 5), 0.37, dtype=torch.float64)
    torch.testing.assert_close(up(constant), up(constant) * 0 + 0.37, rtol=0, atol=1e-12)
    torch.testing.assert_close(up(x.flip(-1)), up(x).flip(-1), rtol=0, atol=1e-12)
    torch.testing.assert_close(up(x.flip(-2)), up(x).flip(-2), rtol=0, atol=1e-12)
    torch.testing.assert_close(up(x.mT), up(x).mT, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_at_odd_scales_the_cell_centers_keep_their_value(kind):
    x = image(1, 2, 6, 8)
    torch.testing.assert_close(kind(3)(x)[..., 1::3, 1::3], x, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_they_share_the_geometry_of_the_operators(kind):
    ramp = torch.arange(96.0, dtype=torch.float64).repeat(96, 1)[None, None]
    back = kind(4)(GaussianDownsample(4)(ramp))
    inner = slice(32, 64)
    torch.testing.assert_close(back[..., inner, inner].mean(), ramp[..., inner, inner].mean(), rtol=0, atol=1e-9)
    # a block's values are its center's, 1.5 pixels off at its edge; a smooth interpolation bends the ramp a little
    assert (back - ramp)[..., inner, inner].abs().max() < (1.6 if kind is NearestUpsample else 0.2)


def test_more_lobes_come_nearer_to_a_band_limited_wave():
    wave = lambda position: np.cos(2 * np.pi * 0.3 * position + 0.2)  # noqa: E731
    fine = (np.arange(256) + 0.5) / 4 - 0.5
    x = torch.from_numpy(wave(np.arange(64.0)))[None, None, None].expand(1, 1, 8, 64)
    errors = [
        float((LanczosUpsample(4, lobes)(x)[0, 0, 16] - torch.from_numpy(wave(fine)))[64:192].abs().max())
        for lobes in (2, 3, 5)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_dtype_and_gradient_are_kept_and_meta_data_dropped(kind):
    up, x = kind(2), image(1, 1, 4, 5)
    assert up(x.float()).dtype == torch.float32
    assert up(x.bfloat16()).dtype == torch.bfloat16
    assert type(up(MetaTensor(x))) is torch.Tensor
    assert torch.autograd.gradcheck(up, (x.requires_grad_(),))


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_named(kind):
    with pytest.raises(ValueError, match=r"scale must be an integer of at least 2, got 2.5"):
        kind(2.5)
    with pytest.raises(ValueError, match=r"shape \(B, C, H, W\), got \(8, 8\)"):
        kind(4)(torch.ones(8, 8))


@pytest.mark.parametrize("lobes", [0, 2.5, True])
def test_lobes_must_be_a_number_of_pixels(lobes):
    with pytest.raises(ValueError, match="lobes must be an integer of at least 1"):
        LanczosUpsample(4, lobes)
