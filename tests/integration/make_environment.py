# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Build the virtual environment of the MONAI Label server, or find the one that was built before.

``python tests/integration/make_environment.py`` prints the path of its Python. The environment (2 GB) is kept in the
user's cache under the hash of what it holds, so that it is built again when that changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
WITHOUT_DEPENDENCIES = ("monailabel==0.8.5", "pydicom-seg==0.4.1")


def cached_environment() -> Path:
    """Folder of the environment, whether or not it is there."""
    version = f"{sys.implementation.cache_tag} {WITHOUT_DEPENDENCIES}\n"
    key = hashlib.sha256(version.encode() + REQUIREMENTS.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "monai_srgan" / f"monailabel-{key}"


def make_environment() -> Path:
    """Build the environment unless it is there, and return its Python; one that is half built is built anew."""
    environment = cached_environment()
    environment.parent.mkdir(parents=True, exist_ok=True)
    python, done = environment / "bin" / "python", environment / "done"
    with environment.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once share one build
        if done.exists() and python.exists():
            return python
        shutil.rmtree(environment, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, stdout=sys.stderr)
        pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, "torch==2.13.0"], check=True, stdout=sys.stderr)
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True, stdout=sys.stderr)
        subprocess.run([*pip, "--no-deps", *WITHOUT_DEPENDENCIES], check=True, stdout=sys.stderr)
        done.touch()
    return python


if __name__ == "__main__":
    print(make_environment())
