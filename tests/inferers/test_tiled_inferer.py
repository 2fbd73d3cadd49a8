# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SliceInferer
from torch import nn
from torch.nn.functional import interpolate

from monai_srgan.inferers import TiledSRInferer, accelerate
from monai_srgan.networks import SRResNet


def trained(**kwargs) -> SRResNet:
    torch.manual_seed(0)
    network = SRResNet(**{"num_blocks": 2, "channels": 8, "norm": None, "global_residual": "bicubic", **kwargs})
    nn.init.normal_(network.tail.weight, std=0.05)
    return network.eval()


def nearest(x: torch.Tensor) -> torch.Tensor:
    return interpolate(x, scale_factor=4.0, mode="nearest")


@pytest.mark.parametrize("norm", ["batch", None])
def test_tiles_with_forty_pixels_of_context_equal_the_whole_with_the_papers_depth(norm):
    network = trained(num_blocks=16, channels=16, norm=norm)
    x = torch.rand(1, 1, 157, 131)
    whole = TiledSRInferer(tile=None)(x, network)
    tiled = TiledSRInferer(tile=50)(x, network)
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-5)
    torch.testing.assert_close(whole, network(x).detach(), rtol=0, atol=1e-5)
    seams = TiledSRInferer(tile=50, context=4)(x, network)
    assert (seams - whole).abs().max() > 1e-4


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (33, 32), (64, 65)])
def test_every_pixel_of_any_size_is_written_once(size):
    x = torch.rand(2, 3, *size)
    tiled = TiledSRInferer(tile=32, context=2, precision=None)(x, nearest)
    torch.testing.assert_close(tiled, nearest(x), rtol=0, atol=0)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_volume_is_enlarged_slice_by_slice_in_plane(batch_size):
    network, x = trained(), torch.rand(2, 1, 12, 9, 5)
    sr = TiledSRInferer(batch_size=batch_size, tile=8)(x, network)
    assert sr.shape == (2, 1, 48, 36, 5)
    with torch.no_grad():
        for i in range(5):
            torch.testing.assert_close(sr[..., i], network(x[..., i]), rtol=0, atol=1e-5)


def test_it_gives_what_monais_slice_inferer_gives():
    network, x = trained(), torch.rand(1, 1, 20, 16, 3)
    with torch.no_grad():
        expected = SliceInferer(roi_size=(-1, -1), spatial_dim=2)(x, network)
    torch.testing.assert_close(TiledSRInferer()(x, network), expected, rtol=0, atol=1e-5)


def test_meta_data_is_kept():
    x = MetaTensor(torch.rand(1, 1, 8, 8), meta={"filename_or_obj": "a.nii"})
    sr = TiledSRInferer(precision=None)(x, nearest)
    assert isinstance(sr, MetaTensor)
    assert sr.meta["filename_or_obj"] == "a.nii"
    assert type(TiledSRInferer(precision=None)(x.as_tensor(), nearest)) is torch.Tensor


def test_reduced_precision_comes_back_as_float32():
    network, x = trained(), torch.rand(1, 1, 8, 8)
    sr = TiledSRInferer(precision="bf16")(x, network)
    assert sr.dtype == torch.float32
    assert 0 < (sr - network(x)).abs().max() < 0.05


def test_new_weights_are_noticed():
    network, x = trained(), torch.rand(1, 1, 8, 8)
    inferer = TiledSRInferer()
    before = inferer(x, network)
    assert inferer._ready(network) is inferer._ready(network)
    network.load_state_dict({k: v + 0.1 for k, v in network.state_dict().items()})
    torch.testing.assert_close(inferer(x, network), network(x).detach(), rtol=1e-5, atol=1e-5)
    assert (inferer(x, network) - before).abs().max() > 0.01
    other = trained(num_blocks=1)
    torch.testing.assert_close(inferer(x, other), other(x).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", ["fused optimizer", "data"])
def test_weights_that_change_without_a_new_version_are_noticed(way):
    network, x = trained(), torch.rand(1, 1, 8, 8)
    inferer = TiledSRInferer()
    before = inferer(x, network)
    if way == "data":
        network.tail.weight.data.mul_(2.0)
    else:
        optimizer = torch.optim.Adam(network.parameters(), 1e-2, fused=True)
        network(x).sum().backward()
        optimizer.step()
    torch.testing.assert_close(inferer(x, network), network(x).detach(), rtol=1e-5, atol=1e-5)
    assert (inferer(x, network) - before).abs().max() > 1e-3


def test_an_inferer_can_be_shared_by_threads_with_networks_of_their_own():
    networks, x = [trained(num_blocks=n) for n in (1, 2)], torch.rand(1, 1, 8, 8)
    inferer = TiledSRInferer()
    expected = [network(x).detach() for network in networks]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: inferer(x, networks[i % 2]), range(100)))
    for i, sr in enumerate(found):
        torch.testing.assert_close(sr, expected[i % 2], rtol=1e-5, atol=1e-5)


def test_a_network_with_instance_norm_is_refused_where_it_would_be_tiled():
    network, x = trained(norm="instance"), torch.rand(1, 1, 20, 12)
    with pytest.raises(ValueError, match=r"tile must be None for .* instance norm.*got 16 for an image of \(20, 12\)"):
        TiledSRInferer(tile=16)(x, network)
    torch.testing.assert_close(TiledSRInferer(tile=None)(x, network), network(x).detach(), rtol=1e-5, atol=1e-5)


def test_an_accelerated_network_is_used_directly():
    fast = accelerate(trained())
    assert TiledSRInferer()._ready(fast) is fast


def test_a_progress_bar_counts_tiles_or_slices_of_long_runs(monkeypatch):
    bars = []

    def bar(pieces, *, desc, delay, leave, disable):
        assert not leave
        bars.append((len(pieces), desc, delay, disable))
        return pieces

    monkeypatch.setattr("monai_srgan.inferers.tiled.tqdm", bar)
    TiledSRInferer(tile=8, precision=None)(torch.rand(1, 1, 16, 24, 2), nearest)
    TiledSRInferer(precision=None)(torch.rand(1, 1, 16, 24, 2), nearest)
    TiledSRInferer(precision=None, progress=False)(torch.rand(1, 1, 16, 24, 2), nearest)
    TiledSRInferer(precision=None)(torch.rand(1, 1, 16, 24), nearest)
    assert bars == [
        (12, "tiles", 2.0, None),  # None: on a terminal
        (2, "slices", 2.0, None),
        (2, "slices", 2.0, True),
        (1, "slices", 2.0, True),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tile": 0}, "tile must be at least 1 LR pixel"),
        ({"tile": "null"}, "tile must be at least 1 LR pixel, or None for no tiling, got 'null'"),
        ({"context": -1}, "context must be a number of LR pixels >= 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"precision": "half"}, "precision must be one of fp32, bf16, fp16 or None, got 'half'"),
        ({"precision": None, "compile": True}, "compile=True needs a precision"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        TiledSRInferer(**arguments)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 1, 8, 8, 2, 2), (1, 1, 0, 8)])
def test_inputs_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="inputs must have"):
        TiledSRInferer(precision=None)(torch.zeros(shape), nearest)


def test_a_network_that_does_not_enlarge_evenly_is_refused():
    with pytest.raises(ValueError, match="must enlarge both axes by the same integer"):
        TiledSRInferer(precision=None)(torch.rand(1, 1, 8, 8), lambda x: x[..., :5])


def test_a_function_needs_precision_none():
    with pytest.raises(TypeError, match="set precision=None"):
        TiledSRInferer()(torch.rand(1, 1, 8, 8), nearest)


MEMORY = """
import re, torch
from pathlib import Path
from monai_srgan.inferers import TiledSRInferer
from monai_srgan.networks import SRResNet
torch.manual_seed(0)
network = SRResNet(num_blocks=1, norm=None, global_residual="bicubic")
x = torch.rand(1, 1, 640, 320)
sr = TiledSRInferer(tile=320)(x, network)
assert sr.shape == (1, 1, 2560, 1280) and bool(sr.isfinite().all())
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from Linux's /proc")
def test_feature_maps_of_the_whole_image_are_never_in_memory():
    # One residual block has as many feature maps at a time as sixteen. The network itself would need 2.2 GB here; an
    # image of 1024x1024 LR pixels is measured in benchmarks/tiled_inference.py, since it takes half a minute.
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=300)
    assert int(run.stdout) * 1024 < 1.0e9
