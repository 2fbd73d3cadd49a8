# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Build the environment of the MONAI Label server on top of the current virtual environment.

``python tests/integration/make_environment.py`` prints the path of its Python. The environment is a folder of the
current one. It holds only what ``requirements.txt`` adds (0.4 GB) and takes torch, MONAI and the rest from the current
environment, which stays unchanged. It is rebuilt when the requirements or the current environment change.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENVIRONMENT = Path(sys.prefix) / "monailabel-server"
PYTHON = ENVIRONMENT / "bin" / "python"
RECIPE = ENVIRONMENT / "recipe.txt"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
WITHOUT_DEPENDENCIES = ("monailabel==0.8.5", "pydicom-seg==0.4.1")
COMMAND = "python tests/integration/make_environment.py"


def existing_python() -> Path | None:
    """Python of the environment, or None if it is missing or out of date."""
    current = PYTHON.exists() and RECIPE.exists() and RECIPE.read_text(encoding="utf-8") == _recipe()
    return PYTHON if current else None


def make_environment() -> Path:
    """Build the environment unless it exists and is current, and return its Python."""
    if sys.prefix == sys.base_prefix:
        raise SystemExit(f"activate the project's virtual environment first, then run {COMMAND}")
    if existing_python() is None:
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(ENVIRONMENT)
        own = Path(sysconfig.get_path("purelib", vars={"base": str(ENVIRONMENT), "platbase": str(ENVIRONMENT)}))
        # Folders named in a .pth file come after the environment's own, so that its pydicom wins.
        (own / "shared.pth").write_text("".join(f"{folder}\n" for folder in _shared()), encoding="utf-8")
        constraints = ENVIRONMENT / "constraints.txt"
        constraints.write_text("".join(_constraints()), encoding="utf-8")
        _pip("--constraint", str(constraints), "--requirement", str(REQUIREMENTS))
        _pip("--no-deps", *WITHOUT_DEPENDENCIES)
        RECIPE.write_text(_recipe(), encoding="utf-8")  # last: what is half built has none
    return PYTHON


def _pip(*arguments: str) -> None:
    """Run the shared pip in the environment, which leaves what lies outside of it alone."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr)


def _shared() -> list[str]:
    """Folders of installed packages that both environments use."""
    return list(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))


def _installed() -> dict[str, str]:
    """Versions in the current environment, by name."""
    found = importlib.metadata.distributions(path=_shared())
    return dict(sorted((canonicalize_name(dist.metadata["Name"]), dist.version) for dist in found))


def _recipe() -> str:
    """Everything that determines what the environment holds."""
    versions = [f"{name}=={version}" for name, version in _installed().items()]
    return "\n".join((REQUIREMENTS.read_text(encoding="utf-8"), *WITHOUT_DEPENDENCIES, *versions))


def _constraints() -> list[str]:
    """Pins that keep pip from installing a second copy of what is shared, except where a requirement rules it out."""
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    allowed = {canonicalize_name(r.name): r.specifier for r in map(Requirement, filter(None, lines))}
    return [
        f"{name}=={version}\n"
        for name, version in _installed().items()
        if name not in allowed or allowed[name].contains(version, prereleases=True)
    ]


if __name__ == "__main__":
    print(make_environment())
