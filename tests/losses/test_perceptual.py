# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The perceptual loss: values by hand, gradients, and no side effects on the feature network."""

from __future__ import annotations

import copy
import io
from functools import partial

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from torch import nn

from monai_srgan.losses import PerceptualFeatureLoss
from monai_srgan.networks import MRIFeatures


@pytest.fixture
def network() -> MRIFeatures:
    torch.manual_seed(0)
    network = MRIFeatures(channels=(4, 6, 8))
    network(torch.rand(4, 1, 32, 32))
    return network


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    hr = torch.rand(2, 1, 24, 24, generator=generator)
    return (hr + 0.1 * torch.rand(2, 1, 24, 24, generator=generator)).requires_grad_(True), hr


def double_and_mean(x: torch.Tensor) -> list[torch.Tensor]:
    return [2 * x, x.mean((2, 3))]


def test_value_of_two_layers_equals_hand_arithmetic():
    hr, sr = torch.tensor([[[[1.0, 3.0]]]]), torch.tensor([[[[2.0, 3.0]]]])
    # layer 0, 2x: (4, 6) and (2, 6), so mse 2 and energy 20, l1 1 and energy 4
    # layer 1, the mean: 2.5 and 2, so mse 0.25 and energy 4, l1 0.5 and energy 2
    weights = (3.0, 10.0)
    for criterion, normalize, expected in [
        ("mse", False, 3 * 2 + 10 * 0.25),
        ("mse", True, 3 * 2 / 20 + 10 * 0.25 / 4),
        ("l1", False, 3 * 1 + 10 * 0.5),
        ("l1", True, 3 * 1 / 4 + 10 * 0.5 / 2),
    ]:
        loss = PerceptualFeatureLoss(double_and_mean, None, weights, criterion, normalize=normalize)
        assert loss(sr, hr).item() == pytest.approx(expected, rel=1e-6)
    assert PerceptualFeatureLoss(double_and_mean)(sr, hr).item() == pytest.approx((0.1 + 0.0625) / 2, rel=1e-6)


def test_feature_scale_is_the_papers_factor_on_the_loss(network, pair):
    plain = PerceptualFeatureLoss(network, normalize=False)(*pair)
    scaled = PerceptualFeatureLoss(network, normalize=False, feature_scale=1 / 12.75)(*pair)
    assert (scaled / plain).item() == pytest.approx(0.00615, abs=1e-5)


def test_identical_images_have_no_distance_and_black_ones_no_nan(network):
    loss = PerceptualFeatureLoss(network)
    x = torch.rand(1, 1, 16, 16)
    assert loss(x, x).item() == 0
    black = torch.zeros(1, 1, 16, 16, requires_grad=True)
    value = PerceptualFeatureLoss(double_and_mean)(black, torch.zeros(1, 1, 16, 16))
    value.backward()
    assert value.item() == 0
    assert torch.isfinite(black.grad).all()


def test_gradient_reaches_every_pixel_of_sr_and_nothing_else(network, pair):
    sr, hr = pair
    hr.requires_grad_(True)
    PerceptualFeatureLoss(network)(sr, hr).backward()
    assert (sr.grad != 0).all()
    assert hr.grad is None
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("layer", ["enc1", "enc2", "enc3"])
def test_gradient_of_each_layer_agrees_with_finite_differences(network, layer):
    network.double()
    loss = PerceptualFeatureLoss(network, (layer,))
    hr = torch.rand(1, 1, 9, 8, dtype=torch.float64)
    sr = (hr + 0.3 * torch.rand_like(hr)).requires_grad_(True)
    loss(sr, hr).backward()
    direction = torch.randn_like(hr)
    step = 1e-5
    difference = (loss(sr + step * direction, hr) - loss(sr - step * direction, hr)) / (2 * step)
    assert difference.item() == pytest.approx((sr.grad * direction).sum().item(), rel=1e-6)


def test_only_the_named_layers_count(network, pair):
    one = PerceptualFeatureLoss(network, ("enc2",))(*pair)
    both = PerceptualFeatureLoss(network, ("enc2", "enc1"), (2.0, 0.0))(*pair)
    torch.testing.assert_close(both, 2 * one)


def test_hr_branch_builds_no_graph(pair):
    seen = []

    def features(x: torch.Tensor) -> torch.Tensor:
        y = 2 * x
        seen.append(y.requires_grad)
        return y

    sr, hr = pair
    PerceptualFeatureLoss(features)(sr, hr.requires_grad_(True))
    assert seen == [False, True]


def test_features_are_in_no_checkpoint_optimizer_or_submodule(network):
    loss = PerceptualFeatureLoss(network)
    assert loss.state_dict() == {}
    assert list(loss.parameters()) == list(loss.buffers()) == list(loss.children()) == []


def test_network_stays_in_eval_mode_and_its_statistics_unchanged(network, pair):
    before = copy.deepcopy(network.state_dict())
    loss = PerceptualFeatureLoss(network).train()
    network.train()
    first = loss(*pair)
    loss.train()
    assert not any(m.training for m in network.modules())
    torch.testing.assert_close(loss(*pair), first, rtol=0, atol=0)
    torch.testing.assert_close(dict(network.state_dict()), dict(before), rtol=0, atol=0)


def test_network_follows_the_device_of_the_images(network):
    loss = PerceptualFeatureLoss(network)
    x = torch.empty(1, 1, 8, 8, device="meta")
    assert loss(x, x).device.type == "meta"
    assert {p.device.type for p in network.parameters()} == {"meta"}


def test_under_autocast_the_criterion_is_float32_and_close_to_full_precision(network, pair):
    sr, hr = pair
    dtypes = []
    network.encoder[0].register_forward_hook(lambda _m, _i, out: dtypes.append(out.dtype))
    loss = PerceptualFeatureLoss(network)
    exact = loss(sr, hr)
    with torch.autocast("cpu", torch.bfloat16):
        low = loss(sr, hr)
    low.backward()
    assert dtypes == [torch.float32] * 2 + [torch.bfloat16] * 2
    assert low.dtype == torch.float32
    assert low.item() == pytest.approx(exact.item(), rel=0.05)
    assert torch.isfinite(sr.grad).all()


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))

    def encode(self, x: torch.Tensor, power: int = 1) -> torch.Tensor:
        return self.body(x) ** power


def encode_with(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return network.body(x)


BEHIND = {
    "bound method": lambda network: network.encode,
    "partial of a bound method": lambda network: partial(network.encode, power=2),
    "partial of a partial": lambda network: partial(partial(network.encode), power=2),
    "partial of a network": lambda network: partial(network.body),
    "partial with a network": lambda network: partial(encode_with, network),
}


@pytest.mark.parametrize("kind", BEHIND)
def test_the_network_behind_a_callable_is_frozen_and_kept_in_eval_mode(kind, pair):
    network = Encoder()
    features = BEHIND[kind](network)
    loss = PerceptualFeatureLoss(features)
    before = copy.deepcopy(network.state_dict())
    network.train()
    loss(*pair).backward()
    assert not any(m.training for m in network.body.modules())
    assert not any(p.requires_grad for p in network.parameters())
    torch.testing.assert_close(dict(network.state_dict()), dict(before), rtol=0, atol=0)
    assert pair[0].grad.abs().sum() > 0
    x = torch.empty(1, 1, 8, 8, device="meta")
    assert loss(x, x).device.type == "meta"
    assert loss.state_dict() == {}
    copied = copy.deepcopy(loss)
    assert copied.features is not features


@pytest.mark.parametrize("kind", ["tensor", "list", "dict", "module", "extract"])
def test_any_callable_gives_the_same_distance(kind, network, pair):
    network.eval()

    def features(x: torch.Tensor) -> object:
        y = network.encoder[0](x)
        return {"tensor": y, "list": [y], "dict": {"a": y, "b": x}}[kind]

    if kind == "module":
        loss = PerceptualFeatureLoss(nn.Sequential(network.encoder[0]))
    elif kind == "extract":
        loss = PerceptualFeatureLoss(network, ("enc1",))
    else:
        loss = PerceptualFeatureLoss(features, ("a",) if kind == "dict" else None)
    expected = PerceptualFeatureLoss(network.encoder[0])(*pair)
    torch.testing.assert_close(loss(*pair), expected)


def test_meta_tensors_are_accepted(network, pair):
    sr, hr = pair
    value = PerceptualFeatureLoss(network)(MetaTensor(sr), MetaTensor(hr))
    assert type(value) is torch.Tensor
    torch.testing.assert_close(value, PerceptualFeatureLoss(network)(sr, hr))
    value.backward()
    assert sr.grad is not None


def test_it_can_be_written_in_a_bundle_config(network, tmp_path, pair):
    torch.save(network.state_dict(), tmp_path / "w.pt")
    parser = ConfigParser(
        {
            "root": str(tmp_path),
            "loss": {
                "_target_": "monai_srgan.losses.PerceptualFeatureLoss",
                "features": {
                    "_target_": "monai_srgan.networks.MRIFeatures",
                    "channels": [4, 6, 8],
                    "weights": "$@root + '/w.pt'",
                },
            },
        }
    )
    loss = parser.get_parsed_content("loss")
    torch.testing.assert_close(loss(*pair), PerceptualFeatureLoss(network)(*pair))
    copied = copy.deepcopy(loss)
    assert copied.features is not loss.features
    buffer = io.BytesIO()
    torch.save(loss.state_dict(), buffer)
    assert buffer.tell() < 2000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": ("enc9",)}, r"layers must be names among \['enc1', 'enc2', 'enc3'\], got \['enc9'\]"),
        ({"layers": "enc1"}, "layers must be a non-empty sequence"),
        ({"layers": ()}, "layers must be a non-empty sequence"),
        ({"layers": ("enc1",), "layer_weights": (1, 2)}, r"one weight for each of \['enc1'\]"),
        ({"layer_weights": (1.0, -1.0)}, "layer_weights must be >= 0"),
        ({"layer_weights": (0.0, 0.0)}, "layer_weights must be >= 0 and not all 0"),
        ({"criterion": "l2"}, r"criterion must be one of \['l1', 'mse'\], got 'l2'"),
        ({"feature_scale": 0.1}, "feature_scale must be > 0, and 1 where normalize=True"),
    ],
)
def test_bad_arguments_are_refused_by_name(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        PerceptualFeatureLoss(network, **arguments)


def test_an_invalid_feature_function_is_refused():
    with pytest.raises(ValueError, match="features must be a network or a callable, got str"):
        PerceptualFeatureLoss("vgg19")
    x = torch.rand(1, 1, 4, 4)
    with pytest.raises(TypeError, match="features must return tensors, got"):
        PerceptualFeatureLoss(lambda _: ["no tensor"])(x, x)
    with pytest.raises(ValueError, match="layers must be None when features does not return a dictionary"):
        PerceptualFeatureLoss(double_and_mean, ("a",))(x, x)
    with pytest.raises(ValueError, match=r"layers must be names among \['a'\], got \['b'\]"):
        PerceptualFeatureLoss(lambda t: {"a": t}, ("b",))(x, x)


def test_images_of_different_size_are_refused(network):
    with pytest.raises(ValueError, match=r"same shape, got \(1, 1, 8, 8\) and \(1, 1, 8, 9\)"):
        PerceptualFeatureLoss(network)(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 9))
