# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Errors name the class's argument; the command and the bundle add their own option and keep the message as it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import monai_srgan
from monai_srgan.bundling.error_hints import OPTIONS
from monai_srgan.cli import demo, evaluate, inspect, main
from monai_srgan.cli.hints import HINTS, hint_for
from monai_srgan.errors import about

PACKAGE = Path(monai_srgan.__file__).parent


def marked_arguments() -> set[str]:
    """Constant arguments that calls of ``about(error, "argument")`` name anywhere in the package."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "about":
                name = node.args[1]
                if isinstance(name, ast.Constant):
                    found.add(name.value)
    return found


def test_every_argument_that_an_error_is_about_has_a_hint() -> None:
    marked = marked_arguments()
    assert {"variant", "compare", "bundle_root", "ckpt"} <= marked
    hints = {*HINTS, *demo.COMMAND.hints, *evaluate.COMMAND.hints, *inspect.COMMAND.hints}
    only_in_configs = {"ckpt", "compare_consistency", "folds", "init_weights"}
    assert marked - set(OPTIONS) - hints == set(), "neither the bundle nor the command names an option for these"
    assert set(OPTIONS) - hints == only_in_configs


NAMED_BY_A_VARIABLE = {
    "ckpt_path",  # networks/weights.py: the file that did not fit
    "init_weights",
    "compare_consistency",  # require_enabled in a config's checks
    "trust",
    "consistency",  # check_renamed in a config's checks
}


def test_every_hint_belongs_to_an_argument_that_an_error_can_be_about() -> None:
    hints = {*OPTIONS, *HINTS, *demo.COMMAND.hints, *evaluate.COMMAND.hints, *inspect.COMMAND.hints}
    assert hints - marked_arguments() == NAMED_BY_A_VARIABLE


def test_arguments_named_by_a_variable_occur_in_the_sources() -> None:
    files = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "bundle" / "configs").glob("*.json")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    calls = r"(?:_read_fitting\([^\n]*, \"|require_enabled\('|check_renamed\([^\n]*new=')(\w+)"
    assert set(re.findall(calls, text)) >= NAMED_BY_A_VARIABLE


def test_a_message_keeps_the_user_s_path_and_a_hint_is_added(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "/data/dataset_dir/output_dir/--overwrite True_sr.nii.gz exists: set overwrite=True"

    def refuse(*_args: Any, **_items: Any) -> None:
        try:
            raise about(FileExistsError(message), "overwrite")
        except FileExistsError as error:
            raise RuntimeError("applying transform") from error  # as MONAI's Compose does

    monkeypatch.setattr("monai_srgan.cli.upscale.run_config", refuse)
    assert main(["upscale", "a.nii", "out"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"monai-srgan: error: {message}",
        "hint: pass --overwrite to replace existing results, or choose another OUT",
    ]


def test_a_missing_input_in_a_folder_called_dataset_dir_is_named_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "dataset_dir" / "scan.nii.gz"
    assert main(["upscale", str(source), str(tmp_path / "out")]) == 1
    assert str(source) in capsys.readouterr().err


def test_a_subcommand_has_its_own_words() -> None:
    error = about(ValueError("dataset_dir holds no slices"), "dataset_dir")
    assert str(hint_for(error)).startswith("IN is")
    assert str(hint_for(error, evaluate.COMMAND.hints)).startswith("DIR is")
    assert hint_for(ValueError("no argument")) is None
    assert hint_for(about(ValueError("patch_size"), "patch_size")) is None


def test_verbose_shows_the_traceback_above_the_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["upscale", "a.nii", "out.png"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert main(["--verbose", "upscale", "a.nii", "out.png"]) == 1
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "monai-srgan: error: OUT must be a folder, got the file name out.png",
        "hint: choose another folder as OUT",
    ]
