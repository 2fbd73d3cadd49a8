# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The methods that an evaluation compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["chosen_methods"]


def chosen_methods(
    methods: Mapping[str, Any], names: Iterable[str], titles: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The methods of some names, in the order of the names.

    Args:
        methods: name to callable of LR images, as an evaluator takes them.
        names: which ones.
        titles: how a method is named in tables, where that is not its name: "blend 0.5" for "blend".

    Raises:
        ValueError: a name is unknown.
    """
    names = list(names)
    unknown = [name for name in names if name not in methods]
    if unknown:
        raise ValueError(f"compare must name methods out of {list(methods)}, got {unknown}")
    return {(titles or {}).get(name, name): methods[name] for name in names}
