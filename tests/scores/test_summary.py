# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""From rows to the figures of a report."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import replace
from typing import Any

import pytest

from monai_srgan.scores import (
    EvaluationSummary,
    Method,
    ScoreRow,
    ScoreSummary,
    SummaryTable,
    bootstrap_interval,
    paired_wilcoxon,
    patient_statistics,
    summarize_rows,
)

PATIENTS = ("a", "a", "b", "c", "d", "e", "f", "g")
BICUBIC = (30.0, 31.0, 28.0, 33.5, 29.0, 27.0, 35.0, 31.5)
SRGAN = (32.0, 32.5, 29.0, 33.0, 31.0, 28.5, 38.5, 32.25)


def row(index: int, method: str, value: float, **other: Any) -> ScoreRow:
    made = ScoreRow(f"{index}.mat", PATIENTS[index], "glioma", "", Method(method), "head", "psnr", value, 100)
    return replace(made, **other)


def of(table: SummaryTable, method: str, region: str = "head", metric: str = "psnr") -> ScoreSummary:
    found = table.get(Method(method), region, metric)
    assert found is not None
    return found


def rows(method: str, values: tuple[float, ...], **other: Any) -> list[ScoreRow]:
    return [row(i, method, value, **other) for i, value in enumerate(values)]


def test_a_score_is_summarized_by_slices_and_compared_by_patients() -> None:
    got = of(summarize_rows([*rows("bicubic", BICUBIC), *rows("srgan", SRGAN)], level=0.9, seed=5), "srgan")
    low, high = bootstrap_interval(SRGAN, PATIENTS, level=0.9, seed=5)
    assert got == ScoreSummary(
        mean=pytest.approx(32.09375),
        sd=pytest.approx(statistics.stdev(SRGAN)),
        n=8,
        infinite=0,
        patients=7,
        patient_mean=patient_statistics(SRGAN, PATIENTS).mean,
        patient_sd=patient_statistics(SRGAN, PATIENTS).sd,
        low=low,
        high=high,
        difference=pytest.approx((2 + 1.5 + 1 - 0.5 + 2 + 1.5 + 3.5 + 0.75) / 8),
        pairs=8,
        p_value=pytest.approx(paired_wilcoxon(SRGAN, BICUBIC, PATIENTS)),
    )
    assert low < got.mean < high
    assert got.p_value < 0.05


def test_names_keep_the_order_of_their_first_row() -> None:
    table = [
        row(0, "zoom", 1.0, region="whole"),
        row(0, "bicubic", 1.0, region="whole"),
        row(0, "bicubic", 1.0, region="head", metric="ssim"),
        row(0, "bicubic", 1.0, region="head"),
        row(1, "zoom", 1.0, region="head"),
    ]
    got = summarize_rows(iter(table)).to_dict()
    assert {method: {r: list(ms) for r, ms in regions.items()} for method, regions in got.items()} == {
        "zoom": {"whole": ["psnr"], "head": ["psnr"]},
        "bicubic": {"whole": ["psnr"], "head": ["ssim", "psnr"]},
    }
    assert list(got) == ["zoom", "bicubic"]
    assert list(got["bicubic"]) == ["whole", "head"]


def test_slices_are_paired_by_name_whatever_their_order() -> None:
    table = [*rows("srgan", SRGAN)[::-1], *rows("bicubic", BICUBIC)[2:]]
    got = of(summarize_rows(table), "srgan")
    assert got.difference == pytest.approx((1 - 0.5 + 2 + 1.5 + 3.5 + 0.75) / 6)
    assert (got.n, got.pairs) == (8, 6)


def test_files_of_the_same_name_stay_apart() -> None:
    values = {"bicubic": (1.0, 5.0), "srgan": (2.0, 8.0)}
    table = [row(0, method, value) for method, both in values.items() for value in both]
    got = of(summarize_rows(table), "srgan")
    assert (got.n, got.pairs, got.difference) == (2, 2, 2.0)


def test_infinite_values_are_counted_and_stay_out_of_means_and_pairs() -> None:
    identical = (math.inf, *SRGAN[1:])
    table = [*rows("bicubic", (*BICUBIC[:2], math.inf, *BICUBIC[3:])), *rows("srgan", identical)]
    got = summarize_rows(table)
    assert (of(got, "bicubic").n, of(got, "bicubic").infinite) == (7, 1)
    assert of(got, "bicubic").patients == 6
    srgan = of(got, "srgan")
    assert (srgan.n, srgan.infinite, srgan.patients, srgan.pairs) == (7, 1, 7, 6)
    assert srgan.difference == pytest.approx((1.5 - 0.5 + 2 + 1.5 + 3.5 + 0.75) / 6)


def test_what_was_not_measured_is_none_and_never_nan() -> None:
    table = [*rows("bicubic", BICUBIC), row(0, "srgan", math.nan), row(0, "lanczos", math.inf)]
    got = summarize_rows(table)
    assert of(got, "srgan") == ScoreSummary(None, None, 0, 0)
    assert of(got, "lanczos") == ScoreSummary(None, None, 0, 1)
    assert got.measured(Method("srgan"), "head", "psnr") is None
    assert got.measured(Method("lanczos"), "head", "psnr") == of(got, "lanczos")
    assert "NaN" not in json.dumps(got.to_dict(), allow_nan=False)


def test_the_reference_is_not_compared_with_itself_and_may_be_missing() -> None:
    table = [*rows("bicubic", BICUBIC), *rows("srgan", SRGAN)]
    assert of(summarize_rows(table), "bicubic").difference is None
    assert of(summarize_rows(table, reference="srgan"), "bicubic").difference == pytest.approx(-1.46875)
    alone = of(summarize_rows(rows("srgan", SRGAN)), "srgan")
    assert (alone.difference, alone.p_value, alone.pairs) == (None, None, 0)
    other = of(summarize_rows([*rows("bicubic", BICUBIC, region="rim"), *rows("srgan", SRGAN)]), "srgan")
    assert other.difference is None


def test_without_patients_there_are_means_and_nothing_else() -> None:
    table = [replace(r, patient="") for r in (*rows("bicubic", BICUBIC), *rows("srgan", SRGAN))]
    got = of(summarize_rows(table), "srgan")
    assert got.mean == pytest.approx(32.09375)
    assert got.difference == pytest.approx(1.46875)
    assert (got.patients, got.low, got.high, got.p_value) == (0, None, None, None)


def test_rows_of_several_degradations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one degradation, got \['', 'sigma 2.0'\]"):
        summarize_rows([*rows("bicubic", BICUBIC), *rows("bicubic", BICUBIC, degradation="sigma 2.0")])


def test_no_rows_give_no_summary() -> None:
    assert summarize_rows([]).to_dict() == {}


def test_a_summary_survives_its_file() -> None:
    table = summarize_rows([*rows("bicubic", BICUBIC), *rows("srgan", SRGAN)])
    summary = EvaluationSummary({"fold": 1}, 3, 8, 7, table, {"glioma": table}, {"sigma 2.0": table})
    again = EvaluationSummary.from_dict(json.loads(json.dumps(summary.to_dict())))
    assert again.to_dict() == summary.to_dict()
    assert of(again.by_tumor_type["glioma"], "srgan") == of(table, "srgan")
