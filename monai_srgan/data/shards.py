# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The patients of a data list shared out among the processes of a job."""

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
    """The items of the patients that one of several processes works on.

    Patients are dealt whole: the one with the most slices first (by name where two have as many), each to the process
    that has the fewest slices so far. The result depends on the list alone; shards share no patient, together they are
    the list, and no two differ by more slices than the largest patient has.

    Args:
        items: data list with "patient"; later scans of a head (see :func:`monai_srgan.data.patient_stem`) stay
            together.
        rank: number of the process, 0 .. ``world_size - 1``.
        world_size: number of processes.
        section: name of the list for messages.

    Returns:
        items of this process, in the order of the list.

    Raises:
        ValueError: when ``rank`` is out of range, an item has no patient, or there are fewer patients than processes.
    """
    if not 0 <= rank < world_size:
        raise ValueError(f"rank must be 0 .. world_size - 1 = {world_size - 1}, got {rank}")
    nameless = [number for number, item in enumerate(items) if "patient" not in item]
    if nameless:
        raise ValueError(f"items of {section} must have 'patient' to be shared out, item {nameless[0]} has none")
    stems = [patient_stem(item["patient"]) for item in items]
    sizes = Counter(stems)
    if len(sizes) < world_size:
        raise ValueError(
            f"{section} has {len(sizes)} patients for {world_size} processes, of which each needs one: "
            "start fewer processes, or add patients"
        )
    loads = [0] * world_size
    owner = {}
    for stem in sorted(sizes, key=lambda stem: (-sizes[stem], stem)):
        owner[stem] = loads.index(min(loads))
        loads[owner[stem]] += sizes[stem]
    return [item for item, stem in zip(items, stems, strict=True) if owner[stem] == rank]


class PatientShardDataset(CacheDataset):
    """MONAI's ``CacheDataset`` on the patients of this process alone, see :func:`shard_by_patient`.

    Every process gives it the whole list and holds, caches and reads its own part of it. In a single process it is a
    ``CacheDataset``.

    Args:
        data: the whole data list, the same on all processes.
        transform: as in :py:class:`monai.data.CacheDataset`.
        kwargs: further arguments of ``CacheDataset``; progress is shown by rank 0 only.

    Raises:
        ValueError: as :func:`shard_by_patient` does.
    """

    def __init__(
        self, data: Sequence[Mapping[str, Any]], transform: Sequence[Callable] | Callable | None = None, **kwargs: Any
    ) -> None:
        kwargs["progress"] = kwargs.get("progress", True) and is_main_process()
        super().__init__(data=shard_by_patient(data, rank(), world_size()), transform=transform, **kwargs)
