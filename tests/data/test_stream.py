# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import islice
from types import SimpleNamespace

import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, RandGaussianNoised

from monai_srgan.data import SeededItems, ShuffledStream
from monai_srgan.data.stream import batch_share

# of 6 items, since before there were shards: what published weights were trained on depends on it
FIRST_OF_SEED_1 = [4, 0, 2, 1, 5, 3, 1, 4, 0, 3, 2, 5]


def positions(stream: ShuffledStream, batches: int) -> list[tuple[int, int]]:
    """The first batches, as an engine reads them: however many it wants."""
    if stream._engine is None:
        stream.attach(SimpleNamespace(state=SimpleNamespace(iteration=0)))
    return [item for batch in islice(iter(stream), batches) for item in batch]


def noisy_items() -> SeededItems:
    data = [{"image": torch.full((1, 2, 2), float(i))} for i in range(7)]
    return SeededItems(Dataset(data, Compose([RandGaussianNoised("image", prob=1.0, std=0.1)])), seed=3)


def read(num_workers: int, start: int, batches: int) -> torch.Tensor:
    stream = ShuffledStream(7, 4, iterations=5, seed=3)
    stream.attach(SimpleNamespace(state=SimpleNamespace(iteration=start)))
    loader = DataLoader(noisy_items(), batch_sampler=stream, num_workers=num_workers)
    return torch.stack([b["image"] for b in islice(iter(loader), batches)])


def test_every_pass_shows_each_item_once_and_in_a_new_order():
    items = [i for i, _ in positions(ShuffledStream(10, 5, iterations=1, seed=1), 4)]
    assert sorted(items[:10]) == sorted(items[10:]) == list(range(10))
    assert items[:10] != items[10:]
    assert items != [i for i, _ in positions(ShuffledStream(10, 5, iterations=1, seed=2), 4)]


def test_a_plain_loop_ends_after_the_batches_of_an_epoch():
    assert [[k for _, k in batch] for batch in ShuffledStream(3, 2, iterations=4)] == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_batches_are_full_across_the_end_of_a_pass():
    assert [k for _, k in positions(ShuffledStream(3, 4, iterations=1), 3)] == list(range(12))


def test_an_attached_stream_continues_at_the_engines_iteration():
    whole = positions(ShuffledStream(7, 4, iterations=5, seed=3), 6)
    resumed = ShuffledStream(7, 4, iterations=5, seed=3)
    resumed.attach(SimpleNamespace(state=SimpleNamespace(iteration=4)))
    assert positions(resumed, 2) == whole[16:]


def test_random_transforms_depend_on_seed_and_position_alone():
    whole = read(num_workers=0, start=0, batches=4)
    torch.testing.assert_close(read(num_workers=0, start=2, batches=2), whole[2:], rtol=0, atol=0)
    torch.testing.assert_close(read(num_workers=2, start=0, batches=4), whole, rtol=0, atol=0)


def ranks(world_size: int, batches: int, length: int = 5) -> list[list[tuple[int, int]]]:
    return [
        positions(ShuffledStream(length, 6, iterations=4, seed=3, rank=rank, world_size=world_size), batches)
        for rank in range(world_size)
    ]


def test_processes_fill_the_batch_of_the_job_between_them():
    first, second, third = ranks(3, 4)
    assert [k for _, k in first] == [0, 1, 6, 7, 12, 13, 18, 19]
    assert sorted(k for part in (first, second, third) for _, k in part) == list(range(24))


def test_every_process_shows_each_of_its_items_once_a_pass():
    for part in ranks(2, 5):
        shown = [i for i, _ in part]
        assert [sorted(shown[start : start + 5]) for start in (0, 5, 10)] == [list(range(5))] * 3


def test_processes_shuffle_differently_and_differently_from_one_process():
    length = 20
    orders = [[i for i, _ in part][:length] for world_size in (1, 2, 3) for part in ranks(world_size, 10, length)]
    assert len({tuple(order) for order in orders}) == 6


def test_a_resumed_process_sees_the_batches_it_would_have_seen():
    whole = ranks(2, 6)[1]
    resumed = ShuffledStream(5, 6, iterations=4, seed=3, rank=1, world_size=2)
    resumed.attach(SimpleNamespace(state=SimpleNamespace(iteration=4)))
    assert positions(resumed, 2) == whole[12:]


def test_one_process_of_one_reads_the_stream_that_it_always_read():
    assert [i for i, _ in positions(ShuffledStream(6, 3, iterations=1, seed=1), 4)] == FIRST_OF_SEED_1


@pytest.mark.parametrize(("batch_size", "remedy"), [(5, 4), (3, 4), (7, 8), (1, 2)])
def test_a_batch_that_the_processes_cannot_share_evenly_is_refused(batch_size, remedy):
    with pytest.raises(ValueError, match=f"must be a multiple .* got {batch_size} for 2: set it to {remedy}, or"):
        ShuffledStream(5, batch_size, iterations=1, rank=0, world_size=2)
    assert batch_share(12, 4) == 3
    assert batch_share(5) == 5


@pytest.mark.parametrize("rank", [-1, 2])
def test_a_rank_out_of_range_is_refused(rank):
    with pytest.raises(ValueError, match=f"rank must be from 0 to world_size - 1 = 1, got {rank}"):
        ShuffledStream(5, 4, iterations=1, rank=rank, world_size=2)


@pytest.mark.parametrize("name", ["length", "batch_size", "iterations"])
def test_numbers_below_one_are_refused_by_name(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        ShuffledStream(**{"length": 2, "batch_size": 2, "iterations": 2, name: 0})
