# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The figshare brain tumor set as data lists and as a MONAI dataset, split by patient."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from monai.config import PathLike
from monai.data import CacheDataset
from monai.utils import ensure_tuple
from tqdm import tqdm

from monai_srgan.apps.figshare_download import download_figshare
from monai_srgan.data.mat_file import MatFileError, read_mat
from monai_srgan.data.mat_reader import read_cjdata
from monai_srgan.data.natural_order import natural_key
from monai_srgan.data.splits import assert_patient_disjoint, fold_rule, patient_folds
from monai_srgan.data.tumor_types import TUMOR_TYPES

__all__ = ["SECTIONS", "FigshareBrainTumorDataset", "dataset_folds", "figshare_datalist", "find_slices"]

SECTIONS = ("training", "validation", "test")

_FOLD_FILE = "cvind.mat"
_MANY = 100  # files from which on reading them is worth a progress bar


class _Slice(NamedTuple):
    path: Path
    patient: str
    tumor_type: int
    size: tuple[int, int]


def find_slices(dataset_dir: PathLike) -> list[Path]:
    """All ``*.mat`` files at any depth below a folder, in numerical order, but ``cvind.mat`` and hidden files.

    Args:
        dataset_dir: the folder; ``~`` is the home folder.

    Raises:
        FileNotFoundError: when there is no such folder, or no slice in it.
        ValueError: when two files have the same number as name, such as ``7.mat`` and ``sub/7.mat``.
    """
    root = Path(dataset_dir).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(f"dataset_dir must be a folder of .mat slices, there is none at {root}.")
    found = [
        path
        for path in root.rglob("*")
        if path.suffix.lower() == ".mat" and path.name.lower() != _FOLD_FILE and path.name[0] != "." and path.is_file()
    ]
    if not found:
        raise FileNotFoundError(
            f"dataset_dir={root} has no .mat slices: name the folder of the unpacked dataset, get it with "
            "FigshareBrainTumorDataset(..., download=True), or make slices with write_phantom_dataset."
        )
    found.sort(key=lambda path: (natural_key(path.name), natural_key(str(path.parent))))
    _refuse_doubles(found)
    return found


def _refuse_doubles(files: Iterable[Path]) -> None:
    """A slice that is there twice would count twice in training and in the scores."""
    first: dict[int, Path] = {}
    doubles = [
        f"{first[int(path.stem)]} and {path}"
        for path in files
        if path.stem.isdecimal() and first.setdefault(int(path.stem), path) != path
    ]
    if doubles:
        more = f" (and {len(doubles) - 9} more pairs)" if len(doubles) > 9 else ""
        raise ValueError(
            f"dataset_dir must hold each slice once, but these files have the same number: {'; '.join(doubles[:9])}"
            f"{more}. Remove one of each, or give other slices other names."
        )


def _scan(dataset_dir: PathLike, progress: bool) -> tuple[_Slice, ...]:
    files = find_slices(dataset_dir)
    stats = [path.stat() for path in files]
    prints = tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in zip(files, stats, strict=True))
    return _read_all(prints, progress)


@lru_cache(maxsize=8)
def _read_all(prints: tuple[tuple[str, int, int], ...], progress: bool) -> tuple[_Slice, ...]:
    """Read every file once in this process: the three sections of a split share the result while no file changes."""
    slices, problems = [], []
    bar = tqdm(prints, desc="checking slices", unit="file", disable=not progress or len(prints) < _MANY)
    for name, _, _ in bar:
        try:
            data = read_cjdata(name)
        except (MatFileError, OSError) as error:
            problems.append(str(error))
        else:
            slices.append(_Slice(Path(name), data.patient, data.label, data.image.shape))
    if problems:
        listing = "\n  ".join(problems)
        raise MatFileError(
            f"{len(problems)} of {len(prints)} slice files cannot be used; "
            f"take them out of the folder, a download then fetches them again:\n  {listing}"
        )
    return tuple(slices)


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

    The test section is fold ``fold``, validation the next one (``fold + 1`` modulo ``num_folds``), training the others.
    Every slice file of the folder is read and checked first, whatever the section (once in a process, while no file
    changes), so that no run starts on data that it cannot read.

    Args:
        dataset_dir: folder with the slices at any depth, see :func:`find_slices`; ``~`` is the home folder.
        section: ``"training"``, ``"validation"`` or ``"test"``.
        fold: the test fold, 0 .. ``num_folds - 1``.
        num_folds: number of folds, at least 3.
        seed: of the deal into folds; not used by the official folds.
        folds: ``"patient"`` (default) deals patients, see :func:`monai_srgan.data.patient_folds`. ``"official"`` takes
            the dataset's own ``cvind.mat``, found at any depth, with ``num_folds=5``: it splits by PID, and later scans
            of the same head (PIDs with a letter) lie in other folds, which a UserWarning lists. For comparison with
            published figures only.
        min_size: fewest pixels that a slice must have along each side, such as the size of training crops.
        progress: show a bar while many files are read.

    Returns:
        items ``{"image": path, "patient": stem, "tumor_type": 1..3, "source": path}``.

    Raises:
        FileNotFoundError: no such folder, no slices, or no ``cvind.mat`` for the official folds.
        MatFileError: lists all files that cannot be used, and why; among them slices smaller than ``min_size``.
        ValueError: an argument is out of range, two files have the same number, there are fewer patients than folds, or
            the section is empty.
    """
    _check_split(section, fold, num_folds, folds)
    slices = _scan(dataset_dir, progress)
    small = [f"{s.path}: {s.size[0]}x{s.size[1]} pixels" for s in slices if min(s.size) < min_size]
    if small:
        listing = "\n  ".join(small)
        raise MatFileError(
            f"{len(small)} of {len(slices)} slices are smaller than the {min_size} pixels that are needed (a training "
            f"crop, for one); take smaller crops or take them out of the folder:\n  {listing}"
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
        assert_patient_disjoint(**sections)
    else:
        _warn_of_leaks(sections, fold)
    if not sections[section]:
        raise ValueError(
            f"section {section!r} of fold {fold} is empty: {len(slices)} slices of "
            f"{len({s.patient for s in slices})} patients in {num_folds} folds leave none. "
            "Choose another fold or seed, fewer folds, or add slices."
        )
    return sections[section]


def dataset_folds(dataset_dir: PathLike, folds: str = "patient", num_folds: int = 5, seed: int = 0) -> str:
    """How :func:`figshare_datalist` splits a folder, for reports: "patient", "patient, dealt evenly" or "official".

    Args:
        dataset_dir: as for :func:`figshare_datalist`.
        folds: as there.
        num_folds: as there.
        seed: as there.
    """
    if folds != "patient":
        return folds
    return fold_rule((s.patient for s in _scan(dataset_dir, progress=False)), num_folds, seed)


def _check_split(section: str, fold: int, num_folds: int, folds: str) -> None:
    if section not in SECTIONS:
        raise ValueError(f"section must be one of {', '.join(SECTIONS)}, got {section!r}.")
    if folds not in ("patient", "official"):
        raise ValueError(f"folds must be 'patient' or 'official', got {folds!r}.")
    if num_folds < 3:
        raise ValueError(f"num_folds must be at least 3 (training, validation, test), got {num_folds}.")
    if folds == "official" and num_folds != 5:
        raise ValueError(f"num_folds must be 5 with folds='official', got {num_folds}: {_FOLD_FILE} has five.")
    if not 0 <= fold < num_folds:
        raise ValueError(f"fold must be 0 .. {num_folds - 1}, got {fold}.")


def _official_folds(root: Path, slices: Iterable[_Slice], num_folds: int) -> list[int]:
    """``cvind[N - 1] - 1`` of each file ``N.mat``."""
    tables = sorted(path for path in root.rglob("*") if path.name.lower() == _FOLD_FILE)
    if not tables:
        raise FileNotFoundError(
            f"folds='official' needs {_FOLD_FILE}, there is none in {root}: get it, or use folds='patient'."
        )
    table = tables[0]
    cvind = read_mat(table, "cvind").ravel()
    if not np.isin(cvind, np.arange(1, num_folds + 1)).all():
        raise MatFileError(f"{table}: cvind must hold folds 1 .. {num_folds}, got {np.unique(cvind)[:9].tolist()}.")
    result = []
    for s in slices:
        number = int(s.path.stem) if s.path.stem.isdecimal() else 0
        if not 1 <= number <= cvind.size:
            raise ValueError(
                f"folds='official' needs files named 1.mat .. {cvind.size}.mat, got {s.path}: use folds='patient'."
            )
        result.append(int(cvind[number - 1]) - 1)
    return result


def _warn_of_leaks(sections: dict[str, list[dict[str, Any]]], fold: int) -> None:
    where: dict[str, list[str]] = {}
    for name, items in sections.items():
        for stem in {item["patient"] for item in items}:
            where.setdefault(stem, []).append(name)
    leaks = [f"{stem} ({', '.join(names)})" for stem, names in sorted(where.items()) if len(names) > 1]
    told = f"these leak: {'; '.join(leaks)}" if leaks else "none of the patients present here leaks in this one"
    warnings.warn(
        f"the official folds of {_FOLD_FILE} put later scans of a patient into other sections. "
        f"With test fold {fold} {told}. Use folds='patient' for figures that hold for new patients.",
        UserWarning,
        stacklevel=3,
    )


class FigshareBrainTumorDataset(CacheDataset):
    """The figshare set, 3064 contrast-enhanced T1 slices of meningioma, glioma and pituitary tumor, in MONAI's manner.

    Built like :py:class:`monai.apps.DecathlonDataset`: it reads from ``root_dir``, downloads only when asked, and
    caches the deterministic transforms. The split is by patient, see :func:`figshare_datalist`; the set comes from J.
    Cheng, doi 10.6084/m9.figshare.1512427, under CC BY 4.0.

    Args:
        root_dir: folder with the slices at any depth, and target of the download; ``~`` is the home folder.
        section: ``"training"``, ``"validation"`` or ``"test"``.
        fold: the test fold; validation is the next one.
        num_folds: number of folds, at least 3.
        seed: of the deal of patients into folds.
        folds: ``"patient"`` or ``"official"`` (leaks patients, with a warning).
        transform: of the items ``{"image": path, "patient": stem, "tumor_type": int, "source": path}``; by default
            :class:`monai_srgan.transforms.LoadMatd`, which gives image and tumor mask.
        download: fetch what is missing, 0.9 GB in all, see :func:`monai_srgan.apps.download_figshare`.
        cache_num: number of items to cache.
        cache_rate: share of items to cache.
        num_workers: threads that fill the cache.
        progress: show progress bars.
        copy_cache: deep-copy cached items before random transforms.
        as_contiguous: make cached arrays contiguous.
        runtime_cache: fill the cache while running, see :py:class:`monai.data.CacheDataset`.

    Raises:
        ValueError: when ``root_dir`` is not a folder, and as :func:`figshare_datalist` does.
    """

    def __init__(
        self,
        root_dir: PathLike,
        section: str,
        fold: int = 0,
        num_folds: int = 5,
        seed: int = 0,
        folds: str = "patient",
        transform: Sequence[Callable] | Callable = (),
        download: bool = False,
        cache_num: int = sys.maxsize,
        cache_rate: float = 1.0,
        num_workers: int | None = 1,
        progress: bool = True,
        copy_cache: bool = True,
        as_contiguous: bool = True,
        runtime_cache: bool | str = False,
    ) -> None:
        root_dir = Path(root_dir).expanduser()
        if not root_dir.is_dir():
            raise ValueError(
                f"root_dir must be a folder, there is none at {root_dir}: make it, then use download=True."
            )
        _check_split(section, fold, num_folds, folds)  # before a download of 0.9 GB
        if download:
            download_figshare(root_dir, progress=progress)
        self.section = section
        self.fold = fold
        data = figshare_datalist(root_dir, section, fold, num_folds, seed, folds, progress=progress)
        types = [item["tumor_type"] for item in data]
        self._properties: dict[str, Any] = {
            "name": "figshare brain tumor dataset",
            "reference": "J. Cheng, doi 10.6084/m9.figshare.1512427",
            "license": "CC BY 4.0",
            "section": section,
            "fold": fold,
            "num_folds": num_folds,
            "seed": seed,
            "folds": folds,
            "labels": TUMOR_TYPES,
            "num_slices": len(data),
            "num_slices_by_type": {name: types.count(label) for label, name in TUMOR_TYPES.items()},
            "num_patients": len({item["patient"] for item in data}),
        }
        if transform == ():
            from monai_srgan.transforms.load_mat import LoadMatd  # transforms build on data, not the other way round

            transform = LoadMatd("image")
        super().__init__(
            data=data,
            transform=transform,
            cache_num=cache_num,
            cache_rate=cache_rate,
            num_workers=num_workers,
            progress=progress,
            copy_cache=copy_cache,
            as_contiguous=as_contiguous,
            runtime_cache=runtime_cache,
        )

    def get_patients(self) -> list[str]:
        """Stems of the patients of this section, sorted."""
        return sorted({item["patient"] for item in self.data})

    def get_properties(self, keys: Sequence[str] | str | None = None) -> dict[str, Any]:
        """Name, reference, license, split, numbers of slices and patients of this section, or those of ``keys``."""
        if keys is None:
            return dict(self._properties)
        return {key: self._properties[key] for key in ensure_tuple(keys)}
