# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The wheel: it holds everything that is needed, and a bundle elsewhere runs with it alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, which keeps build folders out of them."""
    work = tmp_path_factory.mktemp("wheel")
    sources = work / "sources"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    for name in ("monai_srgan", "bundle", "label_app"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "eval", "*.ts"))
    (sources / "bundle" / "eval").mkdir(exist_ok=True)
    for left in ("eval/left.json", "models/model.ts", "models/model.onnx"):
        (sources / "bundle" / left).touch()
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", "-w", str(work)]
    subprocess.run([*command, str(sources)], check=True, capture_output=True, timeout=300)
    return next(work.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as pip puts it among the other packages."""
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(target)
    return target


def save_scan(path: Path) -> None:
    nib.save(nib.Nifti1Image(np.outer(np.arange(12), np.arange(9)).astype(np.float32), np.eye(4)), path)


def python(installed: Path, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_the_bundle_and_the_label_app_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        found = {name for name in file.namelist() if not name.split("/")[0].endswith(".dist-info")}
        (points,) = (file.read(name).decode() for name in file.namelist() if name.endswith("entry_points.txt"))
    tracked = subprocess.run(
        ["git", "ls-files", "monai_srgan", "bundle", "label_app"], cwd=ROOT, capture_output=True, text=True
    )
    if tracked.returncode:
        pytest.skip("not a git checkout: the project's files are not known")
    names = tracked.stdout.split()
    assert found == {n if n.startswith("monai_srgan/") else f"monai_srgan/{n}" for n in names}
    assert "monai-srgan = monai_srgan.cli:main" in points


def test_a_bundle_away_from_the_sources_runs_with_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    where = python(installed, tmp_path, "-c", "import monai_srgan; print(monai_srgan.__file__)")
    assert Path(where.strip()).is_relative_to(installed)
    shutil.copytree(ROOT / "bundle", tmp_path / "mine", ignore=shutil.ignore_patterns("eval", "data"))
    save_scan(tmp_path / "a.nii.gz")
    command = ["-m", "monai.bundle", "run", "--config_file", "configs/inference.json"]
    python(installed, tmp_path / "mine", *command, "--dataset_dir", str(tmp_path / "a.nii.gz"))
    assert nib.load(tmp_path / "mine" / "eval" / "sr" / "a_sr.nii.gz").shape == (48, 36)


def test_the_command_finds_the_bundle_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    save_scan(tmp_path / "a.nii.gz")
    python(installed, tmp_path, "-m", "monai_srgan", "upscale", "a.nii.gz", "out")
    assert nib.load(tmp_path / "out" / "a_sr.nii.gz").shape == (48, 36)
    bundle = python(
        installed,
        tmp_path,
        "-c",
        "from monai_srgan.bundling.bundle_root import installed_bundle; print(installed_bundle())",
    )
    assert Path(bundle.strip()) == installed / "monai_srgan" / "bundle"


def test_the_command_finds_the_label_app_of_the_wheel_which_is_not_a_package(installed: Path, tmp_path: Path) -> None:
    folder = python(installed, tmp_path, "-m", "monai_srgan", "label-app")
    assert Path(folder.strip()) == installed / "monai_srgan" / "label_app"
    assert (installed / "monai_srgan" / "label_app" / "main.py").read_bytes() == (
        ROOT / "label_app" / "main.py"
    ).read_bytes()
    names = "import pkgutil, monai_srgan; print([m.name for m in pkgutil.iter_modules(monai_srgan.__path__)])"
    assert "label_app" not in python(installed, tmp_path, "-c", names)
