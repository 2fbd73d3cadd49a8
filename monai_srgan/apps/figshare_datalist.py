# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Data lists of the figshare brain tumor set, split by patient or by the set's own folds."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import PathLike

from monai_srgan.apps.figshare_slices import FOLD_TABLE, SliceFile, scan_slices
from monai_srgan.data.mat_file import MatFileError, read_mat
from monai_srgan.data.splits import check_patient_disjoint, fold_rule, patient_folds
from monai_srgan.errors import about

__all__ = ["SECTIONS", "check_split", "dataset_folds", "figshare_datalist"]

#: Sections of a split.
SECTIONS = ("training", "validation", "test")


def figshare_datalist(
    dataset_dir: PathLike,
    section: str,
    fold: int = 0,
    num_folds: int = 5,
    seed: int = 0,
    folds: str = "patient",
    *,
    min_size: int = 1,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Data list of one section, in the order of the file numbers.

    Fold ``fold`` is the test section, the next one (``fold + 1`` modulo ``num_folds``) is validation, and the others
    are training. Every slice file in the folder is read and checked first, whatever the section (once per process as
    long as no file changes), so that no run starts on data that it cannot read.

    Args:
        dataset_dir: folder with the slices at any depth; ``~`` is the home folder.
        section: ``"training"``, ``"validation"`` or ``"test"``.
        fold: the test fold, 0 .. ``num_folds - 1``.
        num_folds: number of folds, at least 3.
        seed: seed of the split; not used by the official folds.
        folds: ``"patient"`` splits by patient, see :func:`monai_srgan.data.patient_folds`. ``"official"`` takes the
            dataset's own ``cvind.mat``, found at any depth, with ``num_folds=5``. It splits by PID, so that later scans
            of a head (PIDs with a letter) are in other folds; a UserWarning lists them. Use it only to compare with
            published results.
        min_size: minimum number of pixels of a slice along each axis, such as the size of training crops.
        progress: show a progress bar on a terminal if there are many files.

    Returns:
        items ``{"image": path, "patient": stem, "tumor_type": 1..3, "source": path}``.

    Raises:
        FileNotFoundError: the folder does not exist or contains no slices, or there is no ``cvind.mat`` for the
            official folds.
        MatFileError: files cannot be used, or slices are smaller than ``min_size``; the message lists all of them.
        ValueError: an argument is out of range, two files have the same number, there are fewer patients than folds, or
            the section is empty.
    """
    check_split(section, fold, num_folds, folds)
    slices = scan_slices(dataset_dir, progress)
    small = [f"{s.path}: {s.size[0]}x{s.size[1]} pixels" for s in slices if min(s.size) < min_size]
    if small:
        listing = "\n  ".join(small)
        raise MatFileError(
            f"{len(small)} of {len(slices)} slices are smaller than min_size={min_size} pixels (the size of training "
            f"crops, for example). Use smaller crops or remove the slices from the folder:\n  {listing}"
        )
    if folds == "patient":
        by_patient = patient_folds((s.patient for s in slices), num_folds, seed)
        of_slice = [by_patient[s.patient] for s in slices]
    else:
        of_slice = _official_folds(Path(dataset_dir).expanduser(), slices, num_folds)
    sections: dict[str, list[dict[str, Any]]] = {name: [] for name in SECTIONS}
    for s, f in zip(slices, of_slice, strict=True):
        name = "test" if f == fold else "validation" if f == (fold + 1) % num_folds else "training"
        item = {"image": str(s.path), "patient": s.patient, "tumor_type": s.tumor_type, "source": str(s.path)}
        sections[name].append(item)
    if folds == "patient":
        check_patient_disjoint(**sections)
    else:
        _warn_about_leaks(sections, fold)
    if not sections[section]:
        raise ValueError(
            f"section {section!r} of fold {fold} is empty, with {len(slices)} slices of "
            f"{len({s.patient for s in slices})} patients in {num_folds} folds: choose another fold or seed, use fewer "
            "folds, or add slices."
        )
    return sections[section]


def dataset_folds(dataset_dir: PathLike, folds: str = "patient", num_folds: int = 5, seed: int = 0) -> str:
    """The rule by which :func:`figshare_datalist` splits a folder: "patient", "patient, dealt evenly" or "official".

    Args:
        dataset_dir: as for :func:`figshare_datalist`.
        folds: as for :func:`figshare_datalist`.
        num_folds: as for :func:`figshare_datalist`.
        seed: as for :func:`figshare_datalist`.
    """
    if folds != "patient":
        return folds
    return fold_rule((s.patient for s in scan_slices(dataset_dir, progress=False)), num_folds, seed)


def check_split(section: str, fold: int, num_folds: int, folds: str) -> None:
    """Check the arguments that define a section of a split, without reading data; a ValueError names the wrong one."""
    if section not in SECTIONS:
        raise ValueError(f"section must be one of {', '.join(SECTIONS)}, got {section!r}.")
    if folds not in ("patient", "official"):
        raise about(
            ValueError(f"folds must be 'patient' or 'official', got {folds!r}; num_folds is the number of folds."),
            "folds",
        )
    if num_folds < 3:
        raise ValueError(f"num_folds must be at least 3 (training, validation, test), got {num_folds}.")
    if folds == "official" and num_folds != 5:
        raise ValueError(f"num_folds must be 5 with folds='official', got {num_folds}: {FOLD_TABLE} has five folds.")
    if not 0 <= fold < num_folds:
        raise ValueError(f"fold must be 0 .. {num_folds - 1}, got {fold}.")


def _official_folds(root: Path, slices: Iterable[SliceFile], num_folds: int) -> list[int]:
    """``cvind[N - 1] - 1`` of each file ``N.mat``."""
    tables = sorted(path for path in root.rglob("*") if path.name.lower() == FOLD_TABLE)
    if not tables:
        raise about(
            FileNotFoundError(
                f"folds='official' needs {FOLD_TABLE}, which is not in {root}: add it, or set folds='patient'."
            ),
            "folds",
        )
    table = tables[0]
    cvind = read_mat(table, "cvind").ravel()
    if not np.isin(cvind, np.arange(1, num_folds + 1)).all():
        raise MatFileError(f"{table}: cvind must contain folds 1 .. {num_folds}, got {np.unique(cvind)[:9].tolist()}.")
    result = []
    for s in slices:
        number = int(s.path.stem) if s.path.stem.isdecimal() else 0
        if not 1 <= number <= cvind.size:
            raise about(
                ValueError(
                    f"folds='official' needs files named 1.mat .. {cvind.size}.mat, got {s.path}: set folds='patient'."
                ),
                "folds",
            )
        result.append(int(cvind[number - 1]) - 1)
    return result


def _warn_about_leaks(sections: dict[str, list[dict[str, Any]]], fold: int) -> None:
    where: dict[str, list[str]] = {}
    for name, items in sections.items():
        for stem in {item["patient"] for item in items}:
            where.setdefault(stem, []).append(name)
    leaks = [f"{stem} ({', '.join(names)})" for stem, names in sorted(where.items()) if len(names) > 1]
    found = f"these patients leak: {'; '.join(leaks)}" if leaks else "no patient of this folder leaks"
    warnings.warn(
        f"the official folds of {FOLD_TABLE} put later scans of a patient into other sections. "
        f"With test fold {fold} {found}. Set folds='patient' for scores that hold for new patients.",
        UserWarning,
        stacklevel=3,
    )
