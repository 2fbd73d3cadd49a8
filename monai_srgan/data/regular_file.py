# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Refuse to open what is not a file with contents: a pipe or device would be waited for, or never end."""

from __future__ import annotations

import stat
from pathlib import Path

from monai.config import PathLike

__all__ = ["require_regular_file"]

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def require_regular_file(path: PathLike) -> None:
    """Check, without opening it, that a path is a regular file; links are followed.

    Args:
        path: the path.

    Raises:
        FileNotFoundError: it does not exist.
        ValueError: it is a folder, a named pipe, a device or a socket.
    """
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist") from error
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "of an unknown kind")
        raise ValueError(f"{path}: must be a regular file, but it is {kind}: give the name of an image file")
