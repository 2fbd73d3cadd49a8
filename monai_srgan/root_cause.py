# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What an error is about, below the RuntimeErrors that MONAI wraps it in."""

from __future__ import annotations

__all__ = ["root_cause"]


def root_cause(error: BaseException) -> BaseException:
    """The first cause that is more than a plain RuntimeError: MONAI's configs and Compose wrap what they run in those.

    Args:
        error: an error as caught.
    """
    while type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__
    return error
