# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Methods and their names."""

from __future__ import annotations

import pytest

from monai_srgan.scores import CONSISTENCY, ENSEMBLE, ESTIMATED, Method, in_table_order


@pytest.mark.parametrize("name", ["srgan", "blend 0.5", "srgan + consistency", "srgan + estimated", "a + b + ensemble"])
def test_a_method_survives_its_name(name: str) -> None:
    method = Method.parse(name)
    assert str(method) == name
    assert Method.parse(method) is method


def test_additions_are_added_and_removed() -> None:
    base = Method("srgan")
    both = base.with_(CONSISTENCY).with_(ENSEMBLE)
    assert str(both) == "srgan + consistency + ensemble"
    assert (both.has(CONSISTENCY), base.has(CONSISTENCY)) == (True, False)
    assert both.without(CONSISTENCY) == base.with_(ENSEMBLE)
    assert base.without(CONSISTENCY) == base
    assert str(base.with_(ESTIMATED)) == "srgan + estimated"
    assert (both.is_variant, base.is_variant) == (True, False)


def test_interpolations_come_first_and_variants_after_their_base() -> None:
    names = ["srgan + ensemble", "srgan", "mine", "lanczos", "srgan + consistency", "bicubic", "srgan"]
    assert [str(method) for method in in_table_order(map(Method.parse, names))] == [
        *("bicubic", "lanczos", "srgan", "srgan + ensemble", "srgan + consistency", "mine")
    ]
