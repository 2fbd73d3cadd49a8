# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Atomic file writes, and the check of output folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_srgan.files import writable_folder, write_atomically


def test_a_written_file_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "weights.pt"
    target.write_text("old")
    write_atomically(target, lambda path: path.write_text(f"new, {path.suffix}"))
    assert target.read_text() == "new, .pt"
    assert list(tmp_path.iterdir()) == [target]


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "weights.pt"
    target.write_text("old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        write_atomically(target, fail)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_target_is_unchanged_until_the_writer_ends(tmp_path: Path) -> None:
    target = tmp_path / "weights.pt"
    target.write_text("old")
    seen = []

    def write(path: Path) -> None:
        path.write_text("new")
        seen.append(target.read_text())

    write_atomically(target, write)
    assert seen == ["old"]


def test_a_missing_folder_is_made_with_its_parents_and_left_empty(tmp_path: Path) -> None:
    folder = writable_folder(str(tmp_path / "a" / "b"))
    assert folder.is_dir()
    assert not list(folder.iterdir())


def test_an_existing_folder_keeps_its_files(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("x")
    writable_folder(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_a_file_in_the_way_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match=r"output_dir .*file.* cannot be written to .* choose another folder"):
            writable_folder(folder)
