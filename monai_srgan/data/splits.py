# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Folds by patient: no patient is in two sections of a split."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["DEALT_EVENLY", "check_patient_disjoint", "fold_rule", "patient_folds", "patient_stem"]

DEALT_EVENLY = "patient, dealt evenly"
"""Result of :func:`fold_rule` for folds that depend on which other patients are in the folder."""

logger = logging.getLogger(__name__)

_LATER_SCAN = re.compile(r"^(.*\d)[A-Za-z]$")


def patient_stem(pid: str) -> str:
    """The person behind a patient ID: ``"MR024780B"`` and ``"MR024780"`` both give ``"MR024780"``.

    The figshare set marks later scans of a head by a letter after the number, so the ID does not identify the person.
    IDs without a letter after a final digit are returned unchanged. The function is idempotent.

    Args:
        pid: patient ID, not empty.

    Raises:
        ValueError: ``pid`` is empty or blank.
    """
    text = str(pid).strip()
    if not text:
        raise ValueError(f"pid must be a patient ID, got {pid!r}: without it slices cannot be split by patient.")
    match = _LATER_SCAN.match(text)
    return match.group(1) if match else text


def _digest(stem: str, seed: int) -> int:
    return int(hashlib.sha256(f"{seed}:{stem}".encode()).hexdigest(), 16)


def _hashed(stems: Iterable[str], num_folds: int, seed: int) -> dict[str, int]:
    return {stem: _digest(stem, seed) % num_folds for stem in stems}


def _empty_folds(folds: dict[str, int], num_folds: int) -> int:
    return num_folds - len(set(folds.values()))


def fold_rule(patients: Iterable[str], num_folds: int = 5, seed: int = 0) -> str:
    """The rule that :func:`patient_folds` applies to these patients: "patient" or :data:`DEALT_EVENLY`.

    Args:
        patients: patient IDs or stems of all slices.
        num_folds: number of folds.
        seed: seed of the split.
    """
    hashed = _hashed({patient_stem(patient) for patient in patients}, num_folds, seed)
    return DEALT_EVENLY if _empty_folds(hashed, num_folds) else "patient"


def patient_folds(patients: Iterable[str], num_folds: int = 5, seed: int = 0) -> dict[str, int]:
    """Assign patients to folds.

    ``fold = sha256(f"{seed}:{stem}") mod num_folds`` depends only on the patient, not on which other patients are in
    the folder. Adding or removing patients moves no one, so weights trained on part of the figshare set have not seen
    the test patients of another part or of the whole set. With few patients, folds may differ in size.

    If this leaves a fold without patients, the stems are instead dealt round-robin in the order of the same hash. These
    folds differ from those of the whole set, and a warning is logged: weights trained on other patients of the set may
    have seen the test patients of this collection.

    Args:
        patients: patient IDs or stems; duplicates and later scans (see :func:`patient_stem`) are one patient.
        num_folds: number of folds, at least 1.
        seed: seed of the split.

    Returns:
        ``{stem: fold}``, sorted by stem, with folds 0 .. ``num_folds - 1``.

    Raises:
        ValueError: ``num_folds`` is less than 1, or there are fewer patients than folds.
    """
    if num_folds < 1:
        raise ValueError(f"num_folds must be at least 1, got {num_folds}.")
    stems = sorted({patient_stem(patient) for patient in patients})
    if len(stems) < num_folds:
        raise ValueError(
            f"num_folds={num_folds} needs at least as many patients, got {len(stems)} ({', '.join(stems) or 'none'}): "
            "add patients or use fewer folds."
        )
    hashed = _hashed(stems, num_folds, seed)
    empty = _empty_folds(hashed, num_folds)
    if not empty:
        return hashed
    logger.warning(
        "%d patients are too few for the hash folds: with seed %d and %d folds, %d would be without patients. The "
        "patients are dealt evenly instead. These folds differ from those of the whole set: weights trained on other "
        "patients of the set, including the pretrained weights, may have seen the test patients of this collection.",
        len(stems),
        seed,
        num_folds,
        empty,
    )
    dealt = {stem: i % num_folds for i, stem in enumerate(sorted(stems, key=lambda s: _digest(s, seed)))}
    return dict(sorted(dealt.items()))


def check_patient_disjoint(**sections: Iterable[str | Mapping[str, Any]]) -> None:
    """Check that no two sections share a patient.

    Args:
        sections: data lists (dictionaries with ``"patient"``) or lists of patient IDs by section name, as in
            ``check_patient_disjoint(training=train_list, validation=val_list)``.

    Raises:
        ValueError: sections share patients (the message lists them with their sections), or an item has no
            ``"patient"``.
    """
    found: dict[str, list[str]] = {}
    for name, items in sections.items():
        if isinstance(items, str):
            raise ValueError(f"section {name!r} must be a list of patients or data items, got the string {items!r}.")
        for stem in sorted({_stem_of(item, name) for item in items}):
            found.setdefault(stem, []).append(name)
    shared = {stem: names for stem, names in found.items() if len(names) > 1}
    if shared:
        listing = "; ".join(f"{stem} in {' and '.join(names)}" for stem, names in sorted(shared.items()))
        raise ValueError(
            f"{len(shared)} patient(s) are in more than one section: {listing}. "
            "Scores on such a split are overestimated: split by patient, for example with patient_folds."
        )


def _stem_of(item: str | Mapping[str, Any], section: str) -> str:
    if isinstance(item, str):
        return patient_stem(item)
    try:
        return patient_stem(item["patient"])
    except KeyError:
        raise ValueError(f"items of section {section!r} must have the key 'patient', got {sorted(item)}.") from None
