# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The slices that a report keeps while they are scored."""

from __future__ import annotations

import numpy as np
import pytest

from monai_srgan.report import Example
from monai_srgan.report.gallery import Gallery


def example(number: int) -> Example:
    picture = np.zeros((2, 2))
    return Example("", f"{number}.mat", "", "", picture, picture, picture > 0, {})


def shown(values: np.ndarray, capacity: int) -> dict[str, int]:
    """Label to the rank of the slice that is shown."""
    gallery = Gallery(capacity)
    for number, value in enumerate(values):
        gallery.add(float(value), example(number))
        assert len(gallery) <= capacity
    ranks = {f"{number}.mat": rank for rank, number in enumerate(np.argsort(values, kind="stable"))}
    return {found.label: ranks[found.file] for found in gallery.examples("PSNR")}


@pytest.mark.parametrize("count", [3, 4, 9])
def test_up_to_its_capacity_it_finds_the_median_itself(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    assert shown(values, 9) == {"best PSNR": count - 1, "median PSNR": (count - 1) // 2, "worst PSNR": 0}


@pytest.mark.parametrize(("count", "labels"), [(0, []), (1, ["best PSNR"]), (2, ["best PSNR", "worst PSNR"])])
def test_a_slice_is_shown_once(count: int, labels: list[str]) -> None:
    assert list(shown(np.arange(count), 3)) == labels


ORDERS = {
    "random": lambda n: np.random.default_rng(1).permutation(n),
    "rising": np.arange,
    "falling": lambda n: np.arange(n)[::-1],
    "outside in": lambda n: np.stack([np.arange(n), np.arange(n)[::-1]], axis=1).ravel()[:n],
    "inside out": lambda n: np.stack([np.arange(n), np.arange(n)[::-1]], axis=1).ravel()[:n][::-1],
    "in blocks": lambda n: np.arange(n).reshape(10, -1)[[7, 0, 3, 9, 1, 8, 2, 6, 5, 4]].ravel(),
    "many alike": lambda n: np.arange(n) // 50,
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("capacity", [5, 25])
def test_of_more_slices_the_one_shown_is_near_the_median_in_any_order(order: str, capacity: int) -> None:
    count = 600
    found = shown(ORDERS[order](count), capacity)
    assert (found.pop("worst PSNR"), found.pop("best PSNR")) == (0, count - 1)
    [rank] = found.values()
    assert abs(rank - (count - 1) // 2) <= count / (capacity - 1)
    assert list(found) == ["median PSNR" if rank == (count - 1) // 2 else "near-median PSNR"]


def test_a_capacity_that_cannot_hold_three_slices_is_refused() -> None:
    with pytest.raises(ValueError, match=r"capacity must be at least 3, .* got 2"):
        Gallery(2)
