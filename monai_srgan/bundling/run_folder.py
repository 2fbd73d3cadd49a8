# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The output folder of a run, cleared of what an earlier run left in it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from monai_srgan.files import writable_folder
from monai_srgan.processes import is_main_process

__all__ = ["clear_folder", "set_aside"]

logger = logging.getLogger(__name__)


def set_aside(output_dir: str | Path, names: Iterable[str]) -> Path | None:
    """Move what an earlier run left in a folder into ``previous-1``, ``previous-2``, ... inside it.

    A new run into the same folder then overwrites nothing, and nothing of two runs is mixed. Other files stay.
    In a job of many processes only rank 0, which writes all files, moves any.

    Args:
        output_dir: folder of a run that begins.
        names: names or patterns, such as ``"losses.csv"`` or ``"events.*"``, of what a run leaves there.

    Returns:
        the folder that the files went to; None where there was nothing to move.
    """
    folder = Path(output_dir)
    left = sorted({path for name in names for path in folder.glob(name)}) if is_main_process() else []
    if not left:
        return None
    number = 1
    while (folder / f"previous-{number}").exists():
        number += 1
    aside = folder / f"previous-{number}"
    aside.mkdir()
    for path in left:
        path.rename(aside / path.name)
    logger.info("the files of an earlier run in %s are now in %s", folder, aside)
    return aside


def clear_folder(output_dir: str | Path, names: Iterable[str], *, keep: bool = False) -> str:
    """The folder of a run, writable and clear of an earlier one, for all that writes into it to ask for.

    Args:
        output_dir: see :func:`writable_folder`.
        names: see :func:`set_aside`.
        keep: leave what is there, for a run that goes on.

    Returns:
        the folder's path.
    """
    folder = writable_folder(output_dir)
    if not keep:
        set_aside(folder, names)
    return str(folder)
