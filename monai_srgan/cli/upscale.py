# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan upscale``: enlarge image files by 4 in plane."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from monai_srgan.cli.parsing import Command, plain_text
from monai_srgan.cli.workflow import add_common_options, common_items, run_config
from monai_srgan.errors import about
from monai_srgan.json_text import parse_json

__all__ = ["COMMAND"]


def _measurement(text: str) -> Any:
    """A record in JSON, the path of a file, or "auto"."""
    if text == "auto":
        return text
    if not text.lstrip().startswith("{"):
        return Path(text).expanduser()
    try:
        return parse_json(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be JSON, a JSON file or auto ({error}), got {text!r}") from error


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="image file, or folder of images or of DICOM series")
    parser.add_argument("output", metavar="OUT", help="folder of the results, created if needed")
    parser.add_argument("--overwrite", action="store_true", help="replace existing results")
    parser.add_argument(
        "--trust",
        action="store_true",
        help="also write maps of how far to trust each pixel; takes 8 times as long",
    )
    parser.add_argument(
        "--measurement",
        type=_measurement,
        metavar="RECORD",
        help="how the input was measured: auto estimates it (default); else JSON such as "
        '\'{"kernel": "gaussian", "sigma": 1.0, "noise_std": 0.02}\', or a JSON file',
    )
    parser.add_argument(
        "--native",
        choices=("auto", "off"),
        help="auto reduces an image that the scanner interpolated to what it acquired (default); off takes every "
        "pixel for measured",
    )
    parser.add_argument(
        "--grid",
        choices=("input", "native"),
        help="grid of the result: four times the input's (default), or four times what the scanner acquired",
    )
    parser.add_argument(
        "--consistency",
        action=argparse.BooleanOptionalAction,
        help="project the result onto the images that the measurement reduces to the input (default), or not",
    )
    parser.add_argument(
        "--blend", type=float, metavar="0..1", help="interpolate the weights between srresnet (0) and --variant (1)"
    )
    parser.add_argument("--ext", type=plain_text, help="file type: .nii.gz (default), .nii or .png")
    parser.add_argument(
        "--dtype",
        type=plain_text,
        help="type of NIfTI values: uint8, int16, uint16, int32, float32 (default), float64, or source for the input's",
    )
    parser.add_argument("--postfix", type=plain_text, help="results are <name>_<postfix><ext> (default: sr)")
    parser.add_argument(
        "--mat-variable", type=plain_text, metavar="PATH", help="image in .mat files (default: cjdata/image)"
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="slices of a volume per batch (default: 1)")
    add_common_options(parser)


def _run(args: argparse.Namespace) -> None:
    from monai_srgan.transforms.save import OUTPUT_SUFFIXES  # here, so that --help need not load torch

    output = Path(args.output).expanduser()
    if output.name.lower().endswith(OUTPUT_SUFFIXES):
        raise about(ValueError(f"OUT must be a folder, got the file name {args.output}"), "output_dir")
    run_config(
        "inference",
        args,
        dataset_dir=Path(args.input).expanduser(),
        output_dir=output,
        blend=args.blend,
        measurement=args.measurement,
        native=args.native,
        grid=args.grid,
        consistency=args.consistency,
        trust=args.trust or None,
        output_ext=args.ext,
        output_dtype=args.dtype,
        output_postfix=args.postfix,
        mat_variable=args.mat_variable,
        overwrite=args.overwrite or None,
        **{"tiled#batch_size": args.batch_size},
        **common_items(args),
    )
    print(output)


COMMAND = Command(
    name="upscale",
    arguments="IN OUT",
    summary="enlarge images and volumes by 4 in plane",
    description="Enlarge images by 4 in plane: .mat, NIfTI, grayscale PNG, DICOM files and folders of DICOM series,\n"
    "slices or volumes. Writes OUT/<name>_sr.nii.gz in the input's units, at the input's position,\n"
    "and OUT/<name>_sr.json, which says how the input is assumed to have been measured.",
    add_options=_add_options,
    run=_run,
    examples=(
        "monai-srgan upscale scan.nii.gz out",
        "monai-srgan upscale slices out --ext .png",
        "monai-srgan upscale series out --variant srresnet --trust",
        'monai-srgan upscale scan.nii.gz out --measurement \'{"kernel": "gaussian", "sigma": 1.0}\'',
    ),
)
