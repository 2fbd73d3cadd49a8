# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Find the bundle's folder, from a working folder or from the installed package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["find_bundle_root", "installed_bundle"]


def find_bundle_root() -> str:
    """The bundle's folder: the working folder, or ``bundle/`` in it.

    A config does not know its own path. Its commands are given inside the bundle (``configs/train.json``) or beside it
    (``bundle/configs/train.json``); from anywhere else MONAI's bundles take ``--bundle_root FOLDER``.

    Raises:
        FileNotFoundError: neither folder holds ``configs/metadata.json``.
    """
    for folder in (Path(), Path("bundle")):
        if _is_bundle(folder):
            return str(folder.resolve())
    raise FileNotFoundError(
        f"no bundle in {Path.cwd()} or its folder bundle/ (there is no configs/metadata.json): "
        "pass --bundle_root FOLDER with the folder of the bundle"
    )


def installed_bundle() -> Path:
    """The bundle that came with this package: inside it, or beside it in a checkout.

    Raises:
        FileNotFoundError: there is none.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "bundle", package.parent / "bundle"):
        if _is_bundle(folder):
            return folder
    raise FileNotFoundError(f"no bundle came with {package}: install the package again, or name a copy of the bundle")


def _is_bundle(folder: Path) -> bool:
    return (folder / "configs" / "metadata.json").is_file()
