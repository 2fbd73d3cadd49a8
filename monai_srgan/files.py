# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Atomic file writes, and output folders checked for write access."""

from __future__ import annotations

import errno
import io
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monai_srgan.errors import about
from monai_srgan.flags import require_path
from monai_srgan.processes import is_main_process

__all__ = ["remove_partials", "writable_folder", "write_atomically", "write_tensors"]

logger = logging.getLogger(__name__)

_PARTIAL = ".partial-"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_counter = itertools.count()  # threads may write files of one name into one folder


def write_atomically(path: Path, write: Callable[[Path], Any], *, durable: bool = False) -> None:
    """Write to a temporary file and rename it, so that the target is either complete or unchanged.

    Args:
        path: the target, in an existing folder.
        write: function that writes the file at the path it receives, which has the suffix of the target.
        durable: wait until the file is on the disk, so that it survives a crash of the machine: for files whose loss
            would cost a run.

    Raises:
        OSError: the file cannot be written; the message names it, and says so where the disk is full.
    """
    # the end of the name: with the whole one, a name of the longest length allowed would not fit
    partial = path.with_name(f"{_PARTIAL}{os.getpid()}-{next(_counter)}-{path.name[-40:]}")
    try:
        write(partial)
        if durable:
            _flush(partial)
        partial.replace(path)
        if durable and os.name == "posix":
            _flush(path.parent)
    except Exception as error:
        explained = _explained(path, partial, error)
        if explained is None:
            raise
        raise about(explained, "output_dir") from error
    finally:
        partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explained(path: Path, partial: Path, error: Exception) -> OSError | None:
    """The error in terms of the target; None for an error that is not about the place where it is written."""
    cause: BaseException | None = error
    while cause is not None:  # libraries wrap the errors of the file system, and HDF5 turns its number into text
        if getattr(cause, "errno", None) in _FULL or os.strerror(errno.ENOSPC) in str(cause):
            kept = "the earlier file is unchanged" if path.exists() else "nothing was written"
            message = (
                f"{path} cannot be written: the disk is full ({_free(path.parent)} are free in {path.parent}); {kept}. "
                "Free some space, or choose another folder"
            )
            full = OSError(message)
            full.errno = errno.ENOSPC
            return full
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, OSError) and str(error.filename) in (str(partial), str(path)):
        return type(error)(f"{path} cannot be written ({error.strerror}): choose another folder")
    return None


def _free(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e6:.1f} MB"
    except OSError:
        return "0 MB"


def write_tensors(path: Path, content: Any) -> None:
    """Write what ``torch.load`` reads: atomically, durably, and the same bytes for the same content.

    ``torch.save`` stores the name of the file that it writes to, which is a temporary one here. It therefore writes to
    memory first; a full disk is then an error of the file system, which says so.

    Args:
        path: the target, in an existing folder.
        content: state dict or checkpoint.

    Raises:
        OSError: see :func:`write_atomically`.
    """
    import torch  # here, so that the command's --help need not load it

    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, lambda partial: partial.write_bytes(buffer.getbuffer()), durable=True)


def remove_partials(folder: Path) -> list[Path]:
    """Remove the temporary files of :func:`write_atomically` that a killed process left in a folder or just below it.

    Args:
        folder: folder that no other process writes to.

    Returns:
        the files.
    """
    found = sorted([*folder.glob(f"{_PARTIAL}*"), *folder.glob(f"*/{_PARTIAL}*")])
    for path in found:
        path.unlink(missing_ok=True)
    if found:
        logger.info("removed %d unfinished file(s) of a killed run in %s", len(found), folder)
    return found


def writable_folder(output_dir: str | Path) -> Path:
    """Create a folder and check that it is writable by writing a temporary file.

    In a job with several processes only rank 0, which writes all files, does this.

    Args:
        output_dir: folder, created with its parents if missing.

    Returns:
        the folder.

    Raises:
        OSError: the folder cannot be created or written to; the message has the reason.
    """
    folder = require_path("output_dir", output_dir)
    if not is_main_process():
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise about(
            OSError(f"output_dir {folder} cannot be written to ({error}): choose another folder"), "output_dir"
        ) from error
    return folder
