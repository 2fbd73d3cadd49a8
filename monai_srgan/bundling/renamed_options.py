# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Options of a config that have a new name: setting the old one is an error instead of being ignored."""

from __future__ import annotations

from monai_srgan.errors import about

__all__ = ["check_renamed"]


def check_renamed(old: str, value: object, *, new: str) -> None:
    """Check that an option is not set under its old name.

    Args:
        old: the old name, an item of the config that is null.
        value: the item's value.
        new: the new name.

    Raises:
        ValueError: if the item has been set.
    """
    if value is not None:
        raise about(ValueError(f"{old} is now called {new}: set {new}={value!r}"), new)
