# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the bundle lies, seen from the folder in which a command is given."""

from __future__ import annotations

from pathlib import Path

__all__ = ["find_bundle_root"]


def find_bundle_root() -> str:
    """The bundle's folder: the working folder, or ``bundle/`` in it.

    A config does not know its own path. Its commands are given inside the bundle (``configs/train.json``) or beside it
    (``bundle/configs/train.json``); from anywhere else MONAI's bundles take ``--bundle_root FOLDER``.

    Raises:
        FileNotFoundError: neither folder holds ``configs/metadata.json``.
    """
    for folder in (Path(), Path("bundle")):
        if (folder / "configs" / "metadata.json").is_file():
            return str(folder.resolve())
    raise FileNotFoundError(
        f"no bundle in {Path.cwd()} or its folder bundle/ (there is no configs/metadata.json): "
        "pass --bundle_root FOLDER with the folder of the bundle"
    )
