# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Muon on convolutions, Adam on all other parameters."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from monai_srgan.networks import SRResNet
from monai_srgan.optimizers import ConvMuon
from monai_srgan.optimizers.conv_muon import orthogonalize


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.Conv2d(32, 40, 3), nn.PReLU(), nn.Conv2d(40, 32, 1), nn.Conv2d(32, 1, 3)
    )


def backward(net: nn.Module, seed: int) -> None:
    x = torch.randn(2, 1, 12, 12, generator=torch.Generator().manual_seed(seed))
    net.zero_grad()
    net(x).square().sum().backward()


@pytest.mark.parametrize("shape", [(3, 20, 50), (2, 50, 20), (1, 8, 8)])
def test_singular_values_end_up_near_one_and_vectors_stay(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found = orthogonalize(matrices)
    assert found.shape == shape
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.3
    assert values.max() < 1.3
    u, _, vh = torch.linalg.svd(matrices, full_matrices=False)
    core = u.mT @ found @ vh.mT  # diagonal, when the singular vectors are those of the input
    off = core - torch.diag_embed(torch.diagonal(core, dim1=-2, dim2=-1))
    assert off.abs().max() < 1e-3


def test_no_gradient_is_no_update_and_no_nan():
    assert torch.equal(orthogonalize(torch.zeros(2, 4, 6)), torch.zeros(2, 4, 6))


def by_hand(momentum: torch.Tensor) -> torch.Tensor:
    """The iteration of Jordan et al. on one matrix, in float64."""
    x = momentum.double()
    x = x.T if x.shape[0] > x.shape[1] else x
    x = x / x.norm()
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x - 4.7750 * gram @ x + 2.0315 * gram @ gram @ x
    return x.T if momentum.shape[0] > momentum.shape[1] else x


@pytest.mark.parametrize("layer", [1, 3])
def test_convolutions_follow_the_published_rule(layer):
    net = network()
    weight = net[layer].weight
    start = expected = weight.detach().flatten(1).double()
    optimizer = ConvMuon(net.parameters(), lr=0.01, momentum=0.9)
    buffer = torch.zeros_like(start)
    for seed in range(3):
        backward(net, seed)
        gradient = weight.grad.flatten(1).double()
        buffer = 0.9 * buffer + gradient
        size = 0.2 * max(buffer.shape) ** 0.5
        expected = expected - 0.01 * size * by_hand(gradient + 0.9 * buffer)
        optimizer.step()
    torch.testing.assert_close(weight.detach().flatten(1).double(), expected, rtol=0, atol=1e-5)
    rms = (expected - start).square().mean().sqrt()
    assert 0.5 * 0.2 * 0.01 < rms < 3 * 0.2 * 0.01  # as large as Adam's steps


def test_torchs_own_muon_takes_nearly_the_same_step():
    net = network()
    weight = net[1].weight
    start = weight.detach().flatten(1).clone()
    matrix = torch.nn.Parameter(start.clone())
    backward(net, 0)
    matrix.grad = weight.grad.flatten(1).clone()
    ConvMuon(net.parameters(), lr=0.01).step()
    torch.optim.Muon([matrix], lr=0.01, weight_decay=0.0, adjust_lr_fn="match_rms_adamw").step()
    ours, theirs = weight.detach().flatten(1) - start, matrix.detach() - start
    # theirs iterates in bfloat16, and the iteration does not converge: only nearly
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.97
    assert ours.norm() == pytest.approx(theirs.norm().item(), rel=0.1)


def test_all_other_parameters_follow_adam():
    net = network()
    twin = copy.deepcopy(net)
    ours = ConvMuon(net.parameters(), lr=0.01, betas=(0.8, 0.99))
    adam = torch.optim.Adam(twin.parameters(), lr=0.01, betas=(0.8, 0.99))
    backward(net, 0)
    backward(twin, 0)
    ours.step()
    adam.step()
    for (name, p), q in zip(net.named_parameters(), twin.parameters(), strict=True):
        by_muon = name in ("1.weight", "3.weight")
        assert torch.equal(p, q) != by_muon, name
        assert p.grad is not None


def test_a_stopped_and_resumed_run_takes_the_same_steps():
    net = network()
    ours = ConvMuon(net.parameters(), lr=0.01, fused=True)
    for seed in range(2):
        backward(net, seed)
        ours.step()
    twin = copy.deepcopy(net)
    resumed = ConvMuon(twin.parameters(), lr=0.5, fused=True)
    resumed.load_state_dict(copy.deepcopy(ours.state_dict()))
    for n, optimizer in ((net, ours), (twin, resumed)):
        backward(n, 7)
        optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), twin.parameters(), strict=True))


def test_memory_format_makes_no_difference():
    nets = [network(), network().to(memory_format=torch.channels_last)]
    for net in nets:
        optimizer = ConvMuon(net.parameters(), lr=0.01)
        backward(net, 0)
        optimizer.step()
    for p, q in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-5)


def test_it_lowers_the_loss_of_the_generator():
    torch.manual_seed(0)
    net = SRResNet(num_blocks=1, channels=32, norm=None, global_residual="bicubic")
    optimizer = ConvMuon(net.parameters(), lr=1e-3)
    x, y = torch.rand(2, 1, 8, 8), torch.rand(2, 1, 32, 32)
    losses = []
    for _ in range(15):
        loss = (net(x) - y).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_a_momentum_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"momentum must lie in \[0, 1\), got 1.0"):
        ConvMuon(network().parameters(), momentum=1.0)
