# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""An uncaught error of a config ends with its root cause and the bundle's option."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monai_srgan.bundling import explain_errors
from monai_srgan.bundling.error_hints import explanation
from monai_srgan.errors import about, argument_of

ROOT = Path(__file__).parents[2]


def wrapped(error: Exception) -> RuntimeError:
    """As MONAI's configs raise it."""
    try:
        raise RuntimeError("Failed to evaluate") from error
    except RuntimeError as outer:
        return outer


def test_the_argument_of_a_cause_is_found_below_other_errors() -> None:
    assert argument_of(ValueError("plain")) is None
    assert argument_of(wrapped(about(ValueError("x"), "blend"))) == "blend"
    outer = about(wrapped(about(ValueError("x"), "blend")), "ckpt_path")
    assert argument_of(outer) == "ckpt_path"


def test_an_explanation_repeats_the_message_unchanged_and_adds_the_option() -> None:
    error = about(FileExistsError("/data/dataset_dir/a.nii exists: set overwrite=True"), "overwrite")
    expected = "FileExistsError: /data/dataset_dir/a.nii exists: set overwrite=True\nhint: pass --overwrite True"
    assert str(explanation(wrapped(error))).startswith(expected)
    assert str(explanation(error)).startswith(expected)
    assert explanation(wrapped(ValueError("the reason"))) == "ValueError: the reason"
    assert explanation(ValueError("the last line of the traceback already")) is None


def test_the_hook_keeps_the_previous_one_and_is_installed_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *arguments: seen.append(arguments))
    explain_errors()
    hook = sys.excepthook
    explain_errors()
    assert sys.excepthook is hook
    error = about(ValueError("variant must be one of srgan"), "variant")
    hook(ValueError, error, None)
    assert seen == [(ValueError, error, None)]
    assert "\nhint: pass --variant srgan" in capsys.readouterr().err


def test_the_last_line_of_a_failed_bundle_run_names_the_option(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", "bundle/configs/inference.json"]
    command += ["--variant", "esrgan", "--output_dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        "ValueError: variant must be one of srgan, srresnet, got 'esrgan'",
        "hint: pass --variant srgan or srresnet",
    ]
