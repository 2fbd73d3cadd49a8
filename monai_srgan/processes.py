# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Distributed jobs, one process per device, started by torchrun: ranks, agreement, and joint failure.

Without a process group, every function works as in a job of one process.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import ignite.distributed as idist
import torch
import torch.distributed as dist

from monai_srgan.settings import differences

__all__ = [
    "end_processes",
    "gather",
    "gather_on_main",
    "in_turn",
    "is_main_process",
    "mean_over_processes",
    "on_all_processes",
    "process_device",
    "rank",
    "require_same_on_all",
    "start_processes",
    "world_size",
]

logger = logging.getLogger(__name__)

T = TypeVar("T")
_TORCHRUN_VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_initialized_here = False


def _grouped() -> bool:
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Rank of this process in the job, 0 to ``world_size() - 1``."""
    return dist.get_rank() if _grouped() else 0  # not ignite's get_rank, whose first call is collective


def world_size() -> int:
    """Number of processes in the job."""
    return dist.get_world_size() if _grouped() else 1


def is_main_process() -> bool:
    """Whether this process has rank 0, the one that writes files and logs."""
    return rank() == 0


def process_device() -> torch.device:
    """The device of this process: GPU number ``LOCAL_RANK``, or the CPU where there is no CUDA.

    Raises:
        ValueError: when the machine has fewer GPUs than processes.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    index, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if index >= count:
        raise ValueError(
            f"LOCAL_RANK must be below the number of GPUs, got {index} with {count}: "
            f"start torchrun with --nproc_per_node={count} or fewer"
        )
    return torch.device("cuda", index)


def start_processes(device: torch.device | str, timeout: float = 10.0) -> None:
    """Join the job that torchrun has started, with NCCL between GPUs and gloo between CPUs.

    Processes other than rank 0 log warnings and errors only. An existing process group is kept.

    Args:
        device: device of this process, see :func:`process_device`.
        timeout: number of minutes to wait for another process.

    Raises:
        RuntimeError: when torchrun did not start this process.
    """
    global _initialized_here  # the group is global to the process, too
    device = torch.device(device)
    if not _grouped():
        missing = [name for name in _TORCHRUN_VARIABLES if name not in os.environ]
        if missing:
            raise RuntimeError(
                f"start a job of many processes with torchrun, which sets {', '.join(missing)}: "
                "torchrun --standalone --nproc_per_node=2 -m monai.bundle run training --config_file ..."
            )
        idist.initialize("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(minutes=timeout))
        _initialized_here = True
    else:
        idist.sync()  # ignite's first call is collective: all processes must make it together
    if not is_main_process():
        logging.disable(logging.INFO)
    logger.info("%d processes, this one on %s", world_size(), device)


def end_processes() -> None:
    """Wait for the other processes, and leave the job that :func:`start_processes` has joined."""
    global _initialized_here
    if not is_main_process():
        logging.disable(logging.NOTSET)
    if _initialized_here and _grouped():
        idist.barrier()
        idist.finalize()  # destroys the group
    _initialized_here = False


def gather(value: T) -> list[T]:
    """Gather one value per process, in the order of ranks, on all processes.

    Args:
        value: anything that pickles.
    """
    if world_size() == 1:
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def gather_on_main(value: T) -> list[T] | None:
    """Gather one value per process, in the order of ranks, on rank 0; None on the others. All must call it.

    Args:
        value: anything that pickles.
    """
    if world_size() == 1:
        return [value]
    values: list[Any] | None = [None] * world_size() if is_main_process() else None
    dist.gather_object(value, values)
    return values


def on_all_processes(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function on all processes. If it fails on one, all fail, so that none waits for a dead process.

    Args:
        function: function without collective calls of its own.
        args: its arguments.
        kwargs: its keyword arguments.

    Returns:
        Its result in this process.

    Raises:
        RuntimeError: on the processes where it succeeded, if it failed on others; the message says where and why.
        Exception: the function's own exception, on the processes where it failed.
    """
    error: Exception | None = None
    try:
        result = function(*args, **kwargs)
    except Exception as caught:
        error = caught
    errors = gather(None if error is None else f"{type(error).__name__}: {error}")
    if error is not None:
        raise error
    failed = [f"process {i}: {text}" for i, text in enumerate(errors) if text is not None]
    if failed:
        raise RuntimeError("other processes of the job failed; " + "; ".join(failed))
    return result


def in_turn(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function on one process after another, in the order of ranks.

    Files that the first process writes are found by the others, whether or not their machines share a file system.

    Args:
        function: function without collective calls of its own.
        args: its arguments.
        kwargs: its keyword arguments.

    Returns:
        Its result in this process.

    Raises:
        Exception: as :func:`on_all_processes`.
    """
    results = [
        on_all_processes(lambda turn=turn: function(*args, **kwargs) if turn == rank() else None)
        for turn in range(world_size())
    ]
    return results[rank()]  # type: ignore[return-value]  # None only in the turns of others


def require_same_on_all(**values: Any) -> None:
    """Check that all processes have the same data and settings.

    Processes with different data lists would train on each other's patients, or wait for batches that never come. Data
    lists are compared by file name and patient, not by folder, which may differ between machines.

    Args:
        values: data lists (items with "image" and "patient") or plain values, by name.

    Raises:
        ValueError: on all processes; the message names each value that differs, and the process.
    """
    everywhere = gather({name: _comparable(value) for name, value in values.items()})
    different = [
        f"{d.name} (process 0 has {d.first}, process {i} has {d.second})"
        for i, other in enumerate(everywhere)
        for d in differences(everywhere[0], other)
    ]
    if different:
        raise ValueError(
            f"all processes of a job must have the same data and settings, but these differ: {'; '.join(different)}. "
            "Use the same slices and the same command on every machine"
        )


def _comparable(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return [(Path(str(item["image"])).name, item["patient"]) for item in value]
    return value


def mean_over_processes(values: Mapping[str, float], device: torch.device | str) -> dict[str, float]:
    """Means of named numbers over the processes, which must all call it with the same names.

    A number that is NaN or infinite on one process is NaN or infinite on all.

    Args:
        values: numbers by name.
        device: device of this process.
    """
    if world_size() == 1:
        return dict(values)
    sums = idist.all_reduce(torch.tensor(list(values.values()), dtype=torch.float64, device=device))
    return dict(zip(values, (sums / world_size()).tolist(), strict=True))
