# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What an error is about, below the RuntimeErrors that MONAI wraps it in."""

from __future__ import annotations

__all__ = ["reason", "root_cause"]


def root_cause(error: BaseException) -> BaseException:
    """The first cause that is more than a plain RuntimeError: MONAI's configs and Compose wrap what they run in those.

    Args:
        error: an error as caught.
    """
    while type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__
    return error


def reason(error: BaseException, source: str) -> str:
    """What is wrong with a file, in a line that begins with its name or holds it.

    Args:
        error: what a reader or transform raised.
        source: the file.
    """
    cause = root_cause(error)
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    # ITK's messages begin with the place in its own source
    line = next((line for line in lines if "ITK ERROR" in line), lines[0] if lines else type(cause).__name__)
    return line if str(source) in line else f"{source}: {line}"
