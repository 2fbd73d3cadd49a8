# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan download``: fetch the figshare brain tumor dataset."""

from __future__ import annotations

import argparse

from monai_srgan.cli.parsing import Command

__all__ = ["COMMAND"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="target folder, created if needed")
    parser.add_argument("--keep-archives", action="store_true", help="keep the four zip files after unpacking")


def _run(args: argparse.Namespace) -> None:
    from monai_srgan.apps import download_figshare  # here, so that --help need not load torch

    root = download_figshare(args.folder, keep_archives=args.keep_archives)
    print(root)


COMMAND = Command(
    name="download",
    arguments="DIR",
    summary="fetch the figshare brain tumor dataset (0.9 GB)",
    description="Fetch the 3064 slices of the figshare brain tumor dataset (Jun Cheng, CC BY 4.0; 0.9 GB).\n"
    "Sizes and md5 are checked; interrupted downloads resume.",
    add_options=_add_options,
    run=_run,
    examples=("monai-srgan download figshare",),
)
