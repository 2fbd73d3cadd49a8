# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a config of the bundle with the options of a subcommand."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from monai_srgan.bundling.bundle_root import installed_bundle
from monai_srgan.bundling.folder_lock import release_folder
from monai_srgan.bundling.pretrained import VARIANTS, check_variant
from monai_srgan.cli.parsing import device_name

__all__ = ["add_common_options", "add_device_options", "common_items", "run_config"]


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that upscale and evaluate share."""
    parser.add_argument(
        "--variant",
        type=_variant,
        choices=VARIANTS,
        help="srgan: sharper (default); srresnet: higher PSNR and SSIM",
    )
    parser.add_argument("--weights", metavar="FILE", help="your own state dict instead of the bundle's")
    parser.add_argument("--srresnet", metavar="FILE", help="SRResNet that --weights was trained from, for blends")
    parser.add_argument(
        "--intervals", metavar="FILE", help="calibrated intervals for --trust, or none (default: the variant's)"
    )
    parser.add_argument(
        "--precision", choices=("fp32", "bf16", "fp16"), help="default: fp32; bf16 is faster where supported"
    )
    add_device_options(parser)


def _variant(text: str) -> str:
    try:
        check_variant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def add_device_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command shares that runs the bundle."""
    parser.add_argument("--device", type=device_name, help="such as cpu or cuda:0 (default: the GPU if there is one)")
    parser.add_argument("--bundle", metavar="DIR", help="another copy of the bundle (default: the installed one)")


def common_items(args: argparse.Namespace) -> dict[str, Any]:
    """Items of a config for the options of :func:`add_common_options`; None leaves the config's own value."""
    intervals = args.intervals and ("$None" if args.intervals == "none" else Path(args.intervals).expanduser())
    return {
        "variant": args.variant,
        "ckpt_path": args.weights and Path(args.weights).expanduser(),
        "srresnet_path": args.srresnet and Path(args.srresnet).expanduser(),
        "intervals": intervals,
        "precision": args.precision,
    }


def run_config(name: str, args: argparse.Namespace, **items: Any) -> None:
    """Run a config of the bundle.

    Args:
        name: "inference" or "evaluate".
        args: parsed options of :func:`add_device_options`, and the command's ``verbose``.
        items: items of the config; None leaves the config's own value. Paths as ``Path``: in text a config reads "#",
            "$", "%" and "@" as its syntax.
    """
    from monai.bundle import ConfigWorkflow  # here, so that --help need not load torch

    if not args.verbose:
        # has a level and a handler of its own, on standard output
        logging.getLogger("monai.bundle.workflows").setLevel(logging.ERROR)
    bundle = Path(args.bundle).expanduser().resolve() if args.bundle else installed_bundle()
    items |= {"device": args.device and f"$torch.device({args.device!r})"}
    workflow = ConfigWorkflow(
        config_file=str(bundle / "configs" / f"{name}.json"),
        workflow_type="inference",
        logging_file=False,  # keep the command's own logging
        bundle_root=bundle,
        **{key: value for key, value in items.items() if value is not None},
    )
    try:
        workflow.initialize()
        workflow.run()
        workflow.finalize()
    finally:
        if "output_dir" in items:
            release_folder(items["output_dir"])  # a check that fails leaves it claimed
