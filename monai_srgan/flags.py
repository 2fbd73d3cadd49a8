# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Type checks for boolean options."""

from __future__ import annotations

__all__ = ["require_flags"]


def require_flags(**flags: object) -> None:
    """See that switches are truth values: a command line makes a text of ``false``, which would count as true.

    Args:
        flags: the switches by name.

    Raises:
        ValueError: one is something else.
    """
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False, written with a capital, got {value!r}")
