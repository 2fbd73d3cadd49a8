# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of a config are finite, and in their range."""

from __future__ import annotations

import numpy as np
import pytest

from monai_srgan.bundling import require_numbers, require_whole_numbers
from monai_srgan.errors import argument_of


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.1", True, [1.0], 1j])
def test_what_is_no_finite_number_is_refused_by_name(value):
    with pytest.raises(ValueError, match="adversarial_weight must be a finite number, got") as caught:
        require_numbers(adversarial_weight=value)
    assert argument_of(caught.value) == "adversarial_weight"


@pytest.mark.parametrize(
    ("limits", "value", "message"),
    [
        ((0,), -0.1, "rate must be at least 0, got -0.1"),
        ((0, 1), 1.5, "rate must be from 0 to 1, got 1.5"),
        ((-np.inf, 1), 2, "rate must be at most 1, got 2"),
    ],
)
def test_numbers_out_of_range_are_refused(limits, value, message):
    with pytest.raises(ValueError, match=message):
        require_numbers(*limits, rate=value)


@pytest.mark.parametrize("value", [1.0, True, "2", float("nan")])
def test_counts_are_whole_numbers(value):
    with pytest.raises(ValueError, match="batch_size must be a whole number, got"):
        require_whole_numbers(batch_size=value)


def test_counts_below_the_least_are_refused():
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        require_whole_numbers(1, batch_size=0)


def test_what_is_not_set_and_what_is_right_pass():
    require_numbers(0, 1, blend=None, rate=0, share=1.0, other=np.float32(0.5))
    require_whole_numbers(1, fold=None, batch_size=1, patch_size=np.int64(3))
