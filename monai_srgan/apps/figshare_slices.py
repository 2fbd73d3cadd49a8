# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The slice files of the figshare brain tumor set on disk: found, read and checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from monai.config import PathLike
from tqdm import tqdm

from monai_srgan.data.cjdata import read_cjdata
from monai_srgan.data.mat_file import MatFileError
from monai_srgan.data.natural_order import natural_key
from monai_srgan.errors import about

__all__ = ["FOLD_TABLE", "SliceFile", "find_slices", "scan_slices"]

#: The set's own table of folds, which lies among the slices.
FOLD_TABLE = "cvind.mat"

_MANY = 100  # number of files from which a progress bar is shown


@dataclass(frozen=True)
class SliceFile:
    """A slice file that can be read.

    Attributes:
        path: the file.
        patient: stem of the patient ID.
        tumor_type: 1, 2 or 3, see :data:`monai_srgan.data.TUMOR_TYPES`.
        size: pixels along x and y.
    """

    path: Path
    patient: str
    tumor_type: int
    size: tuple[int, int]


def find_slices(dataset_dir: PathLike) -> list[Path]:
    """All ``*.mat`` files at any depth of a folder, in numerical order, except ``cvind.mat`` and hidden files.

    Args:
        dataset_dir: the folder; ``~`` is the home folder.

    Raises:
        FileNotFoundError: the folder does not exist, or contains no slice.
        ValueError: two file names have the same number, such as ``7.mat`` and ``sub/7.mat``.
    """
    root = Path(dataset_dir).expanduser()
    if not root.is_dir():
        raise about(
            FileNotFoundError(f"dataset_dir must be a folder with .mat slices, got {root}, which is not a folder."),
            "dataset_dir",
        )
    found = [
        path
        for path in root.rglob("*")
        if path.suffix.lower() == ".mat" and path.name.lower() != FOLD_TABLE and path.name[0] != "." and path.is_file()
    ]
    if not found:
        raise about(
            FileNotFoundError(
                f"dataset_dir={root} contains no .mat slices: give the folder of the unpacked dataset, download it "
                "with FigshareBrainTumorDataset(..., download=True), or write phantoms with write_phantom_dataset."
            ),
            "dataset_dir",
        )
    found.sort(key=lambda path: (natural_key(path.name), natural_key(str(path.parent))))
    _check_unique(found)
    return found


def scan_slices(dataset_dir: PathLike, progress: bool = True) -> tuple[SliceFile, ...]:
    """Read and check every slice of a folder, once per process as long as no file changes.

    Args:
        dataset_dir: as for :func:`find_slices`.
        progress: show a progress bar on a terminal if there are many files.

    Raises:
        MatFileError: slices cannot be used; the message lists all of them with the reasons.
    """
    files = find_slices(dataset_dir)
    stats = [path.stat() for path in files]
    return _read_all(
        tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in zip(files, stats, strict=True)), progress
    )


def _check_unique(files: Iterable[Path]) -> None:
    """A duplicate slice would count twice in training and in the scores."""
    first: dict[int, Path] = {}
    pairs = [
        f"{first[int(path.stem)]} and {path}"
        for path in files
        if path.stem.isdecimal() and first.setdefault(int(path.stem), path) != path
    ]
    if pairs:
        more = f" (and {len(pairs) - 9} more pairs)" if len(pairs) > 9 else ""
        raise ValueError(
            f"dataset_dir must contain each slice once, but these files have the same number: {'; '.join(pairs[:9])}"
            f"{more}. Remove one of each pair, or rename slices that differ."
        )


@lru_cache(maxsize=8)
def _read_all(versions: tuple[tuple[str, int, int], ...], progress: bool) -> tuple[SliceFile, ...]:
    """Read the files of (name, modification time, size); cached, since the sections of a split share the result."""
    slices, problems = [], []
    hidden = None if progress and len(versions) >= _MANY else True  # None hides the bar without a terminal
    for name, _, _ in tqdm(versions, desc="checking slices", unit="file", disable=hidden):
        try:
            data = read_cjdata(name)
        except (MatFileError, OSError) as error:
            problems.append(str(error))
        else:
            slices.append(SliceFile(Path(name), data.patient, data.label, data.image.shape))
    if problems:
        listing = "\n  ".join(problems)
        raise MatFileError(
            f"{len(problems)} of {len(versions)} slice files cannot be used. "
            f"Remove them from the folder; a download then fetches them again:\n  {listing}"
        )
    return tuple(slices)
