# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The methods that an evaluation compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from monai_srgan.errors import about

__all__ = ["select_methods"]


def select_methods(
    methods: Mapping[str, Any], names: Iterable[str], titles: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Select methods by name, in the order of the names.

    Args:
        methods: name to callable of LR images, as an evaluator takes them.
        names: names of the methods to select.
        titles: name of a method in tables where it differs: "blend 0.5" for "blend".

    Raises:
        ValueError: a name is unknown.
    """
    names = list(names)
    unknown = [name for name in names if name not in methods]
    if unknown:
        raise about(ValueError(f"compare must name methods out of {list(methods)}, got {unknown}"), "compare")
    return {(titles or {}).get(name, name): methods[name] for name in names}
