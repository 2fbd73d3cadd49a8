# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The methods that an evaluation compares, selected by name."""

from __future__ import annotations

import pytest

from monai_srgan.bundling import select_methods
from monai_srgan.errors import argument_of


def test_methods_are_selected_by_name_in_the_order_of_the_names() -> None:
    methods = {"a": 1, "b": 2, "c": 3}
    assert list(select_methods(methods, ["c", "a"])) == ["c", "a"]
    assert select_methods(methods, ["b"], {"b": "b 0.5"}) == {"b 0.5": 2}
    with pytest.raises(ValueError, match=r"compare must name methods out of \['a', 'b', 'c'\], got \['x'\]") as raised:
        select_methods(methods, ["a", "x"])
    assert argument_of(raised.value) == "compare"
