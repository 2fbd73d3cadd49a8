# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan download``: the figshare brain tumor dataset."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "download",
        help="fetch the figshare brain tumor dataset",
        description="Fetch the 3064 slices of the figshare brain tumor dataset (Jun Cheng, CC BY 4.0; 0.9 GB) into a "
        "folder. Sizes and md5 are checked; a call that broke off goes on where it stopped.",
    )
    parser.add_argument("folder", metavar="DIR", help="target folder, made when needed")
    parser.add_argument("--keep-archives", action="store_true", help="keep the four zip files after unpacking")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from monai_srgan.apps import download_figshare  # here, so that --help need not load torch

    root = download_figshare(args.folder, keep_archives=args.keep_archives)
    print(root)
