# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The parser, subcommands as records, and argument types and actions that several of them share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

__all__ = ["Command", "Parser", "Renamed", "add_command", "device_name", "plain_text"]


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        name: what to type.
        arguments: its positional arguments, as its usage shows them.
        summary: one line for the list of commands.
        description: first paragraph of its help.
        add_options: adds its arguments to a parser.
        run: runs it.
        examples: examples of its help, one a line.
        hints: its own entries of :data:`monai_srgan.cli.hints.HINTS`.
    """

    name: str
    arguments: str
    summary: str
    description: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]
    examples: Sequence[str] = ()
    hints: Mapping[str, str] = field(default_factory=dict)


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` whose errors point to the help."""

    def error(self, message: str) -> NoReturn:
        """End the process with code 2, the error and a hint on standard error."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\nhint: {self.prog} --help lists the options\n")


def add_command(commands: Any, command: Command) -> None:
    """Add a subcommand.

    Args:
        commands: what ``ArgumentParser.add_subparsers`` returns.
        command: the subcommand.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        command.name,
        usage=" ".join(("monai-srgan", command.name, "[OPTIONS]", command.arguments)).strip(),
        help=command.summary,
        description=command.description,
        epilog="\n  ".join(["examples:", *command.examples]) if command.examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_options(parser)
    parser.set_defaults(run=command.run, hints=command.hints)


class Renamed(argparse.Action):
    """An option that has another name now: using it is an error that gives the new name.

    Args:
        option_strings: the old name.
        dest: see ``argparse.Action``.
        new: the new name.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, new: str) -> None:
        super().__init__(option_strings, dest, nargs="?", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        self.new = new

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002  (argparse's signature)
        values: Any,  # noqa: ARG002
        option_string: str | None = None,
    ) -> None:
        """Refuse it."""
        parser.error(f"{option_string} was renamed: use {self.new}")


def plain_text(text: str) -> str:
    """Text that a MONAI config does not evaluate.

    Raises:
        argparse.ArgumentTypeError: the config would read it as an expression or a reference.
    """
    if "#" in text or text[:1] in ("$", "%", "@"):
        raise argparse.ArgumentTypeError(f"must not contain # or start with $, % or @, got {text!r}")
    return text


def device_name(name: str) -> str:
    """The name of a device that is available.

    Raises:
        argparse.ArgumentTypeError: it is not available.
    """
    import torch  # here, so that --help need not load it

    try:
        device = torch.device(name)
        torch.ones(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        text = str(error).splitlines()[0][:100]
        raise argparse.ArgumentTypeError(f"device {name!r} is not available ({text}): use cpu") from error
    return name
