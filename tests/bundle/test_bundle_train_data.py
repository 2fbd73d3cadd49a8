# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The data of the training workflow: folds, and what is checked before a run starts."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest
from small_training import causes, run, workflow


@pytest.mark.filterwarnings("ignore:The official folds:UserWarning")
def test_official_folds_train_though_they_leak(phantom_dir, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(phantom_dir, data)
    first, second = (data / f"{n}.mat" for n in (1, 2))
    second.write_bytes(first.read_bytes())  # one patient, in two official folds
    with h5py.File(data / "cvind.mat", "w", userblock_size=512) as file:
        folds = np.ones((1, 3064))
        folds[0, :6] = [3, 1, 4, 5, 2, 3]
        file["cvind"] = folds
    with (data / "cvind.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    flow = workflow(data, tmp_path / "out", folds="official")
    flow.initialize()
    assert len(flow.train_dataset_data) >= 2


def test_unreadable_files_are_all_listed_and_training_does_not_start(phantom_dir, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(phantom_dir, data)
    for number in (2, 5):
        file = data / f"{number}.mat"
        file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(RuntimeError) as caught:
        run(workflow(data, tmp_path / "out"))
    message = causes(caught.value)
    assert "2.mat" in message
    assert "5.mat" in message
    assert not (tmp_path / "out").exists()


def test_an_empty_data_folder_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(RuntimeError) as caught:
        run(workflow(tmp_path / "data", tmp_path / "out"))
    assert str(tmp_path / "data") in causes(caught.value)


def test_a_patient_in_two_sections_is_refused(phantom_dir, tmp_path):
    flow = workflow(phantom_dir, tmp_path, **{"validate#dataset#data": "@train#dataset#data"})
    with pytest.raises(RuntimeError) as caught:
        run(flow)
    assert "PH0000" in causes(caught.value)


def test_slices_smaller_than_the_crop_are_listed_before_training_starts(phantom_dir, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        run(workflow(phantom_dir, tmp_path, patch_size=160))
    message = causes(caught.value)
    assert "6 of 6 slices are smaller than min_size=160 pixels" in message
    assert "3.mat: 128x128" in message


def test_a_folder_that_cannot_be_written_stops_the_run_before_it_trains(phantom_dir, tmp_path):
    (tmp_path / "file").write_text("in the way")
    flow = workflow(phantom_dir, tmp_path / "file" / "out")
    with pytest.raises((OSError, RuntimeError)) as caught:
        run(flow)
    assert "out cannot be written to" in causes(caught.value)
