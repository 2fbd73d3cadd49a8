# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Type checks for boolean options."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.errors import about

__all__ = ["require_flags"]


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


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
