# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples are drawn once, from a seed of their own."""

from __future__ import annotations

from monai.transforms import Compose, Randomizable, Transform

from monai_srgan.data import DrawnSamples


class Noise(Randomizable, Transform):
    def __call__(self, item: float) -> list[float]:
        return [item + self.R.random_sample() for _ in range(3)]


def test_the_samples_of_all_items_in_order_the_same_for_the_same_seed():
    first, again, other = (DrawnSamples([0.0, 10.0], Compose([Noise()]), seed=seed) for seed in (1, 1, 2))
    assert len(first) == 6
    assert [int(value) for value in first] == [0, 0, 0, 10, 10, 10]
    assert list(first) == list(first)
    assert list(first) == list(again)
    assert list(first) != list(other)
    assert first.data == [0.0, 10.0]


def test_a_transform_without_random_numbers_is_applied_as_it_is():
    assert list(DrawnSamples("ab", lambda item: [item, item.upper()])) == ["a", "A", "b", "B"]
