# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan phantom``: write a synthetic dataset in the layout of the real one."""

from __future__ import annotations

import argparse

from monai_srgan.cli.parsing import Command

__all__ = ["COMMAND"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="folder to create, or an empty one")
    parser.add_argument("--patients", type=int, default=15, metavar="N", help="number of patients (default: 15)")
    parser.add_argument("--slices", type=int, default=1, metavar="N", help="slices per patient (default: 1)")
    parser.add_argument(
        "--size", type=int, default=512, metavar="N", help="rows and columns, a multiple of 4, >= 64 (default: 512)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the phantoms (default: 0)")


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


COMMAND = Command(
    name="phantom",
    arguments="DIR",
    summary="write a synthetic dataset",
    description="Write synthetic head-like slices (phantoms) in the layout of the figshare brain tumor dataset.\n"
    "They show that the software works, and nothing about patients.",
    add_options=_add_options,
    run=_run,
    examples=(
        "monai-srgan phantom phantoms --patients 6 --size 128",
        "monai-srgan evaluate phantoms scores --num-folds 3",
    ),
)
