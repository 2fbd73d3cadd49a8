# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Write phantom slices of heads as .mat files in the layout of the figshare brain tumor set.

The images are synthetic. They train and test the pipeline when the real slices are not available, and say nothing about
patients. Contrasts, sizes and spectra follow the T1-weighted contrast-enhanced slices of the figshare set.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
from tqdm import tqdm

from monai_srgan.phantoms.mat_writer import write_mat
from monai_srgan.phantoms.phantom_slice import draw_phantom_slice

__all__ = ["is_phantom_dataset", "write_phantom_dataset"]

logger = logging.getLogger(__name__)

_RECORD = "phantom.json"
_VERSION = 1


def is_phantom_dataset(root_dir: str | os.PathLike[str]) -> bool:
    """Whether a folder was written by :func:`write_phantom_dataset`."""
    return (Path(root_dir).expanduser() / _RECORD).is_file()


def write_phantom_dataset(
    root_dir: str | os.PathLike[str],
    *,
    num_patients: int = 15,
    slices_per_patient: int = 1,
    image_size: int = 512,
    seed: int = 0,
    progress: bool = False,
) -> Path:
    """Write phantom slices 1.mat, 2.mat, ... in the layout of the figshare originals (MAT v7.3).

    Tumor types 1, 2, 3 and planes axial, coronal, sagittal alternate over the patients `PH000001`, `PH000002`, ..., so
    that nine patients cover every pair. Files are written to a temporary folder beside `root_dir`, whose parent must
    therefore be writable, and moved at the end: in one rename, or one by one with `phantom.json` last if an existing
    empty folder cannot be replaced (the working directory, a mount point). Nothing is written if `root_dir` already
    contains a set with the same parameters.

    Args:
        root_dir: folder to create, or an empty folder; `~` is the home folder.
        num_patients: number of patients, 1 .. 999999.
        slices_per_patient: number of similar slices per patient, >= 1.
        image_size: rows and columns, a multiple of 4, >= 64. A seed gives the same heads at every size.
        seed: random seed, >= 0; the same seed gives the same arrays.
        progress: show a progress bar on a terminal.

    Returns:
        the folder, as an absolute path.

    Raises:
        ValueError: an argument is out of range.
        FileExistsError: `root_dir` is a file, or a folder with other contents.
        OSError: the parent of `root_dir` cannot be created or written to.
    """
    parameters = {
        "num_patients": _as_integer("num_patients", num_patients, 1),
        "slices_per_patient": _as_integer("slices_per_patient", slices_per_patient, 1),
        "image_size": _as_integer("image_size", image_size, 64),
        "seed": _as_integer("seed", seed, 0),
    }
    if image_size % 4:
        raise ValueError(f"image_size must be a multiple of 4, got {image_size}: use {image_size - image_size % 4}")
    if num_patients > 999_999:
        raise ValueError(f"num_patients must be at most 999999, for IDs of six digits, got {num_patients}")
    root = Path(root_dir).expanduser().resolve()
    record = {"phantom": _VERSION, **parameters}
    if _already_written(root, record):
        logger.info("phantom set already exists in %s", root)
        return root
    partial = _make_partial(root)
    try:
        count = num_patients * slices_per_patient
        hidden = None if progress else True  # None hides the bar without a terminal
        for number in tqdm(range(count), desc="phantom slices", disable=hidden):
            patient, position = divmod(number, slices_per_patient)
            phantom = draw_phantom_slice(patient, position, image_size=image_size, seed=seed)
            write_mat(partial / f"{number + 1}.mat", phantom, f"PH{patient + 1:06d}")
        (partial / _RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        _publish(partial, root, record)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    logger.info("wrote %d phantom slices to %s", count, root)
    return root


def _as_integer(name: str, value: int, minimum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value!r}")
    return int(value)


def _already_written(root: Path, record: dict[str, int]) -> bool:
    """Whether the folder contains the same set; a FileExistsError if it contains anything else."""
    if not root.exists():
        return False
    if not root.is_dir():
        raise FileExistsError(f"root_dir must be a folder, but {root} is a file: choose another folder")
    entries = {path.name for path in root.iterdir()}
    if not entries:
        return False
    if _RECORD not in entries:
        raise FileExistsError(
            f"root_dir must be empty or contain this phantom set, but {root} contains other files "
            f"({sorted(entries)[0]}, ...): choose another folder"
        )
    found = json.loads((root / _RECORD).read_text(encoding="utf-8"))
    if found != record:
        raise FileExistsError(
            f"root_dir={root} contains another phantom set, {found}, not {record}: choose another folder"
        )
    count = record["num_patients"] * record["slices_per_patient"]
    missing = [f"{k}.mat" for k in range(1, count + 1) if f"{k}.mat" not in entries]
    if missing:
        raise FileExistsError(
            f"the phantom set in root_dir={root} lacks {len(missing)} files ({missing[0]}, ...): delete the folder"
        )
    return True


def _make_partial(root: Path) -> Path:
    partial = root.parent / f".{root.name}.partial-{os.getpid()}"
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)  # left by a killed process with the same ID
        partial.mkdir()
    except OSError as error:
        raise OSError(
            error.errno,
            f"root_dir={root} needs a writable parent folder {root.parent} for temporary files, but: "
            f"{error.strerror}. Choose a folder elsewhere, or a folder in {root} if that is writable",
        ) from error
    return partial


def _publish(partial: Path, root: Path, record: dict[str, int]) -> None:
    for path in [partial, *partial.iterdir()]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    if root != Path.cwd():  # replacing the working directory would delete it for this process
        try:
            partial.rename(root)
        except OSError:
            if not root.exists():
                raise
        else:
            return
    # Another process may have written the same set in the meantime: then keep that one.
    if not _already_written(root, record):
        _move_into(partial, root)


def _move_into(partial: Path, root: Path) -> None:
    """Move all files or none, the record last."""
    names = [path.name for path in partial.iterdir() if path.name != _RECORD]
    done: list[Path] = []
    try:
        for name in [*names, _RECORD]:
            done.append(root / name)
            shutil.move(partial / name, root / name)  # copies if the folder is on another file system
    except BaseException:
        for path in done:
            path.unlink(missing_ok=True)
        raise
