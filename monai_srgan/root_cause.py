# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The root cause of an error that MONAI wraps in RuntimeErrors."""

from __future__ import annotations

__all__ = ["reason", "root_cause"]


def root_cause(error: BaseException) -> BaseException:
    """The first cause that is not a plain RuntimeError, in which MONAI's ConfigParser and Compose wrap errors.

    Args:
        error: the error, as caught.
    """
    while type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__
    return error


def reason(error: BaseException, source: str) -> str:
    """One line on what is wrong with a file; it contains the file's name.

    Args:
        error: raised by a reader or transform.
        source: the file.
    """
    cause = root_cause(error)
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    # ITK's messages start with a location in its source code.
    line = next((line for line in lines if "ITK ERROR" in line), lines[0] if lines else type(cause).__name__)
    return line if str(source) in line else f"{source}: {line}"
