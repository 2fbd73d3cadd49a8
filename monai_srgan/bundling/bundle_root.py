# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Find the bundle's folder, from the working directory or from the installed package."""

from __future__ import annotations

from pathlib import Path

from monai_srgan.errors import about

__all__ = ["find_bundle_root", "installed_bundle", "installed_label_app"]

_PACKAGE = Path(__file__).resolve().parents[1]


def find_bundle_root() -> str:
    """The bundle's folder: the working directory, or ``bundle/`` in it.

    A config does not know its own path. Commands run inside the bundle (``configs/train.json``) or beside it
    (``bundle/configs/train.json``); from anywhere else MONAI's bundles take ``--bundle_root FOLDER``.

    Raises:
        FileNotFoundError: neither folder holds ``configs/metadata.json``.
    """
    for folder in (Path(), Path("bundle")):
        if _is_bundle(folder):
            return str(folder.resolve())
    raise about(
        FileNotFoundError(
            f"no bundle in {Path.cwd()} or in its folder bundle/ (no configs/metadata.json): "
            "set bundle_root to the bundle's folder"
        ),
        "bundle_root",
    )


def installed_bundle() -> Path:
    """The bundle of this package: inside it when installed from a wheel, beside it in a checkout.

    Raises:
        FileNotFoundError: neither folder holds ``configs/metadata.json``.
    """
    for folder in (_PACKAGE / "bundle", _PACKAGE.parent / "bundle"):
        if _is_bundle(folder):
            return folder
    raise about(FileNotFoundError(f"no bundle in or beside {_PACKAGE}: reinstall the package"), "bundle_root")


def installed_label_app() -> Path:
    """The MONAI Label app of this package: inside it when installed from a wheel, beside it in a checkout.

    Raises:
        FileNotFoundError: neither folder holds ``main.py``.
    """
    for folder in (_PACKAGE / "label_app", _PACKAGE.parent / "label_app"):
        if (folder / "main.py").is_file():
            return folder
    raise FileNotFoundError(f"no label_app in or beside {_PACKAGE}: reinstall the package")


def _is_bundle(folder: Path) -> bool:
    return (folder / "configs" / "metadata.json").is_file()
