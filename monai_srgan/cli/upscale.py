# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan upscale``: image files to image files four times as fine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from monai_srgan.cli.workflow import add_common_options, plain_text, run_config

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "upscale",
        help="enlarge images by 4 in plane",
        description="Enlarge images by 4 in plane: .mat, NIfTI, grayscale PNG, DICOM files and folders of DICOM "
        "series, slices or volumes. Writes OUT/<name>_sr.nii.gz, in the input's units and with its true affine.",
    )
    parser.add_argument("input", metavar="IN", help="image file, or folder of images or of DICOM series")
    parser.add_argument("output", metavar="OUT", help="folder of the results, made when needed")
    add_common_options(parser)
    parser.add_argument("--blend", type=float, metavar="0..1", help="between srresnet (0) and srgan (1)")
    parser.add_argument(
        "--consistency", action="store_true", help="keep what was measured: the result, degraded again, is the input"
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="also write maps of how far to believe each pixel; takes eight times as long",
    )
    parser.add_argument("--ext", type=plain_text, help="kind of file: .nii.gz (default), .nii or .png")
    parser.add_argument(
        "--dtype",
        type=plain_text,
        help="numbers in NIfTI: uint8, int16, uint16, int32, float32 (default), float64, or source: as in the input",
    )
    parser.add_argument("--postfix", type=plain_text, help="results are <name>_<postfix><ext> (default: sr)")
    parser.add_argument(
        "--mat-variable", type=plain_text, metavar="PATH", help="image in .mat files (default: cjdata/image)"
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="slices of a volume enlarged together (default: 1)")
    parser.add_argument("--overwrite", action="store_true", help="replace results that exist")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from monai_srgan.transforms.save import OUTPUT_SUFFIXES  # here, so that --help need not load torch

    output = Path(args.output).expanduser()
    if output.name.lower().endswith(OUTPUT_SUFFIXES):
        raise ValueError(
            f"OUT is a folder, whose files take their names from the input's, got {args.output}: drop the suffix"
        )
    run_config(
        "inference",
        args,
        dataset_dir=Path(args.input).expanduser(),
        output_dir=output,
        blend=args.blend,
        consistency=args.consistency or None,
        trust=args.trust or None,
        output_ext=args.ext,
        output_dtype=args.dtype,
        output_postfix=args.postfix,
        mat_variable=args.mat_variable,
        overwrite=args.overwrite or None,
        **{"tiled#batch_size": args.batch_size},
    )
    print(output)
