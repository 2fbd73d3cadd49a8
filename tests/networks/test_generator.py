# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from plain_srresnet import PlainSRResNet
from torch import nn

from monai_srgan.networks import SRResNet


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def small(**kwargs) -> SRResNet:
    return SRResNet(num_blocks=1, channels=8, **kwargs)


def test_default_has_the_papers_number_of_parameters():
    assert count(SRResNet(in_channels=3, out_channels=3)) == 1_549_462
    assert count(SRResNet()) == 1_528_724


def test_literal_generator_of_seven_blocks_is_one_argument_away():
    network = SRResNet(num_blocks=7)
    assert len(network.blocks) == 7
    widths = {m.out_channels for m in network.blocks.modules() if isinstance(m, nn.Conv2d)}
    assert widths == {64}
    slopes = [m.weight.item() for m in network.modules() if isinstance(m, nn.PReLU)]
    assert slopes == pytest.approx([0.2] * len(slopes))


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("size", [(8, 8), (13, 17), (1, 5)])
def test_any_size_is_enlarged_by_the_scale(scale, size):
    x = torch.rand(2, 1, *size)
    assert small(scale=scale).eval()(x).shape == (2, 1, scale * size[0], scale * size[1])


def test_shuffle_cells_are_constant_at_the_start():
    network = SRResNet()
    unshuffled = []
    for step in network.upsample:
        step.act.register_forward_hook(lambda _m, _i, out: unshuffled.append(out))
    network.eval()(torch.rand(1, 1, 12, 12))
    shuffled = [F.pixel_shuffle(image, 2) for image in unshuffled]
    assert [tuple(s.shape[-2:]) for s in shuffled] == [(24, 24), (48, 48)]
    for image in shuffled:
        cells = F.unfold(image.transpose(0, 1), 2, stride=2)
        assert image.std() > 0
        assert cells.var(dim=1).max() == 0


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("norm", ["batch", None])
def test_values_and_gradients_are_those_of_the_plain_layers(scale, norm):
    network = small(scale=scale, norm=norm, global_residual="bicubic").double()
    nn.init.normal_(network.tail.weight, std=0.1)
    plain = PlainSRResNet(num_blocks=1, channels=8, scale=scale, norm=norm, global_residual="bicubic").double()
    plain.load_state_dict(network.state_dict())
    x, target = (torch.rand(2, 1, 9 * k, 14 * k, dtype=torch.float64) for k in (1, scale))
    results = [network(x), plain(x)]
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-12)
    gradients = [
        torch.autograd.grad((sr - target).square().mean(), list(net.parameters()))
        for sr, net in zip(results, (network, plain), strict=True)
    ]
    for (name, _), fast, slow in zip(network.named_parameters(), *gradients, strict=True):
        torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-12, msg=name)
    assert all(gradient.abs().max() > 1e-6 for gradient in gradients[0] if gradient.ndim == 4)


def test_a_network_with_global_residual_starts_as_bicubic_interpolation():
    x = torch.rand(1, 1, 9, 11)
    expected = F.interpolate(x, scale_factor=4, mode="bicubic", align_corners=False)
    torch.testing.assert_close(small(global_residual="bicubic")(x), expected, rtol=0, atol=0)


@pytest.mark.parametrize("norm", ["batch", None])
def test_tile_with_forty_pixels_of_context_equals_the_whole(norm):
    network = SRResNet(norm=norm).double().eval()
    x = torch.rand(1, 1, 6, 140, dtype=torch.float64)

    def core_of_tile(context: int) -> torch.Tensor:
        return network(x[..., 65 - context : 75 + context])[..., 4 * context : 4 * (context + 10)]

    with torch.no_grad():
        core = network(x)[..., 4 * 65 : 4 * 75]
        assert (core_of_tile(40) - core).abs().max() < 1e-12 * core.abs().max()
        assert (core_of_tile(8) - core).abs().max() > 1e-9 * core.abs().max()


def test_receptive_field_ends_within_forty_pixels():
    network = SRResNet(norm=None).double().eval()
    x = torch.rand(1, 1, 3, 101, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[..., 4 * 50 : 4 * 51].sum(), x)
    reached = (gradient.abs().sum(dim=(0, 1, 2)) > 0).nonzero().squeeze(1) - 50
    assert -40 <= reached.min() <= -39
    assert 39 <= reached.max() <= 40


@pytest.mark.parametrize(("output", "low", "high"), [("tanh", -1.0, 1.0), ("sigmoid", 0.0, 1.0)])
def test_output_activation_bounds_the_values(output, low, high):
    sr = small(output=output)(10 * torch.randn(1, 1, 8, 8))
    assert low <= sr.min() <= sr.max() <= high


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_torchscript_gives_the_same_values_at_another_size():
    network = small(norm=None, global_residual="bicubic").eval()
    nn.init.normal_(network.tail.weight, std=0.1)
    scripted = torch.jit.script(network)
    for size in ((8, 8), (7, 13)):
        x = torch.rand(1, 1, *size)
        torch.testing.assert_close(scripted(x), network(x))


def test_result_keeps_the_inputs_dtype_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert small()(torch.rand(1, 1, 8, 8)).dtype == torch.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 3}, "scale must be 2, 4 or 8, got 3"),
        ({"num_blocks": 0}, "num_blocks must be at least 1"),
        ({"out_channels": 0}, "out_channels must be at least 1"),
        ({"norm": "layer"}, "norm must be"),
        ({"output": "relu"}, "output must be"),
        ({"global_residual": "nearest"}, "global_residual must be"),
        ({"global_residual": "bicubic", "out_channels": 3}, "global_residual needs"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        SRResNet(**arguments)


def test_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected LR images of shape \(B, 1, H, W\), got \[1, 3, 8, 8\]"):
        small()(torch.rand(1, 3, 8, 8))
