# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan inspect``: what an image file holds, and the grid of its enlarged version."""

from __future__ import annotations

import argparse
import json

from monai_srgan.cli.parsing import Command

__all__ = ["COMMAND"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="image file, or folder of a DICOM series")
    parser.add_argument(
        "--mat-variable", default="cjdata/image", metavar="PATH", help="image in a .mat file (default: cjdata/image)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--picture", metavar="FILE.png", help="draw the spectrum, with the part of k-space that was acquired"
    )


def _run(args: argparse.Namespace) -> None:
    from monai_srgan.cli.image_facts import describe, load_image  # here, so that --help need not load torch

    if args.picture is not None:
        from monai_srgan.cli.spectrum_picture import check_picture

        check_picture(args.picture)
    image = load_image(args.file, mat_variable=args.mat_variable)
    facts = describe(image, args.file)
    if args.picture is not None:
        from monai_srgan.cli.spectrum_picture import save_picture

        save_picture(args.picture, image[0].numpy(), facts.support)
    if args.json:
        print(json.dumps(facts.to_dict(), indent=1))
        return
    lines = facts.lines()
    width = max(map(len, lines))
    for name, text in lines.items():
        print(f"{name:<{width}}  {text}")


COMMAND = Command(
    name="inspect",
    arguments="FILE",
    summary="show what an image file holds",
    description="Show size, spacing, orientation and intensities of an image (.mat, NIfTI, grayscale PNG, DICOM file\n"
    "or folder of a DICOM series), the tumor of a slice of the figshare dataset, the grid of the\n"
    "enlarged image, and how much of k-space was acquired. Writes nothing but the picture.",
    add_options=_add_options,
    run=_run,
    examples=(
        "monai-srgan inspect scan.nii.gz",
        "monai-srgan inspect series --json",
        "monai-srgan inspect scan.nii.gz --picture spectrum.png",
    ),
    hints={
        "dataset_dir": "FILE is an image file, or the folder of a DICOM series",
        "picture": "--picture takes the name of a new .png file in an existing folder",
    },
)
