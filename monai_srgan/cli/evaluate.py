# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan evaluate``: scores and a report on slices with tumor masks."""

from __future__ import annotations

import argparse
from pathlib import Path

from monai_srgan.cli.parsing import Command, Renamed, plain_text
from monai_srgan.cli.workflow import add_common_options, common_items, run_config

__all__ = ["COMMAND"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar="DIR", help="folder of .mat slices")
    parser.add_argument("output", metavar="OUT", help="folder of the results, created if needed")
    parser.add_argument(
        "--section", choices=("training", "validation", "test"), help="patients of the fold to score (default: test)"
    )
    parser.add_argument("--fold", type=int, metavar="N", help="test fold of the split by patient (default: 0)")
    parser.add_argument("--num-folds", type=int, metavar="N", help="number of folds (default: 5)")
    parser.add_argument("--folds", action=Renamed, new="--num-folds")
    parser.add_argument(
        "--compare",
        type=lambda text: [plain_text(name) for name in text.split(",")],
        metavar="A,B,...",
        help="methods to compare: nearest, bicubic, lanczos, srresnet, blend (default: the first four)",
    )
    parser.add_argument("--sigma", type=float, metavar="S", help="blur of the degradation in HR pixels (default: 1.5)")
    parser.add_argument("--trust", action="store_true", help="also score the calibrated intervals")
    parser.add_argument("--stress", action="store_true", help="also score other degradations, with and without noise")
    parser.add_argument("--panels", type=int, metavar="N", help="number of pictures (default: 6)")
    add_common_options(parser)


def _run(args: argparse.Namespace) -> None:
    output = Path(args.output).expanduser()
    run_config(
        "evaluate",
        args,
        dataset_dir=Path(args.dataset).expanduser(),
        output_dir=output,
        section=args.section,
        fold=args.fold,
        num_folds=args.num_folds,
        compare=args.compare,
        sigma=args.sigma,
        trust=args.trust or None,
        stress=args.stress or None,
        panels=args.panels,
        **common_items(args),
    )
    print(output / "report.html")


COMMAND = Command(
    name="evaluate",
    arguments="DIR OUT",
    summary="score methods inside and outside the tumor",
    description="Degrade slices with tumor masks (.mat files of the figshare layout), enlarge them again, and compare\n"
    "with the originals inside and outside the tumor. Writes OUT/report.html, scores.csv, summary.json\n"
    "and panels/. Files of an earlier run in OUT move to OUT/previous-N.",
    add_options=_add_options,
    run=_run,
    examples=(
        "monai-srgan evaluate figshare scores",
        "monai-srgan evaluate figshare scores --compare bicubic,srresnet --trust --stress",
    ),
    hints={
        "dataset_dir": "DIR is a folder of .mat slices: monai-srgan download fetches real ones, monai-srgan phantom "
        "writes synthetic ones",
    },
)
