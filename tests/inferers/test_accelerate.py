# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from monai.data import MetaTensor
from plain_srresnet import PlainSRResNet
from torch import nn

from monai_srgan.apps import figshare_datalist
from monai_srgan.inferers import FoldedSRResNet, accelerate
from monai_srgan.metrics import masked_psnr
from monai_srgan.networks import SRResNet
from monai_srgan.precision import has_fast_autocast
from monai_srgan.transforms import LoadMatd, MaskAwareDegraded, ScaleIntensityByPercentiled

MODELS = Path(__file__).parents[2] / "bundle" / "models"


def trained(seed: int = 0, **kwargs) -> SRResNet:
    """A generator in which no slope, statistic or bias has a neutral value."""
    torch.manual_seed(seed)
    network = SRResNet(**{"num_blocks": 2, "channels": 8, **kwargs})
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.PReLU):
                module.weight.uniform_(-0.3, 0.6)
            elif isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.3, 2.0)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.3)
        nn.init.normal_(network.tail.weight, std=0.05)
        nn.init.constant_(network.tail.bias, 0.1)
    return network


def assert_equal_up_to_rounding(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Float32 rounds relative to the largest values; here by at most 8e-6 of them, with AVX2 and with AVX-512."""
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("norm", ["batch", None])
@pytest.mark.parametrize("residual", ["bicubic", None])
def test_fp32_gives_the_plain_networks_values(scale, norm, residual):
    network = trained(scale=scale, norm=norm, global_residual=residual)
    plain = PlainSRResNet(num_blocks=2, channels=8, scale=scale, norm=norm, global_residual=residual).eval()
    plain.load_state_dict(network.state_dict())
    x = torch.rand(2, 1, 150, 23)  # several strips, odd sizes
    with torch.no_grad():
        assert_equal_up_to_rounding(accelerate(network)(x), plain(x))


def test_the_papers_generator_is_kept_up_to_rounding():
    network = trained(num_blocks=16, channels=64)
    x = torch.rand(1, 1, 70, 45)
    with torch.no_grad():
        expected = copy.deepcopy(network).eval()(x)
    assert expected.std() > 0.01
    assert_equal_up_to_rounding(accelerate(network)(x), expected)


@pytest.mark.parametrize("width", [1, 40, 300])
@pytest.mark.parametrize("height", [1, 31, 32, 65, 200])
def test_strips_leave_no_trace(height, width, monkeypatch):
    network = FoldedSRResNet(trained(norm=None)).double()
    network.dtype = torch.float64
    x = torch.rand(1, 1, height, width, dtype=torch.float64)
    with torch.no_grad():
        stripped = network(x)
        monkeypatch.setattr("monai_srgan.inferers.folded._STRIP_PIXELS", 10**9)
        torch.testing.assert_close(stripped, network(x), rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_strips_overlap_by_the_receptive_radius_of_the_upsampling_layers(scale, monkeypatch):
    network = FoldedSRResNet(trained(norm=None, scale=scale)).double()
    network.dtype = torch.float64
    x = torch.rand(1, 1, 64, 300, dtype=torch.float64)
    with torch.no_grad():
        expected = network(x)
        monkeypatch.setattr("monai_srgan.inferers.folded._HALO", 2)
        assert (network(x) - expected).abs().max() > 1e-9


@pytest.mark.parametrize("output", ["tanh", "sigmoid"])
def test_the_output_activation_is_kept(output):
    network = trained(output=output).eval()
    x = torch.rand(1, 1, 9, 7)
    assert_equal_up_to_rounding(accelerate(network)(x), network(x).detach())


@pytest.mark.parametrize("norm", ["batch", "instance", None])
def test_bf16_is_near_and_returns_float32(norm):
    network = trained(norm=norm, global_residual="bicubic").eval()
    x = torch.rand(1, 1, 20, 20)
    with torch.no_grad():
        expected = network(x)
    sr = accelerate(network, precision="bf16")(x)
    assert sr.dtype == torch.float32
    change = (sr - expected).square().mean().sqrt() / expected.std()
    assert 1e-5 < change < 0.02


def test_other_modules_are_run_in_eval_mode_and_reduced_precision():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.PixelShuffle(4)).train()
    x = torch.rand(2, 1, 12, 10)
    expected = copy.deepcopy(network).eval()(x).detach()
    torch.testing.assert_close(accelerate(network)(x), expected, rtol=0, atol=1e-6)
    reduced = accelerate(network, precision="bf16")(x)
    assert reduced.dtype == torch.float32
    assert 1e-5 < (reduced - expected).abs().max() < 0.02


def test_the_network_itself_does_not_change():
    network = trained().train()
    before = copy.deepcopy(network.state_dict())
    fast = accelerate(network, precision="bf16")
    fast(torch.rand(1, 1, 8, 8))
    assert network.training
    assert all(p.requires_grad for p in network.parameters())
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert network.head[0].weight.dtype == torch.float32


def test_later_changes_of_the_weights_do_not_affect_the_copy():
    network, x = trained(), torch.rand(1, 1, 8, 8)
    fast = accelerate(network)
    before = fast(x)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    assert torch.equal(fast(x), before)


def test_engine_modes_autocast_and_metadata_have_no_effect():
    fast, x = accelerate(trained()), torch.rand(1, 1, 8, 8)
    expected = fast(x)
    fast.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        sr = fast(MetaTensor(x))
    assert type(sr) is torch.Tensor
    assert torch.equal(sr, expected)
    assert not fast.training
    assert not sr.requires_grad


def test_the_number_of_threads_does_not_change():
    threads = torch.get_num_threads()
    accelerate(trained())(torch.rand(1, 1, 8, 8))
    assert torch.get_num_threads() == threads


def test_an_accelerated_network_can_be_saved_and_loaded_as_a_copy():
    fast = accelerate(trained())
    x = torch.rand(1, 1, 8, 8)
    assert torch.equal(copy.deepcopy(fast)(x), fast(x))


class Brighter(SRResNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + 1.0


def with_group_norm() -> SRResNet:
    network = trained(norm="batch")
    network.fuse[1] = nn.GroupNorm(2, 8)
    return network


def with_hook() -> SRResNet:
    network = trained(norm=None)
    network.fuse.register_forward_hook(lambda _module, _inputs, output: 2 * output)
    return network


def with_slopes_a_channel() -> SRResNet:
    network = trained(norm=None)
    network.head[1] = nn.PReLU(8)
    return network


def with_weight_norm() -> SRResNet:
    network = trained(norm="batch")
    nn.utils.parametrizations.weight_norm(network.fuse[0])
    return network


def with_an_appended_layer() -> SRResNet:
    network = trained(norm=None)
    network.blocks[0].body.append(nn.Tanh())
    return network


def without_statistics() -> SRResNet:
    network = trained(norm="batch")
    network.fuse[1] = nn.BatchNorm2d(8, track_running_stats=False)
    return network


@pytest.mark.parametrize(
    "changed",
    [
        lambda: trained(norm="instance"),
        lambda: Brighter(num_blocks=1, channels=8),
        with_group_norm,
        with_hook,
        with_slopes_a_channel,
        with_weight_norm,
        with_an_appended_layer,
        without_statistics,
    ],
)
def test_modified_generators_run_without_folding(changed):
    network = changed().eval()
    x = torch.rand(1, 1, 9, 14)
    with torch.no_grad():
        assert_equal_up_to_rounding(accelerate(network)(x), network(x))
    with pytest.raises(ValueError, match="must be an unmodified SRResNet with batch norm or no norm"):
        FoldedSRResNet(network)


def test_synchronized_batch_norm_is_folded_as_batch_norm():
    network = nn.SyncBatchNorm.convert_sync_batchnorm(trained(norm="batch")).eval()
    assert any(isinstance(module, nn.SyncBatchNorm) for module in network.modules())
    x = torch.rand(1, 1, 9, 14)
    with torch.no_grad():
        assert_equal_up_to_rounding(FoldedSRResNet(network)(x), network(x))


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_scripted_and_double_networks_run():
    network, x = trained().eval(), torch.rand(1, 1, 9, 14)
    with torch.no_grad():
        expected = network(x)
        assert_equal_up_to_rounding(accelerate(torch.jit.script(network))(x), expected)
        double = trained(norm="instance").double().eval()
        torch.testing.assert_close(accelerate(double)(x), double(x.double()).float(), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"precision": "int8"}, ValueError, "precision must be one of fp32, bf16, fp16, got 'int8'"),
        ({"precision": "fp16"}, ValueError, "'fp16' needs a GPU.*use 'bf16' or 'fp32'"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        accelerate(trained(), **arguments)


def test_a_function_is_refused():
    with pytest.raises(TypeError, match="got function"):
        accelerate(lambda x: x)


def test_emulated_bfloat16_gives_a_warning(monkeypatch, caplog):
    monkeypatch.setattr("monai_srgan.inferers.accelerated.has_fast_autocast", lambda device: device.type != "cpu")
    accelerate(trained(), precision="bf16")
    assert "no bfloat16 instructions" in caplog.text


@pytest.mark.gpu
def test_fp16_on_a_gpu_is_near():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    network = trained(global_residual="bicubic").cuda().eval()
    x = torch.rand(1, 1, 20, 20, device="cuda")
    with torch.no_grad():
        expected = network(x)
    torch.testing.assert_close(accelerate(network, precision="fp16")(x), expected, rtol=0, atol=0.02)


@pytest.mark.real_data
@pytest.mark.skipif(not has_fast_autocast(torch.device("cpu")), reason="no bfloat16 instructions: 50 s a network")
@pytest.mark.parametrize("weights", ["model.pt", "srresnet/srresnet.pt"])
def test_bf16_changes_the_psnr_of_real_slices_by_less_than_three_hundredths_of_a_decibel(real_data_dir, weights):
    network = SRResNet(norm=None, global_residual="bicubic", condition=36)
    network.load_state_dict(torch.load(MODELS / weights, weights_only=True))
    full, reduced = accelerate(network), accelerate(network, precision="bf16")
    load, scale = LoadMatd(keys="image", mask_key="mask"), ScaleIntensityByPercentiled(keys="image", percentile=99.9)
    degrade = MaskAwareDegraded(keys="image", mask_key="mask", hr_key="label", scale=4)
    items = figshare_datalist(real_data_dir, "validation")[::40]
    if not has_fast_autocast(torch.device("cpu")):
        items = items[:1]  # emulated bfloat16 takes a quarter of a minute per slice
    for item in items:
        sample = degrade(scale(load(item)))
        lr, hr, mask = (torch.as_tensor(sample[key])[None] for key in ("image", "label", "mask"))
        for region in (None, mask):
            psnr = [float(masked_psnr(fast(lr), hr, region)) for fast in (full, reduced)]
            assert psnr[0] > 20
            assert abs(psnr[1] - psnr[0]) < 0.03
