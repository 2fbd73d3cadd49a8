# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A training stream that is the same to the bit, however it is interrupted and by however many workers it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from monai.utils import MAX_SEED
from torch.utils.data import Dataset, Sampler

__all__ = ["SeededItems", "ShuffledStream"]


class ShuffledStream(Sampler):
    """Batches of an endless shuffled stream, a pure function of the seed and the position.

    Position ``k`` of the stream is item ``permutation(seed, k // length)[k % length]``: every pass shows each item
    once, and batches run across the end of a pass, so that no item is dropped and every batch is full. Iteration ``i``
    of an engine reads positions ``i * batch_size`` onwards. Attached to a trainer (it is a handler), the stream starts
    at the trainer's own iteration, so that a resumed run sees the batches that an uninterrupted one would have seen.
    Without an engine each loop over it shows the first ``iterations`` batches. Give it to a ``DataLoader`` as
    ``batch_sampler``, with :class:`SeededItems` as the data set.

    Args:
        length: number of items of the data set.
        batch_size: items in a batch.
        iterations: batches in an epoch: the loader's ``len``.
        seed: seed of the shuffles.

    Raises:
        ValueError: when a number is below 1.
    """

    def __init__(self, length: int, batch_size: int, iterations: int, seed: int = 0) -> None:
        for name, value in (("length", length), ("batch_size", batch_size), ("iterations", iterations)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.length = length
        self.batch_size = batch_size
        self.iterations = iterations
        self.seed = seed
        self._engine: Any = None

    def attach(self, engine: Any) -> None:
        """Let the stream begin at the iteration that ``engine`` has completed."""
        self._engine = engine

    def __len__(self) -> int:
        return self.iterations

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        done = self._engine.state.iteration if self._engine is not None else 0
        position = done * self.batch_size
        # An engine counts its iterations itself and may go on into the next epoch; a plain loop must come to an end.
        end = position + self.iterations * self.batch_size if self._engine is None else None
        shuffled_pass, order = -1, np.empty(0, dtype=np.int64)
        while position != end:
            batch = []
            for k in range(position, position + self.batch_size):
                if k // self.length != shuffled_pass:
                    shuffled_pass = k // self.length
                    order = np.random.default_rng((self.seed, shuffled_pass)).permutation(self.length)
                batch.append((int(order[k % self.length]), k))
            yield batch
            position += self.batch_size


class SeededItems(Dataset):
    """Items whose random transforms are seeded by their position in a :class:`ShuffledStream`.

    Args:
        dataset: MONAI data set, such as ``CacheDataset``, whose ``transform`` may be ``Randomizable``.
        seed: seed that is mixed with the position.
    """

    def __init__(self, dataset: Any, seed: int = 0) -> None:
        self.dataset = dataset
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, item: tuple[int, int]) -> Any:
        index, position = item
        reseed = getattr(getattr(self.dataset, "transform", None), "set_random_state", None)
        if reseed is not None:
            reseed(seed=int(np.random.SeedSequence((self.seed, position)).generate_state(1)[0]) % MAX_SEED)
        return self.dataset[index]
