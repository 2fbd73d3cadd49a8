# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Slices for benchmarks: those of the figshare set in the folder MONAI_SRGAN_DATA, else phantoms."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monai_srgan.phantoms import write_phantom_dataset

__all__ = ["slice_files"]


@contextmanager
def slice_files(count: int) -> Iterator[tuple[list[Path], str]]:
    """Paths of ``count`` slices, evenly spread over the set, and a description; phantoms are deleted at the end.

    Args:
        count: number of slices, at least 1; fewer if the folder has fewer.

    Raises:
        FileNotFoundError: the folder MONAI_SRGAN_DATA contains no slices.
    """
    folder = os.environ.get("MONAI_SRGAN_DATA")
    if folder:
        found = sorted((path for path in Path(folder).rglob("*.mat") if path.stem.isdigit()), key=lambda p: int(p.stem))
        if not found:
            raise FileNotFoundError(
                f"MONAI_SRGAN_DATA={folder} contains no slices: set it to a folder with 1.mat, 2.mat, ..."
            )
        step = max(len(found) // count, 1)
        chosen = found[::step][:count]
        yield chosen, f"{len(chosen)} slices of the figshare set"
        return
    with tempfile.TemporaryDirectory() as temporary:
        root = write_phantom_dataset(Path(temporary) / "phantom", num_patients=count)
        yield (
            sorted(root.glob("*.mat")),
            f"{count} phantom slices (set MONAI_SRGAN_DATA to use those of the figshare set)",
        )
