# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The output folder of a run is cleared before the run starts."""

from __future__ import annotations

from monai_srgan.bundling.run_folder import clear_folder, set_aside


def test_files_of_an_earlier_run_are_set_aside_and_other_files_stay(tmp_path):
    for name in ("losses.csv", "events.1", "mine.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "models").mkdir()
    names = ["models", "*.csv", "events.*", "absent"]
    assert set_aside(tmp_path, names) == tmp_path / "previous-1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.txt", "previous-1"]
    assert sorted(p.name for p in (tmp_path / "previous-1").iterdir()) == ["events.1", "losses.csv", "models"]
    assert set_aside(tmp_path, names) is None
    (tmp_path / "losses.csv").write_text("second")
    assert set_aside(tmp_path, names) == tmp_path / "previous-2"
    assert (tmp_path / "previous-1" / "losses.csv").read_text() == "losses.csv"


def test_a_new_run_clears_its_folder_and_a_resumed_run_keeps_it(tmp_path):
    (tmp_path / "scores.csv").touch()
    assert clear_folder(tmp_path, ["scores.csv"], keep=True) == str(tmp_path)
    assert (tmp_path / "scores.csv").exists()
    assert clear_folder(tmp_path, ["scores.csv"]) == str(tmp_path)
    assert (tmp_path / "previous-1" / "scores.csv").exists()
    assert not (tmp_path / "scores.csv").exists()
