# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Sharding of a data list by patient among the processes of a job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from monai.data import CacheDataset

from monai_srgan.data.splits import patient_stem
from monai_srgan.processes import is_main_process, rank, world_size

__all__ = ["PatientShardDataset", "shard_by_patient"]


def shard_by_patient(
    items: Sequence[Mapping[str, Any]], rank: int, world_size: int, section: str = "the data list"
) -> list[Mapping[str, Any]]:
    """The items of one process's patients.

    Each patient goes to one process: the patient with the most slices first (ties by name), to the process with the
    fewest slices so far. The result depends on the list alone. Shards share no patient, their union is the list, and no
    two differ by more slices than the largest patient has.

    Args:
        items: data list with "patient"; later scans of a head (see :func:`monai_srgan.data.patient_stem`) stay
            together.
        rank: rank of the process, 0 to ``world_size - 1``.
        world_size: number of processes.
        section: name of the list in messages.

    Returns:
        Items of this process, in the order of the list.

    Raises:
        ValueError: when ``rank`` is out of range, an item has no patient, or there are fewer patients than processes.
    """
    if not 0 <= rank < world_size:
        raise ValueError(f"rank must be from 0 to world_size - 1 = {world_size - 1}, got {rank}")
    nameless = [number for number, item in enumerate(items) if "patient" not in item]
    if nameless:
        raise ValueError(f"items of {section} must have 'patient' to be sharded, item {nameless[0]} has none")
    stems = [patient_stem(item["patient"]) for item in items]
    sizes = Counter(stems)
    if len(sizes) < world_size:
        raise ValueError(
            f"{section} has {len(sizes)} patients for {world_size} processes, and each needs at least one: "
            "start fewer processes, or add patients"
        )
    loads = [0] * world_size
    owner = {}
    for stem in sorted(sizes, key=lambda stem: (-sizes[stem], stem)):
        owner[stem] = loads.index(min(loads))
        loads[owner[stem]] += sizes[stem]
    return [item for item, stem in zip(items, stems, strict=True) if owner[stem] == rank]


class PatientShardDataset(CacheDataset):
    """MONAI's ``CacheDataset`` on the patients of this process, see :func:`shard_by_patient`.

    Every process passes the whole list, and reads and caches its own part. In a single process it is a
    ``CacheDataset``.

    Args:
        data: the whole data list, the same on all processes.
        transform: as in :py:class:`monai.data.CacheDataset`.
        kwargs: further arguments of ``CacheDataset``; only rank 0 shows progress.

    Raises:
        ValueError: as :func:`shard_by_patient`.
    """

    def __init__(
        self, data: Sequence[Mapping[str, Any]], transform: Sequence[Callable] | Callable | None = None, **kwargs: Any
    ) -> None:
        kwargs["progress"] = kwargs.get("progress", True) and is_main_process()
        super().__init__(data=shard_by_patient(data, rank(), world_size()), transform=transform, **kwargs)
