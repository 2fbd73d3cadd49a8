# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The option --fail-on-skip of conftest.py, in a pytest run of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_passes(): pass
def test_needs_a_gpu(): pytest.skip("no CUDA device")
def test_needs_a_browser(): pytest.skip("no browser")
@pytest.mark.skipif(True, reason="no server")
def test_needs_a_server(): pass
@pytest.fixture
def weights(): pytest.skip("no weights")
def test_needs_weights(weights): pass
@pytest.mark.xfail(reason="known")
def test_fails_as_expected(): assert False
"""


@pytest.mark.parametrize(
    ("options", "code", "closing"),
    [
        ((), 0, "1 passed, 4 skipped, 1 xfailed"),
        # skips before the test's own body are counted as errors
        (("--fail-on-skip",), 1, "1 failed, 1 passed, 1 skipped, 1 xfailed, 2 errors"),
    ],
)
def test_a_skip_fails_under_the_option_unless_its_reason_is_accepted(
    tmp_path: Path, options: tuple[str, ...], code: int, closing: str
) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_skips.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == code
    assert closing in done.stdout.splitlines()[-1]
    for reason in ("no browser", "no server", "no weights"):
        assert (f"skipped under --fail-on-skip: {reason}" in done.stdout) == bool(options)
    assert "skipped under --fail-on-skip: no CUDA device" not in done.stdout
