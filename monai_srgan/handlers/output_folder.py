# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""An output folder that is known to be writable before the work begins."""

from __future__ import annotations

import tempfile
from pathlib import Path

__all__ = ["writable_folder"]


def writable_folder(output_dir: str | Path) -> Path:
    """Make a folder, and find out by writing whether files can be made in it.

    Args:
        output_dir: folder, made with its parents when it is missing.

    Returns:
        the folder.

    Raises:
        OSError: when it cannot be made or written to; the message names it and the reason.
    """
    folder = Path(output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"output_dir {folder} cannot be written to ({error}): choose another folder") from error
    return folder
