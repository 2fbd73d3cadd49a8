# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Atomic file writes, and output folders checked for write access."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monai_srgan.errors import about
from monai_srgan.processes import is_main_process

__all__ = ["writable_folder", "write_atomically"]


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write to a temporary file and rename it, so that the target is either complete or unchanged.

    Args:
        path: the target, in an existing folder.
        write: function that writes the file at the path it receives, which has the suffix of the target.
    """
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
    folder = Path(output_dir)
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
