# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Candidates for the slices that a report shows, collected in one pass and in bounded memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, replace

from monai_srgan.report.examples import Example

__all__ = ["Gallery"]


@dataclass(frozen=True, order=True)
class _Rank:
    """Position of a slice among all: by value, then by order of arrival."""

    value: float
    arrival: int


@dataclass(frozen=True)
class _Candidate:
    rank: _Rank
    example: Example


class Gallery:
    """Keep the worst slice, the best one, and slices spread evenly over the ranks in between.

    The median is not known before the last slice. The gallery therefore holds at most `capacity` slices; whenever there
    is one more, it drops the one whose neighbors are closest in rank, never the worst or the best. A gap that is left
    behind spans at most ``2 n / (capacity - 1)`` of the n slices, and only slices that arrive within it can widen it,
    which split it first. So for any order of the slices, the one kept nearest to the median is at most
    ``n / (capacity - 1)`` ranks away (4 % of the slices for 25); up to `capacity` slices it is the median itself.

    A slice of 512x512 pixels with six methods takes about 9 MB.

    Args:
        capacity: largest number of slices to keep, at least 3.

    Raises:
        ValueError: if `capacity` is below 3.
    """

    def __init__(self, capacity: int = 25) -> None:
        if capacity < 3:
            raise ValueError(f"capacity must be at least 3, for worst, median and best, got {capacity}")
        self.capacity = capacity
        self._ranks: list[_Rank] = []
        self._kept: list[_Candidate] = []

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, value: float, example: Example) -> None:
        """Offer a slice.

        Args:
            value: score that ranks the slices, not NaN; higher is better.
            example: the slice.
        """
        rank = _Rank(value, len(self._ranks))
        insort(self._ranks, rank)
        insort(self._kept, _Candidate(rank, example), key=lambda candidate: candidate.rank)
        if len(self._kept) > self.capacity:
            places = [bisect_left(self._ranks, candidate.rank) for candidate in self._kept]
            inner = range(1, len(places) - 1)
            del self._kept[min(inner, key=lambda i: places[i + 1] - places[i - 1])]

    def examples(self, what: str) -> list[Example]:
        """Best, median and worst slice, as far as they differ, labeled "best PSNR in the head" and so on.

        Args:
            what: the score that ranks the slices, for the labels.
        """
        if not self._kept:
            return []
        middle = (len(self._ranks) - 1) // 2
        median = min(self._kept, key=lambda kept: abs(bisect_left(self._ranks, kept.rank) - middle))
        exact = median.rank == self._ranks[middle]
        # of fewer than three slices one is shown once, as worst or best
        chosen = {median.rank: "median" if exact else "near-median", self._kept[0].rank: "worst"}
        chosen[self._kept[-1].rank] = "best"
        by_label = {chosen[kept.rank]: kept.example for kept in self._kept if kept.rank in chosen}
        order = ("best", "median", "near-median", "worst")
        return [replace(by_label[label], label=f"{label} {what}") for label in order if label in by_label]
