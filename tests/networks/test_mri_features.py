# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The MRI-native feature network and its weights."""

from __future__ import annotations

import pytest
import torch

from monai_srgan.losses import MultiTaskLoss
from monai_srgan.networks import MRIFeatures

SMALL = (4, 8, 12)


@pytest.fixture
def network() -> MRIFeatures:
    torch.manual_seed(0)
    network = MRIFeatures(channels=SMALL)
    network(torch.rand(2, 1, 32, 32))  # running statistics other than 0 and 1
    return network.eval()


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (96, 96), (101, 64)])
def test_any_size_gives_a_mask_of_that_size_and_one_class_vector_per_image(network, size):
    out = network(torch.rand(2, 1, *size))
    assert out["mask"].shape == (2, 1, *size)
    assert out["tumor_class"].shape == (2, 3)


def test_each_level_halves_the_size_rounding_up(network):
    maps = network.extract(torch.rand(1, 1, 21, 32), ("enc3", "enc1", "enc2"))
    assert list(maps) == ["enc3", "enc1", "enc2"]
    assert [tuple(m.shape) for m in maps.values()] == [(1, 12, 6, 8), (1, 4, 21, 32), (1, 8, 11, 16)]


def test_default_layers_leave_out_the_deepest(network):
    assert network.layer_names == ("enc1", "enc2", "enc3")
    assert tuple(network.extract(torch.rand(1, 1, 16, 16))) == ("enc1", "enc2")


def test_shallow_layers_do_not_run_the_deep_ones(network):
    calls = []
    network.encoder[2].register_forward_hook(lambda *_: calls.append(1))
    network.extract(torch.rand(1, 1, 16, 16), ("enc1", "enc2"))
    assert calls == []
    network.extract(torch.rand(1, 1, 16, 16), ("enc3",))
    assert calls == [1]


def test_features_of_a_crop_equal_those_of_the_whole_away_from_the_border(network):
    image = torch.rand(1, 1, 160, 160)
    whole = network.extract(image, ("enc3",))["enc3"]
    crop = network.extract(image[..., 32:128, 32:128], ("enc3",))["enc3"]
    torch.testing.assert_close(crop[..., 5:-5, 5:-5], whole[..., 13:27, 13:27], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(crop[..., 0, :], whole[..., 8, 8:32])


@pytest.mark.parametrize("layers", [("enc4",), ("conv1",), ()])
def test_unknown_layers_are_refused_with_the_list_of_known_ones(network, layers):
    with pytest.raises(ValueError, match=r"layers must be names among \['enc1', 'enc2', 'enc3'\]"):
        network.extract(torch.rand(1, 1, 16, 16), layers)


def test_fewer_than_two_levels_are_refused():
    with pytest.raises(ValueError, match="channels must give at least two"):
        MRIFeatures(channels=(8,))


def test_weights_of_a_file_are_loaded_exactly(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "w.pt")
    loaded = MRIFeatures(channels=SMALL, weights=str(tmp_path / "w.pt")).eval()
    x = torch.rand(1, 1, 24, 24)
    torch.testing.assert_close(loaded(x), network(x), atol=0, rtol=0)


def test_a_missing_file_says_where_weights_come_from(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"weights file .*w\.pt does not exist.*train_features\.json"):
        MRIFeatures(weights=tmp_path / "w.pt")


def test_weights_of_other_widths_are_refused_by_name(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "w.pt")
    with pytest.raises(
        ValueError, match=r"w\.pt does not fit MRIFeatures(.|\n)*size mismatch for encoder\.0\.0\.weight"
    ):
        MRIFeatures(channels=(5, 8, 12), weights=tmp_path / "w.pt")


@pytest.mark.parametrize("content", ["truncated", "network", "checkpoint", "tensor", "empty"])
def test_a_file_that_is_not_a_state_dict_is_named(network, tmp_path, content):
    path = tmp_path / "w.pt"
    if content == "truncated":
        torch.save(network.state_dict(), path)
        path.write_bytes(path.read_bytes()[:2000])
    elif content == "network":
        torch.save(network, path)
    elif content == "checkpoint":
        torch.save({"network": network.state_dict(), "epoch": 3}, path)
    elif content == "tensor":
        torch.save(torch.zeros(3), path)
    else:
        path.touch()
    with pytest.raises(ValueError, match=r"weights file .*w\.pt"):
        MRIFeatures(channels=SMALL, weights=path)


def test_the_network_can_overfit_one_batch():
    torch.manual_seed(0)
    network = MRIFeatures(channels=SMALL)
    mask = torch.zeros(6, 1, 32, 32)
    for i in range(6):
        mask[i, :, 4 + 3 * i : 12 + 3 * i, 8:20] = 1
    target = {"mask": mask, "tumor_class": torch.tensor([0, 1, 2, 0, 1, 2])}
    image = 0.3 * torch.rand(6, 1, 32, 32) + mask * (0.2 + 0.2 * target["tumor_class"].view(-1, 1, 1, 1))
    optimizer, loss = torch.optim.Adam(network.parameters(), lr=0.01), MultiTaskLoss(class_weight=1.0)
    for _ in range(150):
        optimizer.zero_grad()
        loss(network(image), target).backward()
        optimizer.step()
    out = network.eval()(image)
    assert ((out["mask"] > 0) == (mask > 0)).float().mean() > 0.97
    assert (out["tumor_class"].argmax(1) == target["tumor_class"]).float().mean() > 0.8
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
