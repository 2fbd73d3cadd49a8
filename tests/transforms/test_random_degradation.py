# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Randomly drawn degradation: reproducible, and the fixed version's with the drawn parameters."""

from __future__ import annotations

import pytest
import torch

from monai_srgan.physics import BicubicDownsample, GaussianDownsample, KSpaceDownsample
from monai_srgan.transforms import MaskAwareDegrade, RandMaskAwareDegrade, RandMaskAwareDegraded


def head(height=64, width=48, seed=0):
    return torch.rand(1, height, width, generator=torch.Generator().manual_seed(seed))


def tumor(height=64, width=48):
    mask = torch.zeros(1, height, width, dtype=torch.uint8)
    mask[:, 20:44, 13:33] = 1
    return mask


def sample():
    return {"image": head(), "mask": tumor()}


def test_random_version_is_reproducible_and_delegates_to_the_fixed_one():
    rand = RandMaskAwareDegrade(sigma=(1, 2), sigma_inside=(0.5, 3), feather=(0, 6), noise_std=0)
    rand.set_random_state(7)
    first = [rand(head(), tumor()) for _ in range(3)]
    rand.set_random_state(7)
    assert all(torch.equal(a, rand(head(), tumor())) for a in first)
    assert not torch.equal(first[0], first[1])
    outside, inside = rand.degrade.operator, rand.degrade.inside
    assert 1 <= outside.sigma <= 2
    assert 0.5 <= inside.sigma <= 3
    twin = MaskAwareDegrade(sigma=outside.sigma, sigma_inside=inside.sigma, feather=rand.degrade.feather)
    assert torch.equal(first[2], twin(head(), tumor()))


def test_random_noise_is_reproducible():
    rand = RandMaskAwareDegraded(noise_std=(0.01, 0.1))
    rand.set_random_state(3)
    first = rand(sample())["image"]
    second = rand(sample())["image"]
    rand.set_random_state(3)
    assert torch.equal(first, rand(sample())["image"])
    assert not torch.equal(first, second)


def test_probability_zero_is_the_plain_operator():
    rand = RandMaskAwareDegraded(prob=0, sigma=(3, 4), noise_std=(0.1, 0.2), isolate=True)
    assert torch.equal(rand(sample())["image"], GaussianDownsample(4)(head()[None])[0])


def test_other_operators_are_drawn_in_their_share():
    others = (BicubicDownsample(4), KSpaceDownsample(4))
    rand = RandMaskAwareDegrade(noise_std=0, operators=others, operator_prob=0.5).set_random_state(1)
    expected = {type(op): op(head()[None])[0] for op in others}
    drawn = []
    for _ in range(200):
        y = rand(head())
        kind = type(rand.degrade.operator)
        drawn.append(kind)
        if kind in expected:
            assert torch.equal(y, expected[kind])
    shares = [drawn.count(kind) / len(drawn) for kind in (GaussianDownsample, BicubicDownsample, KSpaceDownsample)]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.1)
    plain = RandMaskAwareDegrade(prob=0, operators=others, operator_prob=1)
    assert torch.equal(plain(head()), GaussianDownsample(4)(head()[None])[0])


def test_operators_get_the_drawn_noise():
    rand = RandMaskAwareDegrade(noise_std=0.1, operators=(KSpaceDownsample(4),), operator_prob=1).set_random_state(1)
    clean = KSpaceDownsample(4)(head()[None])[0]
    assert 0.05 < (rand(head()) - clean).std() < 0.15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"operator_prob": 0.5}, "operators and operator_prob need each other"),
        ({"operators": (KSpaceDownsample(4),)}, "operators and operator_prob need each other"),
        ({"operators": (KSpaceDownsample(4),), "operator_prob": 1.5}, r"operator_prob must lie in \[0, 1\], got 1.5"),
        ({"operators": (KSpaceDownsample(2),), "operator_prob": 0.5}, "scale must be that of the operator, 2"),
    ],
)
def test_operators_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandMaskAwareDegrade(**arguments)


def test_inside_follows_outside_unless_drawn():
    rand = RandMaskAwareDegrade(sigma=(1, 2))
    rand.randomize()
    assert rand.degrade.inside is rand.degrade.operator


@pytest.mark.parametrize("settings", [{"sigma_inside": (0.5, 1)}, {"isolate": True}, {"sigma": 1, "sigma_inside": 2}])
def test_a_missing_mask_is_refused_whatever_is_drawn(settings):
    rand = RandMaskAwareDegrade(prob=0, **settings)
    with pytest.raises(ValueError, match=r"^image: mask is missing"):
        rand(head())
    with pytest.raises(KeyError, match="'mask' is missing"):
        RandMaskAwareDegraded(prob=0, **settings)({"image": head()})


@pytest.mark.parametrize(
    "settings", [{}, {"sigma": 1, "sigma_inside": 1}, {"sigma": None, "sigma_inside": 1.5, "noise_std": None}]
)
def test_a_missing_mask_is_fine_where_nothing_can_depend_on_it(settings):
    assert RandMaskAwareDegrade(**settings)(head()).shape == (1, 16, 12)
    assert RandMaskAwareDegraded(**settings)({"image": head()})["image"].shape == (1, 16, 12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RandMaskAwareDegrade(sigma=(2, 1)), r"sigma must be a number or a pair \(low, high\)"),
        (lambda: RandMaskAwareDegrade(noise_std=(-0.1, 0.1)), r"noise_std must be .* >= 0"),
        (lambda: RandMaskAwareDegrade(feather=(0, 4)), r"feather=4.0 blends .* without sigma_inside"),
        (lambda: RandMaskAwareDegraded(feather=3, isolate=True), r"feather=3.0 blends .* without sigma_inside"),
        (lambda: RandMaskAwareDegrade(prob=1.5), r"prob must lie in \[0, 1\], got 1.5"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
