# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan demo``: enlarge a synthetic slice and show the result on a page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from monai_srgan.cli.parsing import Command
from monai_srgan.cli.workflow import add_device_options, run_config
from monai_srgan.errors import about

__all__ = ["COMMAND"]

PAGE = "demo.html"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "output",
        metavar="OUT",
        nargs="?",
        default="monai-srgan-demo",
        help="folder of the results: new, empty, or of an earlier demo (default: monai-srgan-demo)",
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the synthetic slice (default: 0)")
    add_device_options(parser)


def _run(args: argparse.Namespace) -> None:
    output = Path(args.output).expanduser()
    if output.exists() and not output.is_dir():
        raise about(FileExistsError(f"OUT must be a folder, but {output} is a file"), "output_dir")
    if output.is_dir() and any(output.iterdir()) and not (output / PAGE).is_file():
        raise about(
            FileExistsError(f"OUT must be empty or hold an earlier demo, but {output} holds other files"), "output_dir"
        )
    if args.seed < 0:
        raise about(ValueError(f"seed must be >= 0, got {args.seed}"), "seed")

    from monai_srgan.cli.demo_page import render_demo_page  # here, so that --help need not load torch
    from monai_srgan.cli.demo_slice import draw_demo_slice, read_demo_result
    from monai_srgan.files import write_atomically

    page = output / PAGE
    output.mkdir(parents=True, exist_ok=True)
    page.write_bytes(b"")  # marks the folder as a demo's, and shows no old page beside new images
    print("drawing a synthetic slice and enlarging it 8 times, for the trust map ...", file=sys.stderr)
    demo = draw_demo_slice(args.seed)
    source = demo.save(output)
    # told, since a phantom is unlike the scans that the estimate knows
    run_config(
        "inference",
        args,
        dataset_dir=source,
        output_dir=output,
        measurement=demo.measurement.to_dict(),
        trust=True,
        overwrite=True,
    )
    text = render_demo_page(demo, read_demo_result(demo, output))
    write_atomically(page, lambda part: part.write_text(text, encoding="utf-8"))
    if args.open:
        _open(page)
    print(page)


def _open(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        print(f"no browser found: open {page} yourself", file=sys.stderr)


COMMAND = Command(
    name="demo",
    arguments="[OUT]",
    summary="enlarge a synthetic slice and show the result",
    description="Draw a synthetic slice of a head with a tumor (a phantom), degrade it to 128 x 128 pixels, enlarge\n"
    "it with the bundle's weights, and write OUT/demo.html: input, bicubic interpolation, result, trust\n"
    "map and ground truth side by side. Needs no data and no network; takes about half a minute.",
    add_options=_add_options,
    run=_run,
    examples=("monai-srgan demo --open", "monai-srgan demo out --seed 3"),
    hints={"seed": "--seed takes a number from 0"},
)
