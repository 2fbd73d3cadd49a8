# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Parse the command line, run a subcommand, and say in a line what went wrong."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from monai_srgan import __version__
from monai_srgan.cli import download, evaluate, inspect, phantom, upscale
from monai_srgan.root_cause import root_cause

__all__ = ["main"]

_COMMANDS = (download, phantom, inspect, upscale, evaluate)

# What messages tell to pass to a config, and what it is called here.
_OPTIONS = {
    "--overwrite True": "--overwrite",
    "--trust True": "--trust",
    "--dataset_dir FILE_OR_FOLDER": "IN",
    "--output_dir FOLDER": "another OUT",
    "--output_ext": "--ext",
    "--ckpt_path": "--weights",
    "--srresnet_path": "--srresnet",
    "output_dtype": "--dtype",
    "output_ext": "--ext",
    "output_dir": "OUT",
    "dataset_dir": "IN",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``monai-srgan``.

    Args:
        argv: arguments, without the program's name; None takes those of the process.

    Returns:
        exit code: 0 done, 1 could not be done (the reason is on standard error), 130 interrupted. A command line that
        cannot be parsed ends the process with code 2, ``--help`` with 0, as ever in argparse.
    """
    args = _parser().parse_args(argv)
    _log_to_stderr(verbose=args.verbose)
    try:
        args.run(args)
    except KeyboardInterrupt:
        print("monai-srgan: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        cause = root_cause(error)
        if args.verbose or not _is_the_user_s(cause):
            raise
        print(f"monai-srgan: {_in_our_words(str(cause) or type(cause).__name__)}", file=sys.stderr)
        return 1
    return 0


def _is_the_user_s(error: BaseException) -> bool:
    """Whether it is of what bad input, a missing file or a full disk raise; all else is a fault of the program."""
    from monai_srgan.apps import DownloadError  # here, so that --help need not load torch

    return isinstance(error, (ValueError, OSError, DownloadError))


def _in_our_words(message: str) -> str:
    """A message of the configs with the names that their items have here."""
    for theirs, ours in _OPTIONS.items():
        message = message.replace(theirs, ours)
    return message


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-srgan",
        description="Super-resolution of brain MRI by a factor of 4. For research only, not for diagnosis.",
        epilog="Training: python -m monai.bundle run training --config_file bundle/configs/train.json",
    )
    parser.add_argument("--version", action="version", version=f"monai-srgan {__version__}")
    parser.add_argument("--verbose", action="store_true", help="log what MONAI does, and show tracebacks")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


def _log_to_stderr(*, verbose: bool) -> None:
    """Results belong to standard output, what is told on the way to standard error."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO if verbose else logging.WARNING)
    logging.getLogger("monai_srgan").setLevel(logging.INFO)
    if not verbose:  # MONAI's engines and configs warn of what is no concern of this command's user
        logging.captureWarnings(True)
        # an engine logs an error that is told once more here
        for name in ("monai", "ignite", "py.warnings"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
