# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How scores are written for a reader."""

from __future__ import annotations

import math

import pytest

from monai_srgan.metrics import FRC_THRESHOLDS, METRICS
from monai_srgan.scores import METRIC_FACTS, summarize


def test_every_score_of_an_evaluation_has_its_facts() -> None:
    extra = ["hfen", "st_lpips", "redegraded_psnr", "measured_mse", "null_mse", "null_share"]
    extra += [name + unit for name in FRC_THRESHOLDS for unit in ("", "_mm")]
    extra += ["outside_power", "outside_share", "coverage", "interval_width"]
    assert list(METRIC_FACTS) == [*METRICS, *extra]


@pytest.mark.parametrize(
    ("metric", "value", "text", "heading", "arrow"),
    [
        ("psnr", 31.4159, "31.42", "PSNR [dB]", "↑"),
        ("ssim", 0.91236, "0.9124", "SSIM", "↑"),
        ("mse", 0.00123456, "1.235", "MSE x 1e3", "↓"),
        ("bias", 0.001234, "+1.23", "bias x 1e3", "→ 0"),
        ("bias", -0.001234, "-1.23", "bias x 1e3", "→ 0"),
        ("hfen", 0.63857, "0.639", "HFEN", "↓"),
        ("st_lpips", 0.21904, "0.2190", "ST-LPIPS", "↓"),
        ("redegraded_psnr", 70.125, "70.12", "re-degraded PSNR [dB]", "↑"),
        ("null_mse", 0.00123456, "1.235", "null-space MSE x 1e3", "↓"),
        ("null_share", 0.98765, "98.8", "null-space share [%]", ""),
        ("resolution_half", 0.17649, "0.176", "resolution at FRC 0.5 [cycles/pixel]", "↑"),
        ("resolution_seventh_mm", 2.7123, "2.71", "resolution at FRC 1/7 [mm]", "↓"),
        ("outside_power", -7.31, "-7.3", "power outside the support [dB]", "→ 0"),
        ("outside_share", 3.13e-5, "31.3", "share outside the support x 1e6", ""),
        ("coverage", 0.9035, "90.3", "coverage [%]", "↑"),
        ("interval_width", 0.0421, "0.0421", "interval width", "↓"),
    ],
)
def test_values_are_written_in_the_unit_of_the_heading(
    metric: str, value: float, text: str, heading: str, arrow: str
) -> None:
    fact = METRIC_FACTS[metric]
    assert (fact.text(value), fact.heading, fact.arrow) == (text, heading, arrow)


def test_what_was_not_measured_and_what_is_identical_are_told_apart() -> None:
    fact = METRIC_FACTS["psnr"]
    assert [fact.text(v) for v in (None, math.nan, math.inf, -math.inf)] == ["–", "–", "∞", "-∞"]
    assert fact.mean_and_sd(summarize([math.nan])) == "not measured"
    assert fact.mean_and_sd(None) == "not measured"
    assert fact.mean_and_sd(summarize([math.inf, math.nan])) == "identical"


def test_mean_and_sd_have_the_same_factor_and_only_the_mean_a_sign() -> None:
    fact = METRIC_FACTS["bias"]
    assert fact.mean_and_sd(summarize([0.001, 0.003])) == "+2.00 ± 1.41"
    assert fact.mean_and_sd(summarize([-0.001])) == "-1.00"


def test_what_is_written_as_nothing_has_no_sign() -> None:
    bias = METRIC_FACTS["bias"]
    assert [bias.text(value) for value in (-1e-6, 0.0, 1e-6, -1e-5, 1e-5)] == ["0.00", "0.00", "0.00", "-0.01", "+0.01"]
