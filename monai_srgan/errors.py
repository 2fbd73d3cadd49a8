# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Exceptions that know which argument they are about, so that a command can name its own option."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["about", "argument_of"]

E = TypeVar("E", bound=Exception)


def about(error: E, argument: str) -> E:
    """Mark an exception as one about an argument.

    The message itself names the argument as Python does (``overwrite=True``). The bundle and the command
    ``monai-srgan`` look the argument up and add the option to pass there.

    Args:
        error: the exception, about to be raised.
        argument: name of the argument that a caller would change, such as "overwrite".

    Returns:
        the exception.

    Example:
        >>> raise about(FileExistsError("a.nii.gz exists: set overwrite=True"), "overwrite")
        Traceback (most recent call last):
        FileExistsError: a.nii.gz exists: set overwrite=True
    """
    error.__dict__["argument"] = argument
    return error


def argument_of(error: BaseException) -> str | None:
    """The argument that an exception is about, or else the first of its causes that names one.

    Args:
        error: an exception as caught; ``raise ... from`` links it to its causes.

    Returns:
        the argument's name; None where neither the exception nor a cause names one.
    """
    cause: BaseException | None = error
    while cause is not None:
        argument = cause.__dict__.get("argument")
        if argument is not None:
            return str(argument)
        cause = cause.__cause__
    return None
