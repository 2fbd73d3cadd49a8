# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a config of the bundle from another command, with the options that were given."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from monai_srgan.bundling.bundle_root import installed_bundle
from monai_srgan.bundling.shipped import VARIANTS

__all__ = ["add_common_options", "plain_text", "run_config"]


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Options that enlarging and evaluating have in common."""
    parser.add_argument(
        "--variant",
        choices=VARIANTS,
        help="srgan: the sharper (default); srresnet: the truer; srresnet_jitter: for scans of another or unknown blur",
    )
    parser.add_argument("--weights", metavar="FILE", help="state dict of your own instead of the bundle's")
    parser.add_argument(
        "--precision", choices=("fp32", "bf16", "fp16"), help="default fp32; bf16 is quicker where known"
    )
    parser.add_argument("--srresnet", metavar="FILE", help="state dict at the other end of a blend of your own weights")
    parser.add_argument("--device", type=_device, help="such as cpu or cuda:0; default: the GPU where there is one")
    parser.add_argument("--bundle", metavar="DIR", help="another copy of the bundle than the one that is installed")


def run_config(name: str, args: argparse.Namespace, **overrides: Any) -> None:
    """Run a config with the common options and further items; None leaves the config's own value.

    Args:
        name: "inference" or "evaluate".
        args: parsed options of :func:`add_common_options`.
        overrides: items of the config. Paths as ``Path``: a config reads "#", "$", "%" and "@" in a text as its syntax.
    """
    from monai.bundle import ConfigWorkflow  # here, so that --help need not load torch

    if not args.verbose:
        # has a level and a handler of its own, on standard output
        logging.getLogger("monai.bundle.workflows").setLevel(logging.ERROR)
    bundle = Path(args.bundle).expanduser().resolve() if args.bundle else installed_bundle()
    common = {
        "variant": args.variant,
        "ckpt_path": args.weights and Path(args.weights).expanduser(),
        "srresnet_path": args.srresnet and Path(args.srresnet).expanduser(),
        "precision": args.precision,
        "device": args.device and f"$torch.device({args.device!r})",
    }
    given = {key: value for key, value in (common | overrides).items() if value is not None}
    workflow = ConfigWorkflow(
        config_file=str(bundle / "configs" / f"{name}.json"),
        workflow_type="inference",
        logging_file=False,  # the command's own logging stays
        bundle_root=bundle,
        **given,
    )
    workflow.initialize()
    workflow.run()
    workflow.finalize()


def plain_text(text: str) -> str:
    """A text that a config takes as it is.

    Raises:
        argparse.ArgumentTypeError: it would be read as an expression or a reference.
    """
    if "#" in text or text[:1] in ("$", "%", "@"):
        raise argparse.ArgumentTypeError(f"it must not hold # or begin with $, % or @, got {text!r}")
    return text


def _device(name: str) -> str:
    """The name of a device that there is."""
    import torch  # here, so that --help need not load it

    try:
        device = torch.device(name)
        torch.ones(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        text = str(error).splitlines()[0][:100]
        raise argparse.ArgumentTypeError(f"there is no device {name!r} here ({text}): take cpu") from error
    return name
