# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Exceptions that know which argument they are about, so that a command can add the remedy in its own words."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["about", "argument_of"]

E = TypeVar("E", bound=Exception)


def about(error: E, argument: str) -> E:
    """Mark an exception as one about an argument.

    The message itself names the argument as Python does (``overwrite=True``). The bundle and the command
    ``monai-srgan`` look the argument up and add what to type there.

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
    """The argument that an exception is about; None where it does not say."""
    return error.__dict__.get("argument")
