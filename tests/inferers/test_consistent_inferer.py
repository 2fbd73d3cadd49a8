# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from torch import nn

from monai_srgan.inferers import ConsistentInferer, TiledSRInferer
from monai_srgan.networks import SRResNet
from monai_srgan.physics import BicubicUpsample, ConsistencyProjection, GaussianDownsample, NearestUpsample

OPERATOR = GaussianDownsample(4)
PROJECTION = ConsistencyProjection(OPERATOR)


def image(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(10 * torch.log10(1 / (a.double() - b.double()).square().mean()))


def test_the_result_is_the_projection_of_what_the_inferer_gives():
    lr, network = image(2, 3, 12, 9), NearestUpsample(4)
    sr = ConsistentInferer(SimpleInferer(), PROJECTION)(lr, network)
    assert torch.equal(sr, PROJECTION(network(lr), lr))
    assert psnr(OPERATOR(network(lr)), lr) < 40
    assert psnr(OPERATOR(sr.double()), lr) > 130


def test_a_volume_is_projected_slice_by_slice_along_its_last_axis():
    lr, network = image(2, 1, 12, 9, 5), NearestUpsample(4)
    sr = ConsistentInferer(TiledSRInferer(precision=None), PROJECTION)(lr, network)
    assert sr.shape == (2, 1, 48, 36, 5)
    for i in range(5):
        assert torch.equal(sr[..., i], PROJECTION(network(lr[..., i]), lr[..., i]))


def test_tiles_of_an_accelerated_network_are_projected_as_a_whole():
    torch.manual_seed(0)
    network = SRResNet(num_blocks=1, channels=4, norm=None, global_residual="bicubic").eval()
    nn.init.normal_(network.tail.weight, std=0.05)
    lr = image(1, 1, 40, 24)
    sr = ConsistentInferer(TiledSRInferer(tile=16), PROJECTION)(lr, network)
    torch.testing.assert_close(sr, PROJECTION(network(lr).detach(), lr), rtol=0, atol=1e-5)
    assert psnr(OPERATOR(sr.double()), lr) > 130


def test_meta_data_of_the_input_is_kept():
    lr = MetaTensor(image(1, 1, 8, 8), meta={"filename_or_obj": "a.nii"})
    infer = ConsistentInferer(TiledSRInferer(precision=None), PROJECTION)
    sr = infer(lr, BicubicUpsample(4))
    assert isinstance(sr, MetaTensor)
    assert sr.meta["filename_or_obj"] == "a.nii"
    assert type(infer(lr.as_tensor(), BicubicUpsample(4))) is torch.Tensor
    assert torch.equal(infer(lr.as_tensor(), BicubicUpsample(4)), sr.as_tensor())


def test_a_network_in_reduced_precision_comes_back_consistent_in_float32():
    lr = image(1, 1, 16, 16)
    sr = ConsistentInferer(SimpleInferer(), PROJECTION)(lr, lambda x: BicubicUpsample(4)(x).bfloat16())
    assert sr.dtype == torch.float32
    assert psnr(OPERATOR(sr.double()), lr) > 130


def test_arguments_reach_the_network():
    def network(x: torch.Tensor, gain: float, *, offset: float) -> torch.Tensor:
        return NearestUpsample(4)(x) * gain + offset

    lr = image(1, 1, 8, 8)
    sr = ConsistentInferer(SimpleInferer(), PROJECTION)(lr, network, 0.5, offset=0.1)
    assert torch.equal(sr, PROJECTION(NearestUpsample(4)(lr) * 0.5 + 0.1, lr))


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 1, 8, 8, 3)])
def test_more_channels_than_the_input_has_are_refused(shape):
    with pytest.raises(ValueError, match=r"must keep batch, channels and slices, got .*self-ensemble"):
        ConsistentInferer(SimpleInferer(), PROJECTION)(image(*shape), lambda x: torch.cat([x, x], dim=1))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ConsistentInferer(SimpleInferer(), OPERATOR), TypeError, "got GaussianDownsample: wrap an operator"),
        (lambda: ConsistentInferer(OPERATOR, PROJECTION), TypeError, "inferer must .* got GaussianDownsample"),
        (
            lambda: ConsistentInferer(SimpleInferer(), PROJECTION)(image(1, 8, 8), NearestUpsample(4)),
            ValueError,
            r"inputs must have shape .* got \(1, 8, 8\)",
        ),
        (
            lambda: ConsistentInferer(SimpleInferer(), PROJECTION)(image(1, 1, 8, 8), NearestUpsample(2)),
            ValueError,
            r"measured must have shape \(1, 1, 4, 4\)",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
