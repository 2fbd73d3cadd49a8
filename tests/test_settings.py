# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Differences between the settings of two runs."""

from __future__ import annotations

from monai_srgan.settings import Difference, differences


def test_equal_settings_have_no_differences() -> None:
    assert list(differences({"a": 1, "b": {"c": [2, 3]}}, {"b": {"c": [2, 3]}, "a": 1})) == []


def test_differences_are_in_alphabetical_order_and_nested_names_are_dotted() -> None:
    first = {"seed": 0, "degradation": {"operator": {"sigma": 1.5, "scale": 4}, "noise_std": 0.0}}
    second = {"seed": 1, "degradation": {"operator": {"sigma": 2.5, "scale": 4}, "noise_std": 0.1}}
    assert list(differences(first, second)) == [
        Difference("degradation.noise_std", "0.0", "0.1"),
        Difference("degradation.operator.sigma", "1.5", "2.5"),
        Difference("seed", "0", "1"),
    ]


def test_an_absent_setting_differs_from_none_and_says_so() -> None:
    assert list(differences({"a": None}, {"b": "x"})) == [
        Difference("a", "None", "(not recorded)"),
        Difference("b", "(not recorded)", "'x'"),
    ]


def test_a_mapping_and_a_value_are_compared_as_wholes() -> None:
    assert list(differences({"a": {"b": 1}}, {"a": None})) == [Difference("a", "{'b': 1}", "None")]


def test_long_lists_are_cut_and_counted() -> None:
    (found,) = differences({"patients": list(range(100, 200))}, {"patients": []})
    assert found.first == "[100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111," + "... (100 items)"
    assert found.second == "[]"
