# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Sharding of patients among processes."""

from __future__ import annotations

import random

import pytest
from monai.transforms import Lambda

from monai_srgan.data.shards import PatientShardDataset, shard_by_patient
from monai_srgan.data.splits import patient_stem

SIZES = {"MR1": 40, "MR2": 7, "MR3": 19, "MR4": 19, "MR5": 1, "MR6": 30, "MR7": 3, "MR8": 11, "MR9": 2}


def items() -> list[dict[str, str]]:
    """Slices of nine patients, not in the order of the patients; every third is of a later scan."""
    pids = [f"{stem}{'B' if i % 3 == 2 else ''}" for stem, size in SIZES.items() for i in range(size)]
    random.Random(3).shuffle(pids)
    return [{"image": f"{number}.mat", "patient": pid} for number, pid in enumerate(pids)]


def shards(world_size: int) -> list[list[dict[str, str]]]:
    return [shard_by_patient(items(), rank, world_size) for rank in range(world_size)]


@pytest.mark.parametrize("world_size", [1, 2, 3, 4, 9])
def test_shards_share_no_patient_and_are_the_whole_list(world_size):
    parts = shards(world_size)
    stems = [{patient_stem(item["patient"]) for item in part} for part in parts]
    assert sum(map(len, stems)) == len(set().union(*stems)) == len(SIZES)
    assert all(stems)
    names = [item["image"] for part in parts for item in part]
    assert sorted(names) == sorted(item["image"] for item in items())


def test_shards_keep_the_order_of_the_list_and_do_not_change():
    for part in shards(3):
        numbers = [int(item["image"].removesuffix(".mat")) for item in part]
        assert numbers == sorted(numbers)
    assert shards(3) == shards(3)


def test_shards_are_balanced_by_slices_not_by_patients():
    # 40, 30, 19, 19, 11, 7, 3, 2, 1, each to the shorter side: 132 slices
    assert sorted(map(len, shards(2))) == [66, 66]
    assert sorted(map(len, shards(3))) == [43, 44, 45]


def test_one_large_patient_stays_whole():
    listed = [{"patient": "A"}] * 10 + [{"patient": "B"}, {"patient": "C"}]
    assert [len(shard_by_patient(listed, rank, 2)) for rank in range(2)] == [10, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10, "training"), "training has 9 patients for 10 processes, and each needs at least one: start fewer"),
        ((2, 2), "rank must be from 0 to world_size - 1 = 1, got 2"),
    ],
)
def test_shards_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        shard_by_patient(items(), *arguments)


def test_an_item_without_a_patient_is_refused():
    with pytest.raises(ValueError, match="must have 'patient' to be sharded, item 1 has none"):
        shard_by_patient([{"patient": "A"}, {"image": "2.mat"}], 0, 2)


def test_the_data_set_holds_and_caches_the_patients_of_its_process_alone(monkeypatch):
    assert len(PatientShardDataset(items(), progress=False)) == 132
    monkeypatch.setattr("monai_srgan.data.shards.rank", lambda: 1)
    monkeypatch.setattr("monai_srgan.data.shards.world_size", lambda: 3)
    read = []
    load = Lambda(lambda item: read.append(item["image"]) or item)
    dataset = PatientShardDataset(items(), transform=load, num_workers=0, progress=False)
    own = [item["image"] for item in shard_by_patient(items(), 1, 3)]
    assert read == own
    assert [dataset[i]["image"] for i in range(len(dataset))] == own
    assert read == own  # from the cache
