# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples are drawn once, from a seed of their own, and share memory by item."""

from __future__ import annotations

import torch
from monai.transforms import Compose, Randomizable, Transform

from monai_srgan.data import DrawnSamples


class Noise(Randomizable, Transform):
    def __call__(self, item: float) -> list[dict[str, torch.Tensor]]:
        return [{"value": torch.tensor([item, self.R.random_sample()])} for _ in range(3)]


def values(dataset: DrawnSamples) -> list[list[float]]:
    return [sample["value"].tolist() for sample in dataset]


def test_the_samples_of_all_items_in_order_the_same_for_the_same_seed():
    first, again, other = (DrawnSamples([0.0, 10.0], Compose([Noise()]), seed=seed) for seed in (1, 1, 2))
    assert len(first) == 6
    assert [item for item, _ in values(first)] == [0, 0, 0, 10, 10, 10]
    assert len({noise for _, noise in values(first)}) == 6
    assert values(first) == values(first) == values(again)
    assert values(first) != values(other)
    assert first.data == [0.0, 10.0]


def test_the_samples_of_an_item_share_one_block():
    found = DrawnSamples([0.0, 10.0], Noise())
    blocks = [sample["value"].untyped_storage().data_ptr() for sample in found]
    assert blocks[0] == blocks[2] != blocks[3] == blocks[5]


def test_a_transform_without_random_numbers_is_applied_as_it_is():
    found = DrawnSamples([1, 2], lambda item: [{"value": torch.tensor(item * factor)} for factor in (1, 10)])
    assert values(found) == [1, 10, 2, 20]
