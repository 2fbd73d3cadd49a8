# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Type checks of options that a command line may turn into values of another type."""

from __future__ import annotations

from pathlib import Path

from monai_srgan import _renamed
from monai_srgan.errors import about

__all__ = ["require_flags", "require_path"]


def require_flags(**flags: object) -> None:
    """Check that options are booleans. A command line passes ``false`` as a string, which would count as true.

    Args:
        flags: options by name.

    Raises:
        ValueError: an option is not a bool; the message names it.
    """
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise about(ValueError(f"{name} must be True or False (capitalized), got {value!r}"), name)


def require_path(name: str, value: object) -> Path:
    """Check that a path is text, a Path or a whole number, and return it as a Path.

    MONAI's command line evaluates what looks like Python: the folder 2.50 arrives as the number 2.5, and left,right as
    a tuple, and their names are lost.

    Args:
        name: the option.
        value: its value; ``~`` at its start is the home folder.

    Raises:
        ValueError: it is of another type; the message names the option and shows how to quote it.
    """
    if isinstance(value, bool) or not isinstance(value, str | Path | int):
        message = (
            f"{name} must be a path, got {value!r} ({type(value).__name__}): the command line reads names such as "
            f"2.50, 1e3 or left,right as numbers and tuples; write them as --{name} ./2.50 or --{name} \"'2.50'\""
        )
        raise about(ValueError(message), name)
    return Path(str(value)).expanduser()


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
