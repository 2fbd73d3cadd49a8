# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan phantom``: made-up slices in the layout of the dataset."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "phantom",
        help="write made-up slices to try things out with",
        description="Write made-up, head-like slices in the layout of the figshare brain tumor dataset. They show that "
        "the software works, and nothing about patients.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", help="folder to make, or an empty one")
    parser.add_argument("--patients", type=int, default=15, help="number of patients")
    parser.add_argument("--slices", type=int, default=1, help="slices of each patient")
    parser.add_argument("--size", type=int, default=512, help="rows and columns, a multiple of 4, at least 64")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same slices")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from monai_srgan.phantoms import write_phantom_dataset  # here, so that --help need not load torch

    root = write_phantom_dataset(
        args.folder,
        num_patients=args.patients,
        slices_per_patient=args.slices,
        image_size=args.size,
        seed=args.seed,
        progress=True,
    )
    print(root)
