# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import logging

import pytest

from monai_srgan.data import check_patient_disjoint, patient_folds, patient_stem
from monai_srgan.data.splits import DEALT_EVENLY, fold_rule

MANY = [f"MR{i:06d}" for i in range(200)]


@pytest.mark.parametrize(
    ("pid", "stem"),
    [
        ("MR024780B", "MR024780"),
        ("MR024780", "MR024780"),
        ("97374", "97374"),
        (" 100360a ", "100360"),
        ("phantom", "phantom"),
    ],
)
def test_the_stem_drops_the_letter_of_later_scans_only(pid, stem):
    assert patient_stem(pid) == stem
    assert patient_stem(patient_stem(pid)) == stem


def test_an_empty_patient_id_is_refused():
    with pytest.raises(ValueError, match="pid must be a patient ID"):
        patient_stem("  ")


@pytest.mark.parametrize("count", [12, 39, 40, 200])
def test_the_fold_is_the_hash_of_the_patient_however_many_there_are(count, caplog):
    folds = patient_folds(MANY[:count], num_folds=5, seed=3)
    assert caplog.records == []
    assert fold_rule(MANY[:count], num_folds=5, seed=3) == "patient"
    for stem, fold in folds.items():
        assert fold == int(hashlib.sha256(f"3:{stem}".encode()).hexdigest(), 16) % 5


def test_these_folds_never_change_because_shipped_weights_rely_on_them():
    folds = patient_folds(["100360", "97374", "MR024780", *MANY])
    assert [folds[stem] for stem in ("100360", "97374", "MR024780")] == [2, 0, 2]


@pytest.mark.parametrize("count", [20, 25, 39, 40])
def test_added_patients_move_no_one(count):
    few, all_of_them = patient_folds(MANY[:count]), patient_folds(MANY)
    assert all(all_of_them[stem] == fold for stem, fold in few.items())


@pytest.mark.parametrize("count", [5, 6, 7, 13])
def test_if_a_hash_fold_is_empty_patients_are_dealt_evenly_with_a_warning(count, caplog):
    digest = {stem: int(hashlib.sha256(f"0:{stem}".encode()).hexdigest(), 16) for stem in MANY}
    # all patients of the first four hash folds: any number of them leaves the fifth empty
    patients = [stem for stem in MANY if digest[stem] % 5 != 4][:count]
    with caplog.at_level(logging.WARNING, logger="monai_srgan"):
        folds = patient_folds(patients, num_folds=5)
    assert [folds[stem] for stem in sorted(patients, key=digest.get)] == [i % 5 for i in range(count)]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert fold_rule(patients, num_folds=5) == DEALT_EVENLY
    assert f"{count} patients are too few for the hash folds" in caplog.text
    assert "differ from those of the whole set" in caplog.text
    assert "may have seen the test patients" in caplog.text


@pytest.mark.parametrize("count", [20, 100])
def test_the_seed_matters_and_the_order_does_not(count):
    patients = MANY[:count]
    assert patient_folds(patients) == patient_folds(patients[::-1])
    assert patient_folds(patients, seed=0) != patient_folds(patients, seed=1)


def test_many_patients_are_spread_over_all_folds():
    folds = list(patient_folds(MANY).values())
    assert all(20 < folds.count(fold) < 60 for fold in range(5))


def test_later_scans_are_in_the_fold_of_their_person():
    folds = patient_folds(["MR1A", "MR1B", "MR1", "MR2", "MR3"], num_folds=3)
    assert sorted(folds) == ["MR1", "MR2", "MR3"]


def test_fewer_patients_than_folds_are_refused():
    with pytest.raises(ValueError, match=r"num_folds=5 needs at least as many patients, got 2 \(a1, b1\)"):
        patient_folds(["a1", "b1", "b1c"], num_folds=5)
    with pytest.raises(ValueError, match="num_folds must be at least 1, got 0"):
        patient_folds(MANY, num_folds=0)


def test_shared_patients_are_listed_with_their_sections():
    train = [{"patient": "MR1"}, {"patient": "MR2A"}, {"patient": "MR2A"}]
    with pytest.raises(ValueError, match=r"1 patient\(s\) are in more than one section: MR2 in training and test\."):
        check_patient_disjoint(training=train, validation=["MR3"], test=["MR2B", "MR4"])


def test_disjoint_sections_pass():
    check_patient_disjoint(training=[{"patient": "MR1"}, {"patient": "MR1B"}], validation=["MR2"], test=[])


def test_sections_of_the_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="section 'test' must have the key 'patient', got \\['image'\\]"):
        check_patient_disjoint(test=[{"image": "1.mat"}])
    with pytest.raises(ValueError, match="section 'test' must be a list"):
        check_patient_disjoint(test="MR1")
