# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Atomic file writes, and folders that are known to be writable."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monai_srgan.processes import is_main_process

__all__ = ["writable_folder", "write_atomically"]


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside the target and rename, so that the target is the whole file or is as it was.

    Args:
        path: the target; its folder exists.
        write: writes the file at the path that it is given, which has the target's suffix.
    """
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def writable_folder(output_dir: str | Path) -> Path:
    """Make a folder, and find out by writing whether files can be made in it.

    In a job of many processes only rank 0, which writes all files, does so.

    Args:
        output_dir: folder, made with its parents when it is missing.

    Returns:
        the folder.

    Raises:
        OSError: when it cannot be made or written to; the message names it and the reason.
    """
    folder = Path(output_dir)
    if not is_main_process():
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"output_dir {folder} cannot be written to ({error}): choose another folder") from error
    return folder
