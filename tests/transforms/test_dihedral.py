# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.transforms import RandDihedral, RandDihedrald

AFFINE = np.array([[0.1, -0.48, 0, 12], [0.48, 0.1, 0, -7], [0, 0, 7, 3], [0, 0, 0, 1]])


def by_numpy(image: np.ndarray, element: int) -> np.ndarray:
    if element & 4:
        image = image.transpose(0, 2, 1)
    axes = [axis for axis, bit in ((1, 1), (2, 2)) if element & bit]
    return np.flip(image, axes) if axes else image


@pytest.mark.parametrize("element", range(8))
def test_each_element_is_what_numpy_makes_of_it(element):
    image = np.arange(2 * 3 * 5, dtype=np.int16).reshape(2, 3, 5)
    turn = RandDihedral()
    turn.element = element
    expected = by_numpy(image, element)
    for kind in (image, torch.from_numpy(image), MetaTensor(torch.from_numpy(image))):
        turned = turn(kind, randomize=False)
        assert type(turned) is type(kind)
        np.testing.assert_array_equal(np.asarray(turned), expected)
        assert turned.dtype == kind.dtype
    assert turn(torch.from_numpy(image), randomize=False).is_contiguous()


def test_the_eight_elements_are_all_different_and_equally_likely():
    image = torch.arange(9.0).reshape(1, 3, 3)
    turn = RandDihedral().set_random_state(0)
    counts: dict[tuple[float, ...], int] = {}
    for _ in range(800):
        key = tuple(turn(image).flatten().tolist())
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 8
    assert min(counts.values()) > 65


def test_without_transposition_four_elements_are_left_and_the_draws_are_as_many():
    image = torch.arange(6.0).reshape(1, 2, 3)
    turn, other = RandDihedral(transpose=False).set_random_state(0), RandDihedral().set_random_state(0)
    seen = set()
    for _ in range(80):
        seen.add(tuple(turn(image).flatten().tolist()))
        other(image)
    assert seen == {tuple(by_numpy(image.numpy(), element).flatten().tolist()) for element in range(4)}
    assert turn.R.random() == other.R.random()


def test_prob_zero_does_nothing_and_the_draws_are_as_many():
    image = torch.rand(1, 4, 4)
    never = RandDihedral(prob=0.0).set_random_state(3)
    always = RandDihedral(prob=1.0).set_random_state(3)
    for _ in range(10):
        assert torch.equal(never(image), image)
        always(image)
    assert never.R.random() == always.R.random()


@pytest.mark.parametrize("element", range(8))
@pytest.mark.parametrize("rank", [2, 3])
def test_the_affine_stays_true(element, rank):
    affine = AFFINE if rank == 3 else np.delete(np.delete(AFFINE, 2, 0), 2, 1)
    index = np.stack(
        [*np.meshgrid(range(6), range(4), indexing="ij"), *[np.zeros((6, 4))] * (rank - 2), np.ones((6, 4))]
    )
    world = np.einsum("ij,jhw->ihw", affine, index)[:2]
    turn = RandDihedral()
    turn.element = element
    turned = turn(MetaTensor(torch.from_numpy(world), affine=torch.from_numpy(affine)), randomize=False)
    for row, column in [(0, 0), (turned.shape[1] - 1, 1), (2, turned.shape[2] - 1)]:
        place = turned.affine.numpy() @ [row, column, *[0] * (rank - 2), 1]
        np.testing.assert_allclose(turned[:, row, column].numpy(), place[:2], atol=1e-12)
    assert list(turned.meta["spatial_shape"]) == list(turned.shape[1:])


def test_image_and_mask_are_turned_alike_and_the_input_is_left_alone():
    image = torch.rand(1, 5, 7)
    data = {"image": image, "mask": image > 0.5, "other": image}
    turn = RandDihedrald(keys=("image", "mask")).set_random_state(1)
    elements = set()
    for _ in range(20):
        before = image.clone()
        turned = turn(data)
        elements.add(turn.dihedral.element)
        assert torch.equal(turned["mask"], turned["image"] > 0.5)
        assert turned["other"] is image
        turned["image"].zero_()
        assert torch.equal(image, before)
    assert len(elements) > 4


def test_the_same_seed_gives_the_same_turns_and_it_pickles():
    image = torch.arange(12.0).reshape(1, 3, 4)
    first = RandDihedrald(keys="image").set_random_state(5)
    second = pickle.loads(pickle.dumps(RandDihedrald(keys="image"))).set_random_state(5)
    for _ in range(10):
        assert torch.equal(first({"image": image})["image"], second({"image": image})["image"])


def test_bad_arguments_are_refused_by_name():
    with pytest.raises(ValueError, match=r"prob must lie in \[0, 1\], got 1.5"):
        RandDihedral(prob=1.5)
    with pytest.raises(ValueError, match=r"image must have shape \(C, H, W\), got \(4, 4\)"):
        RandDihedral()(torch.zeros(4, 4))
