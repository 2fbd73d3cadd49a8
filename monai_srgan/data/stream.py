# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A training stream that does not depend on interruptions or on the number of workers, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from monai.utils import MAX_SEED
from torch.utils.data import Dataset, Sampler

from monai_srgan.processes import rank as own_rank
from monai_srgan.processes import world_size as all_processes

__all__ = ["SeededItems", "ShuffledStream", "batch_share"]


def batch_share(batch_size: int, world_size: int | None = None) -> int:
    """The number of items that each process takes of a job's batch.

    Args:
        batch_size: items in the batch of the whole job.
        world_size: number of processes; None for that of this job.

    Raises:
        ValueError: when the batch cannot be split evenly; the gradients would not be those of the whole batch.
    """
    world_size = all_processes() if world_size is None else world_size
    if batch_size % world_size:
        raise ValueError(
            f"batch_size, the batch of the whole job, must be a multiple of the number of processes, got {batch_size} "
            f"for {world_size}: set it to {max(1, round(batch_size / world_size)) * world_size}, "
            "or start another number of processes"
        )
    return batch_size // world_size


class ShuffledStream(Sampler):
    """Batches of an endless shuffled stream, a pure function of the seed, the process and the position.

    Position ``k`` of the stream is item ``permutation(seed, k // length)[k % length]``: each pass contains every item
    once. Batches continue across the end of a pass, so that no item is dropped and every batch is full. Iteration ``i``
    of an engine reads the positions from ``i * batch_size`` on. The stream is also a handler: attached to a trainer, it
    starts at the trainer's iteration, so that a resumed run gets the batches of an uninterrupted one. Without an
    engine, each loop yields the first ``iterations`` batches. Pass it to a ``DataLoader`` as ``batch_sampler``, with
    :class:`SeededItems` as the data set.

    In a job of ``n`` processes, each with its own data set, ``batch_size`` is that of the whole job: this process takes
    ``batch_size / n`` items of its own stream, shuffled by (seed, pass, n, rank). Each item has its position in the
    batches of the job, so that no two processes draw the same random transforms.

    Args:
        length: number of items in this process's data set.
        batch_size: number of items in a batch of the whole job.
        iterations: number of batches in an epoch, the loader's ``len``.
        seed: seed of the shuffles.
        rank: rank of this process; None for its rank in the job.
        world_size: number of processes; None for that of the job.

    Raises:
        ValueError: when a number is below 1, ``rank`` is out of range or the batch cannot be split evenly.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        iterations: int,
        seed: int = 0,
        *,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        self.rank = own_rank() if rank is None else rank
        self.world_size = all_processes() if world_size is None else world_size
        numbers = {"length": length, "batch_size": batch_size, "iterations": iterations, "world_size": self.world_size}
        for name, value in numbers.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.rank < self.world_size:
            raise ValueError(f"rank must be from 0 to world_size - 1 = {self.world_size - 1}, got {self.rank}")
        self.length = length
        self.batch_size = batch_size
        self.share = batch_share(batch_size, self.world_size)
        self.iterations = iterations
        self.seed = seed
        self._engine: Any = None

    def attach(self, engine: Any) -> None:
        """Start the stream at the last completed iteration of ``engine``."""
        self._engine = engine

    def __len__(self) -> int:
        return self.iterations

    def _order(self, shuffled_pass: int) -> np.ndarray:
        entropy: tuple[int, ...] = (self.seed, shuffled_pass)
        if self.world_size > 1:
            entropy += (self.world_size, self.rank)
        return np.random.default_rng(entropy).permutation(self.length)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        iteration = self._engine.state.iteration if self._engine is not None else 0
        # An engine counts its own iterations and may continue into the next epoch; a plain loop has to end.
        end = iteration + self.iterations if self._engine is None else None
        known_pass, order = -1, np.empty(0, dtype=np.int64)
        while iteration != end:
            batch = []
            for i in range(self.share):
                shuffled_pass, place = divmod(iteration * self.share + i, self.length)
                if shuffled_pass != known_pass:
                    known_pass, order = shuffled_pass, self._order(shuffled_pass)
                batch.append((int(order[place]), iteration * self.batch_size + self.rank * self.share + i))
            yield batch
            iteration += 1


class SeededItems(Dataset):
    """A data set whose random transforms are seeded by the position in a :class:`ShuffledStream`.

    Args:
        dataset: MONAI data set, such as ``CacheDataset``, whose ``transform`` may be ``Randomizable``.
        seed: seed that is combined with the position.
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
