# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The processes of one job, one a device, as torchrun starts them: who is who, and what all must agree on.

Without a process group everything here is that of a single process.
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
_begun_here = False


def _grouped() -> bool:
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Number of this process in the job, 0 .. ``world_size() - 1``."""
    return dist.get_rank() if _grouped() else 0


def world_size() -> int:
    """Number of processes of the job."""
    return dist.get_world_size() if _grouped() else 1


def is_main_process() -> bool:
    """Whether this process is the one that writes files: rank 0."""
    return rank() == 0


def process_device() -> torch.device:
    """The device of this process: the GPU with the number ``LOCAL_RANK``, or the CPU where there is no CUDA.

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
    """Join the job that torchrun has started: NCCL between GPUs, gloo between CPUs.

    Processes other than rank 0 stay silent in the log below warnings. A process group that is there already is kept.

    Args:
        device: device of this process, see :func:`process_device`.
        timeout: minutes after which a process stops waiting for another one.

    Raises:
        RuntimeError: when torchrun did not start this process.
    """
    global _begun_here  # the group itself is global to the process, too
    device = torch.device(device)
    if not _grouped():
        missing = [name for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
        if missing:
            raise RuntimeError(
                f"a job of many processes is started by torchrun, which sets {', '.join(missing)}: "
                "torchrun --standalone --nproc_per_node=2 -m monai.bundle run training --config_file ..."
            )
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(minutes=timeout))
        _begun_here = True
    # ignite's first call of any kind is a collective one, so that all processes must make it together: here.
    idist.sync()
    if not is_main_process():
        logging.disable(logging.INFO)
    logger.info("%d processes, this one on %s", world_size(), device)


def end_processes() -> None:
    """Wait for the others and leave the job that :func:`start_processes` has joined."""
    global _begun_here
    if not is_main_process():
        logging.disable(logging.NOTSET)
    if _begun_here and _grouped():
        on_all_processes(lambda: None)
        idist.finalize()  # destroys the group
    _begun_here = False


def gather(value: T) -> list[T]:
    """One value a process, in the order of ranks, on all processes.

    Args:
        value: anything that pickles.
    """
    if world_size() == 1:
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def gather_on_main(value: T) -> list[T] | None:
    """One value a process, in the order of ranks, on rank 0; None on the others. All processes must call it.

    Args:
        value: anything that pickles.
    """
    if world_size() == 1:
        return [value]
    values: list[Any] | None = [None] * world_size() if is_main_process() else None
    dist.gather_object(value, values)
    return values


def on_all_processes(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function on all processes; where it fails on one, all fail, so that none waits for a dead one.

    Args:
        function: what to call; it must not wait for other processes itself.
        args: its arguments.
        kwargs: its keyword arguments.

    Returns:
        what it returned in this process.

    Raises:
        RuntimeError: on processes on which it went well, when it failed on others; the message says where and why.
        Exception: its own one, on the processes on which it failed.
    """
    error: Exception | None = None
    try:
        result = function(*args, **kwargs)
    except Exception as caught:
        error = caught
    told = gather(None if error is None else f"{type(error).__name__}: {error}")
    if error is not None:
        raise error
    failed = [f"process {i}: {text}" for i, text in enumerate(told) if text is not None]
    if failed:
        raise RuntimeError("other processes of the job failed; " + "; ".join(failed))
    return result


def in_turn(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function on one process after the other, in the order of ranks.

    What the first one writes the others find, whether or not their machines share a file system.

    Args:
        function: what to call.
        args: its arguments.
        kwargs: its keyword arguments.

    Returns:
        what it returned in this process.

    Raises:
        Exception: as :func:`on_all_processes`.
    """
    results = [
        on_all_processes(lambda turn=turn: function(*args, **kwargs) if turn == rank() else None)
        for turn in range(world_size())
    ]
    return results[rank()]  # type: ignore[return-value]  # None only in the turns of others


def require_same_on_all(**values: Any) -> None:
    """Refuse a job whose processes do not see the same data or settings.

    Processes that disagree on the data list would take patients of one another, or wait for batches that never come.
    Of a data list the names of the files and the patients count, not the folder, which may differ between machines.

    Args:
        values: by name, data lists (items with "image" and "patient") or plain values.

    Raises:
        ValueError: on all processes; names each value that differs, and with which process.
    """
    everywhere = gather({name: _comparable(value) for name, value in values.items()})
    different = [
        f"{name} (process 0 has {_short(everywhere[0][name])}, process {i} {_short(other[name])})"
        for i, other in enumerate(everywhere)
        for name in other
        if other[name] != everywhere[0][name]
    ]
    if different:
        raise ValueError(
            f"all processes of a job must have the same data and settings, but these differ: {'; '.join(different)}. "
            "Give every machine the same slices and the same command"
        )


def _comparable(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return [(Path(str(item["image"])).name, item["patient"]) for item in value]
    return value


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} items"
    return repr(value)


def mean_over_processes(values: Mapping[str, float], device: torch.device | str) -> dict[str, float]:
    """Means of named numbers over the processes, all of which must call it with the same names.

    A number that is NaN or infinite on one process is so on all.

    Args:
        values: the numbers.
        device: device of this process.
    """
    if world_size() == 1:
        return dict(values)
    means = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
    dist.all_reduce(means)
    return dict(zip(values, (means / world_size()).tolist(), strict=True))
