# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan inspect``: what a file holds, and what enlarging it would give."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "inspect",
        help="show what a file holds and what enlarging it would give",
        description="Show size, spacing, orientation and intensities of an image (.mat, NIfTI, PNG, DICOM file or "
        "folder of a DICOM series), the tumour of a slice of the figshare dataset, and the grid that enlarging it "
        "would give. Only reads.",
    )
    parser.add_argument("file", metavar="FILE", help="image file, or folder of a DICOM series")
    parser.add_argument(
        "--mat-variable", default="cjdata/image", metavar="PATH", help="image in a .mat file (default: cjdata/image)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from monai_srgan.cli.image_facts import image_facts  # here, so that --help need not load torch

    facts = image_facts(args.file, mat_variable=args.mat_variable)
    if args.json:
        text = json.dumps(facts, indent=1)
    else:
        width = max(map(len, facts))
        text = "\n".join(f"{name:<{width}}  {_text(value)}" for name, value in facts.items())
    print(text)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " x ".join(f"{v:g}" for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {'not finite' if v is None else f'{v:g}'}" for name, v in value.items())
    return str(value)
