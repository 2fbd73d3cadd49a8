# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The mean of the finite values."""

from __future__ import annotations

import doctest
import math

import pytest
import torch

from monai_srgan.metrics import FiniteMean, finite_mean, functional, masked_mean
from monai_srgan.scores import methods


def test_infinite_values_are_counted_and_nan_is_not() -> None:
    assert FiniteMean.of([1.0, math.nan, 4.0, math.inf, -math.inf]) == FiniteMean(5.0, 2, 2)
    assert FiniteMean.of([1.0, 4.0, math.inf]).mean == 2.5
    assert FiniteMean.of([math.inf, math.nan]).mean == math.inf
    assert math.isnan(FiniteMean.of([math.nan]).mean)


def test_a_masked_mean_is_that_of_the_regions_pixels() -> None:
    values = torch.arange(12.0).reshape(2, 1, 2, 3)
    mask = torch.tensor([[[[1, 0, 1], [0, 0, 1]]], [[[0, 0, 0], [0, 0, 0]]]])
    got = masked_mean(values, mask)
    assert got.dtype == torch.float64
    assert got[0] == (0 + 2 + 5) / 3
    assert torch.isnan(got[1])
    assert masked_mean(values).tolist() == [2.5, 8.5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.zeros(2, 3), r"values must have shape \(B, C, H, W\), got \(2, 3\)"),
        (torch.full((1, 1, 2, 2), math.nan), "values has NaN or infinite values"),
    ],
)
def test_a_masked_mean_of_something_else_is_refused(values: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        masked_mean(values)


@pytest.mark.parametrize("module", [finite_mean, functional, methods])
def test_the_examples_print_what_they_say(module: object) -> None:
    assert doctest.testmod(module).failed == 0
