# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan evaluate``: scores and a report on slices with tumour masks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from monai_srgan.cli.workflow import add_common_options, plain_text, run_config

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "evaluate",
        help="score methods inside and outside the tumour, with a report",
        description="Degrade slices with tumour masks (.mat of the figshare layout), enlarge them again, and compare "
        "with the truth, inside and outside the tumour. Writes OUT/report.html, scores.csv, summary.json and panels/.",
    )
    parser.add_argument("dataset", metavar="DIR", help="folder of .mat slices")
    parser.add_argument("output", metavar="OUT", help="folder of the results, made when needed")
    add_common_options(parser)
    parser.add_argument(
        "--section", choices=("training", "validation", "test"), help="which patients of the fold (default: test)"
    )
    parser.add_argument("--fold", type=int, metavar="N", help="test fold of the split by patient (default: 0)")
    parser.add_argument("--folds", type=int, metavar="N", help="number of folds (default: 5)")
    parser.add_argument(
        "--compare",
        type=lambda text: plain_text(text).split(","),
        metavar="A,B,...",
        help="methods out of nearest, bicubic, lanczos, srresnet, srresnet_jitter, blend (default: the first four)",
    )
    parser.add_argument("--sigma", type=float, help="blur of the degradation in HR pixels (default: 1.5)")
    parser.add_argument("--trust", action="store_true", help="also score the calibrated intervals")
    parser.add_argument("--stress", action="store_true", help="also degradations that the network was not trained for")
    parser.add_argument("--panels", type=int, metavar="N", help="number of pictures (default: 6)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    output = Path(args.output).expanduser()
    run_config(
        "evaluate",
        args,
        dataset_dir=Path(args.dataset).expanduser(),
        output_dir=output,
        section=args.section,
        fold=args.fold,
        num_folds=args.folds,
        compare=args.compare,
        sigma=args.sigma,
        trust=args.trust or None,
        stress=args.stress or None,
        panels=args.panels,
    )
    print(output / "report.html")
