# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Switches of a config: truth values, and nothing that merely counts as one."""

from __future__ import annotations

__all__ = ["require_flags", "require_with"]


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


def require_with(switch: str, on: bool, **options: object) -> None:
    """See that nothing is asked for that only a switch gives a meaning to: it would be passed over without a word.

    Args:
        switch: name of the switch.
        on: whether it is on.
        options: options that need it, by name; what counts as false is not asked for.

    Raises:
        ValueError: one is asked for, and the switch is off.
    """
    asked = [name for name, value in options.items() if value]
    if asked and not on:
        raise ValueError(f"{' and '.join(asked)} need {switch}: pass --{switch} True, or leave them out")
