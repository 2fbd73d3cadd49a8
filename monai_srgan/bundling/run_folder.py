# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The output folder of a run, claimed and cleared of the files of earlier runs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from monai_srgan.bundling.folder_lock import claim_folder

__all__ = ["clear_folder", "set_aside"]

logger = logging.getLogger(__name__)


def set_aside(output_dir: str | Path, names: Iterable[str]) -> Path | None:
    """Move the files of an earlier run into ``previous-1``, ``previous-2``, ... inside the same folder.

    A new run in the same folder then overwrites nothing and mixes no files of two runs. Other files stay.
    In a distributed job only rank 0, which writes all files, moves any.

    Args:
        output_dir: output folder of a run that is about to start.
        names: names or patterns of files that a run writes, such as ``"losses.csv"`` or ``"events.*"``.

    Returns:
        the folder that the files moved to; None if there were none.
    """
    from monai_srgan.processes import is_main_process  # here, so that the command's --help need not load torch

    folder = Path(output_dir)
    old = sorted({path for name in names for path in folder.glob(name)}) if is_main_process() else []
    if not old:
        return None
    number = 1
    while (folder / f"previous-{number}").exists():
        number += 1
    aside = folder / f"previous-{number}"
    aside.mkdir()
    for path in old:
        path.rename(aside / path.name)
    logger.info("moved the files of an earlier run in %s to %s", folder, aside)
    return aside


def clear_folder(output_dir: str | Path, names: Iterable[str], *, keep: bool = False) -> str:
    """Make the output folder of a run, claimed for it and clear of an earlier run.

    Args:
        output_dir: see :func:`monai_srgan.bundling.folder_lock.claim_folder`.
        names: see :func:`set_aside`.
        keep: leave existing files in place, for a resumed run.

    Returns:
        the folder's path.

    Raises:
        OSError: another run writes to the folder, or it is not writable; see
            :func:`monai_srgan.bundling.folder_lock.claim_folder`.
    """
    folder = claim_folder(output_dir)
    if not keep:
        set_aside(folder, names)
    return str(folder)
