# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""One output folder, one run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monai_srgan.bundling import FolderInUseError, claim_folder, release_folder, run_in_folder
from monai_srgan.errors import argument_of

HOLD = """
import sys, time
from monai_srgan.bundling import claim_folder
claim_folder(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen]:
    """A process that has claimed the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_is_refused_with_folder_process_and_host(holder, tmp_path):
    with pytest.raises(FolderInUseError) as caught:
        claim_folder(tmp_path)
    expected = f"output_dir {tmp_path} is in use by process {holder.pid} on {socket.gethostname()}: wait for that run"
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert argument_of(caught.value) == "output_dir"


def test_a_killed_process_blocks_nobody_and_its_unfinished_files_go(holder, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    for name in (".partial-1-0-scores.csv", "checkpoints/.partial-1-1-checkpoint_epoch=1.pt"):
        (tmp_path / name).write_text("half")
    (tmp_path / "checkpoints" / "checkpoint_epoch=1.pt").write_text("whole")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    claim_folder(tmp_path)
    release_folder(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["checkpoints", "checkpoints/checkpoint_epoch=1.pt"]


def test_a_process_may_claim_its_folder_again_and_give_it_up(tmp_path):
    link = tmp_path / "link"
    folder = tmp_path / "run"
    assert claim_folder(folder) == folder
    link.symlink_to(folder, target_is_directory=True)
    claim_folder(link)
    release_folder(folder)
    assert not list(folder.iterdir())
    done = subprocess.run([sys.executable, "-c", HOLD.replace("60", "0"), str(folder)], capture_output=True, check=True)
    assert done.stdout == b"held\n"
    assert not list(folder.iterdir())  # the end of a process gives its folders up


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_worker_process_does_not_give_up_the_folder_of_its_parent(tmp_path):
    claim_folder(tmp_path)
    child = os.fork()
    if child == 0:
        release_folder(tmp_path)
        os._exit(0)
    os.waitpid(child, 0)
    done = subprocess.run([sys.executable, "-c", HOLD, str(tmp_path)], capture_output=True, text=True, check=False)
    release_folder(tmp_path)
    assert f"in use by process {os.getpid()}" in done.stderr


def test_a_folder_is_claimed_for_a_call_and_given_up_however_that_ends(tmp_path):
    def stopped():
        assert [path.name for path in tmp_path.iterdir()] == [".monai-srgan.lock"]
        raise SystemExit(130)

    with pytest.raises(SystemExit):
        run_in_folder(tmp_path, stopped)
    assert run_in_folder(tmp_path, max, 1, 2) == 2
    assert not list(tmp_path.iterdir())
