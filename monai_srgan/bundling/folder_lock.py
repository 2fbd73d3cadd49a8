# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A lock on an output folder, so that two runs never write to one."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from monai_srgan.errors import about

__all__ = ["FolderInUseError", "claim_folder", "release_folder", "run_in_folder"]

logger = logging.getLogger(__name__)

_NAME = ".monai-srgan.lock"
_held: dict[Path, FileLock] = {}

T = TypeVar("T")


class FolderInUseError(OSError):
    """Another process writes to the folder."""


def claim_folder(output_dir: str | Path) -> Path:
    """Make a folder writable for this process alone, and remove unfinished files of killed runs from it.

    The lock is the kernel's: it ends with the process, however that ends, so that a killed run blocks nobody. A process
    may claim a folder again. In a job of many processes rank 0, which writes all files, claims it.

    Args:
        output_dir: see :func:`monai_srgan.files.writable_folder`.

    Returns:
        the folder.

    Raises:
        FolderInUseError: another process has claimed the folder; the message has its ID and host.
        OSError: see :func:`monai_srgan.files.writable_folder`.
    """
    from monai_srgan.files import remove_partials, writable_folder  # here, so that --help need not load torch
    from monai_srgan.processes import is_main_process

    folder = writable_folder(output_dir)
    key = folder.resolve()
    if not is_main_process() or key in _held:
        return folder
    file = key / _NAME
    lock = FileLock(file, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        message = f"output_dir {folder} is in use by {_owner(file)}: wait for that run, or choose another folder"
        raise about(FolderInUseError(message), "output_dir") from None
    except (NotImplementedError, OSError) as error:  # some network file systems have no locks
        logger.warning("%s cannot be locked (%s): start no second run in it", folder, error)
        return folder
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a name on it
        file.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
    _held[key] = lock
    remove_partials(key)
    return folder


def _owner(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"


def release_folder(output_dir: str | Path) -> None:
    """Give up the claim of this process on a folder, if it has one.

    Args:
        output_dir: the folder.
    """
    key = Path(output_dir).resolve()
    lock = _held.pop(key, None)
    if lock is not None:
        with contextlib.suppress(OSError):  # Windows does not remove an open file
            (key / _NAME).unlink(missing_ok=True)
        lock.release()


def run_in_folder(output_dir: str | Path, function: Callable[..., T], *args: object) -> T:
    """Call a function that writes to a folder, claimed for this process until it ends, however it does.

    Args:
        output_dir: see :func:`claim_folder`.
        function: the function.
        args: its arguments.

    Raises:
        OSError: see :func:`claim_folder`.
    """
    claim_folder(output_dir)
    try:
        return function(*args)
    finally:
        release_folder(output_dir)


@atexit.register
def _release_all() -> None:
    for key in list(_held):
        release_folder(key)


def _forget() -> None:
    """In a forked process: the locks are its parent's."""
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
