# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Parse the command line, run a subcommand, and report an error in one line and a hint."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from monai_srgan import __version__
from monai_srgan.cli import demo, download, evaluate, inspect, label_app, phantom, upscale
from monai_srgan.cli.hints import hint_for
from monai_srgan.cli.parsing import Parser, add_command
from monai_srgan.root_cause import root_cause

__all__ = ["build_parser", "main"]

_EPILOG = """\
examples:
  monai-srgan demo --open                enlarge a synthetic slice and look at the result
  monai-srgan upscale scan.nii.gz out    write out/scan_sr.nii.gz, 4 times finer in plane
  monai-srgan upscale --help             all options of a command

exit codes:
  0    done
  1    failed: one message on standard error gives the reason and a hint
  2    the command line is invalid
  130  interrupted by Ctrl-C; 143 by SIGTERM

Training and calibration are workflows of the bundle:
  python -m monai.bundle run training --config_file bundle/configs/train.json
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``monai-srgan``.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        exit code: 0 done, 1 failed (the reason is on standard error), 130 interrupted. An invalid command line ends the
        process with code 2 and ``--help`` with 0, as argparse does.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help(sys.stderr)
        parser.exit(2)
    _log_to_stderr(verbose=args.verbose)
    try:
        args.run(args)
    except KeyboardInterrupt:
        print("monai-srgan: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        cause = root_cause(error)
        if not _is_user_error(cause):
            raise
        if args.verbose:
            logging.getLogger("monai_srgan").error("traceback:", exc_info=error)
        print(f"monai-srgan: error: {str(cause) or type(cause).__name__}", file=sys.stderr)
        hint = hint_for(error, args.hints)
        if hint is not None:
            print(f"hint: {hint}", file=sys.stderr)
        return 1
    return 0


def _is_user_error(error: BaseException) -> bool:
    """Whether bad input, a missing file or a full disk can raise it; anything else is a bug."""
    from monai_srgan.apps import DownloadError  # here, so that --help need not load torch

    return isinstance(error, (ValueError, OSError, DownloadError))


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command, with all subcommands."""
    parser = Parser(
        prog="monai-srgan",
        usage="monai-srgan [OPTIONS] COMMAND ...",
        description="Enlarge brain MRI by a factor of 4 in plane, with SRGAN. For research only, not for diagnosis.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"monai-srgan {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="show MONAI's log, and tracebacks of errors")
    commands = parser.add_subparsers(title="commands", prog="monai-srgan", metavar="COMMAND", dest="command")
    for module in (demo, upscale, inspect, evaluate, download, phantom, label_app):
        add_command(commands, module.COMMAND)
    return parser


def _log_to_stderr(*, verbose: bool) -> None:
    """Send the log to standard error: standard output is for results."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO if verbose else logging.WARNING)
    logging.getLogger("monai_srgan").setLevel(logging.INFO)
    if not verbose:
        # Warnings of MONAI's engines and configs do not concern the command's user, and an engine logs every error
        # that is reported here again.
        logging.captureWarnings(True)
        for name in ("monai", "ignite", "py.warnings"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
