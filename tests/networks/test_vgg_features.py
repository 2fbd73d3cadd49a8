# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""VGG features from a local file: names, hashes, numbering, normalization."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from monai_srgan.networks import VGGFeatures

# torchvision's own configuration "D" and "E", and the index of every convolution's weights in its state dicts
PLANS = {
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}
INDICES = {
    "vgg16": [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28],
    "vgg19": [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34],
}


def make_state(arch: str) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    widths = [int(w) for w in PLANS[arch].split() if w != "M"]
    state, before = {}, 3
    for index, width in zip(INDICES[arch], widths, strict=True):
        std = (2 / (9 * before)) ** 0.5
        state[f"features.{index}.weight"] = std * torch.randn(width, before, 3, 3, generator=generator)
        state[f"features.{index}.bias"] = 0.01 * torch.randn(width, generator=generator)
        before = width
    state["classifier.6.weight"] = torch.zeros(10, 4)
    return state


def reference(x: torch.Tensor, arch: str, state: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """phi_i,j from functional calls that follow the plan."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    y = torch.stack([(x[:, 0] - m) / s for m, s in zip(mean, std, strict=True)], dim=1)
    index, block, number = 0, 1, 0
    for word in PLANS[arch].split():
        if word == "M":
            y, index, block, number = F.max_pool2d(y, 2, 2), index + 1, block + 1, 0
            continue
        y = F.relu(F.conv2d(y, state[f"features.{index}.weight"], state[f"features.{index}.bias"], padding=1))
        index, number = index + 2, number + 1
        if f"{block}_{number}" == name:
            return y
    raise KeyError(name)


@pytest.fixture(scope="module", params=["vgg16", "vgg19"])
def made(request, tmp_path_factory) -> tuple[str, Path, str, dict[str, torch.Tensor]]:
    state = make_state(request.param)
    path = tmp_path_factory.mktemp("vgg") / "synthetic.pth"
    torch.save(state, path)
    return request.param, path, hashlib.sha256(path.read_bytes()).hexdigest(), state


def test_every_layer_is_the_convolution_of_that_name_after_activation(made):
    arch, path, sha, state = made
    deepest = "5_4" if arch == "vgg19" else "5_3"
    names = ("1_1", "1_2", "2_2", "3_3", "4_1", deepest)
    network = VGGFeatures(arch, names, weights=path, sha256=sha)
    x = torch.rand(2, 1, 48, 40)
    maps = network(x)
    assert list(maps) == list(names)
    for name in names:
        torch.testing.assert_close(maps[name], reference(x, arch, state, name), atol=1e-4, rtol=1e-4)
    assert maps[deepest].shape == (2, 512, 3, 2)
    assert all(m.min() >= 0 for m in maps.values())


def test_network_ends_at_the_deepest_layer_and_is_frozen(made):
    arch, path, sha, _ = made
    network = VGGFeatures(arch, ("2_2", "1_1"), weights=path, sha256=sha)
    assert list(network.state_dict()) == [f"features.{i}.{k}" for i in (0, 2, 5, 7) for k in ("weight", "bias")]
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    with pytest.raises(ValueError, match=r"\['3_1'\] are deeper than the network"):
        network.extract(torch.rand(1, 1, 8, 8), ("3_1",))


def test_three_channels_are_used_unchanged(made):
    arch, path, sha, _ = made
    network = VGGFeatures(arch, ("1_1",), weights=path, sha256=sha)
    x = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(network(x), network(x.repeat(1, 3, 1, 1)))
    with pytest.raises(ValueError, match=r"\(B, 1, H, W\) or \(B, 3, H, W\), got \(1, 2, 8, 8\)"):
        network(torch.rand(1, 2, 8, 8))


def test_an_image_too_small_for_pooling_is_refused(made):
    arch, path, sha, _ = made
    with pytest.raises(ValueError, match="at least 16 pixels"):
        VGGFeatures(arch, ("5_1",), weights=path, sha256=sha)(torch.rand(1, 1, 15, 40))


def test_a_prefix_of_the_hash_suffices_and_a_wrong_hash_names_both(made):
    arch, path, sha, _ = made
    VGGFeatures(arch, ("1_1",), weights=path, sha256=sha[:8].upper())
    with pytest.raises(ValueError, match=f"is {sha}, expected 0123456789"):
        VGGFeatures(arch, ("1_1",), weights=path, sha256="0123456789")
    with pytest.raises(ValueError, match="8 to 64 hexadecimal digits, got 'abc'"):
        VGGFeatures(arch, ("1_1",), weights=path, sha256="abc")


def test_without_a_hash_only_the_official_file_is_accepted(made):
    arch, path, sha, _ = made
    official = {"vgg16": "397923af", "vgg19": "dcbb9e9d"}[arch]
    with pytest.raises(ValueError, match=f"is {sha}, expected {official}"):
        VGGFeatures(arch, weights=path, layers=("5_1",))


@pytest.mark.parametrize("name", [None, "nowhere.pth"])
def test_without_a_file_the_error_gives_its_source_and_the_alternatives(name, tmp_path):
    expected = ValueError if name is None else FileNotFoundError
    with pytest.raises(expected, match=r"download\.pytorch\.org/models/vgg19-dcbb9e9d\.pth") as caught:
        VGGFeatures(weights=None if name is None else tmp_path / name)
    assert all(word in str(caught.value) for word in ("MRIFeatures", "monai.losses.PerceptualLoss", "any callable"))


def test_a_file_of_the_other_architecture_is_refused(made):
    arch, path, sha, _ = made
    other = {"vgg16": "vgg19", "vgg19": "vgg16"}[arch]
    with pytest.raises(ValueError, match="not in torchvision's format of " + other):
        VGGFeatures(other, ("5_3",), weights=path, sha256=sha)


def test_unknown_names_are_refused_with_the_list_of_known_ones():
    with pytest.raises(ValueError, match=r"arch must be one of \['vgg16', 'vgg19'\], got 'vgg11'"):
        VGGFeatures("vgg11")
    with pytest.raises(ValueError, match=r"layers must be names among \['1_1', '1_2', .*'5_3'\], got \['5_4'\]"):
        VGGFeatures("vgg16", ("5_4",))
