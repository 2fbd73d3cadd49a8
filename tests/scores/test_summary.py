# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""From rows to the figures of a report."""

from __future__ import annotations

import json
import math
import statistics
from typing import Any

import pytest

from monai_srgan.scores import ScoreRow, bootstrap_interval, paired_wilcoxon, patient_summary, summarise_rows

PATIENTS = ("a", "a", "b", "c", "d", "e", "f", "g")
BICUBIC = (30.0, 31.0, 28.0, 33.5, 29.0, 27.0, 35.0, 31.5)
SRGAN = (32.0, 32.5, 29.0, 33.0, 31.0, 28.5, 38.5, 32.25)


def row(index: int, method: str, value: float, **other: Any) -> ScoreRow:
    made = ScoreRow(f"{index}.mat", PATIENTS[index], "glioma", "", method, "head", "psnr", value, 100)
    return made._replace(**other)


def rows(method: str, values: tuple[float, ...], **other: Any) -> list[ScoreRow]:
    return [row(i, method, value, **other) for i, value in enumerate(values)]


def test_a_score_is_summarised_by_slices_and_compared_by_patients() -> None:
    got = summarise_rows([*rows("bicubic", BICUBIC), *rows("srgan", SRGAN)], level=0.9, seed=5)["srgan"]["head"]["psnr"]
    low, high = bootstrap_interval(SRGAN, PATIENTS, level=0.9, seed=5)
    assert got == {
        "mean": pytest.approx(32.09375),
        "sd": pytest.approx(statistics.stdev(SRGAN)),
        "n": 8,
        "infinite": 0,
        "patients": 7,
        **patient_summary(SRGAN, PATIENTS),
        "low": low,
        "high": high,
        "difference": pytest.approx((2 + 1.5 + 1 - 0.5 + 2 + 1.5 + 3.5 + 0.75) / 8),
        "pairs": 8,
        "p_value": pytest.approx(paired_wilcoxon(SRGAN, BICUBIC, PATIENTS)),
    }
    assert low < got["mean"] < high
    assert got["p_value"] < 0.05


def test_names_keep_the_order_of_their_first_row() -> None:
    table = [
        row(0, "zoom", 1.0, region="whole"),
        row(0, "bicubic", 1.0, region="whole"),
        row(0, "bicubic", 1.0, region="head", metric="ssim"),
        row(0, "bicubic", 1.0, region="head"),
        row(1, "zoom", 1.0, region="head"),
    ]
    got = summarise_rows(iter(table))
    assert {method: {r: list(ms) for r, ms in regions.items()} for method, regions in got.items()} == {
        "zoom": {"whole": ["psnr"], "head": ["psnr"]},
        "bicubic": {"whole": ["psnr"], "head": ["ssim", "psnr"]},
    }
    assert list(got) == ["zoom", "bicubic"]
    assert list(got["bicubic"]) == ["whole", "head"]


def test_slices_are_paired_by_name_whatever_their_order() -> None:
    table = [*rows("srgan", SRGAN)[::-1], *rows("bicubic", BICUBIC)[2:]]
    got = summarise_rows(table)["srgan"]["head"]["psnr"]
    assert got["difference"] == pytest.approx((1 - 0.5 + 2 + 1.5 + 3.5 + 0.75) / 6)
    assert (got["n"], got["pairs"]) == (8, 6)


def test_files_of_the_same_name_stay_apart() -> None:
    values = {"bicubic": (1.0, 5.0), "srgan": (2.0, 8.0)}
    table = [row(0, method, value) for method, both in values.items() for value in both]
    got = summarise_rows(table)["srgan"]["head"]["psnr"]
    assert (got["n"], got["pairs"], got["difference"]) == (2, 2, 2.0)


def test_infinite_values_are_counted_and_stay_out_of_means_and_pairs() -> None:
    identical = (math.inf, *SRGAN[1:])
    table = [*rows("bicubic", (*BICUBIC[:2], math.inf, *BICUBIC[3:])), *rows("srgan", identical)]
    got = summarise_rows(table)
    assert (got["bicubic"]["head"]["psnr"]["n"], got["bicubic"]["head"]["psnr"]["infinite"]) == (7, 1)
    assert got["bicubic"]["head"]["psnr"]["patients"] == 6
    srgan = got["srgan"]["head"]["psnr"]
    assert (srgan["n"], srgan["infinite"], srgan["patients"], srgan["pairs"]) == (7, 1, 7, 6)
    assert srgan["difference"] == pytest.approx((1.5 - 0.5 + 2 + 1.5 + 3.5 + 0.75) / 6)


def test_what_was_not_measured_is_none_and_never_nan() -> None:
    table = [*rows("bicubic", BICUBIC), row(0, "srgan", math.nan), row(0, "lanczos", math.inf)]
    got = summarise_rows(table)
    nothing = dict.fromkeys(("mean", "sd", "patient_mean", "patient_sd", "low", "high", "difference", "p_value"))
    assert got["srgan"]["head"]["psnr"] == {**nothing, "n": 0, "infinite": 0, "patients": 0, "pairs": 0}
    assert got["lanczos"]["head"]["psnr"] == {**nothing, "n": 0, "infinite": 1, "patients": 0, "pairs": 0}
    assert "NaN" not in json.dumps(got, allow_nan=False)


def test_the_reference_is_not_compared_with_itself_and_may_be_missing() -> None:
    table = [*rows("bicubic", BICUBIC), *rows("srgan", SRGAN)]
    assert summarise_rows(table)["bicubic"]["head"]["psnr"]["difference"] is None
    assert summarise_rows(table, reference="srgan")["bicubic"]["head"]["psnr"]["difference"] == pytest.approx(-1.46875)
    alone = summarise_rows(rows("srgan", SRGAN))["srgan"]["head"]["psnr"]
    assert (alone["difference"], alone["p_value"], alone["pairs"]) == (None, None, 0)
    other = summarise_rows([*rows("bicubic", BICUBIC, region="rim"), *rows("srgan", SRGAN)])["srgan"]["head"]["psnr"]
    assert other["difference"] is None


def test_without_patients_there_are_means_and_nothing_else() -> None:
    table = [r._replace(patient="") for r in (*rows("bicubic", BICUBIC), *rows("srgan", SRGAN))]
    got = summarise_rows(table)["srgan"]["head"]["psnr"]
    assert got["mean"] == pytest.approx(32.09375)
    assert got["difference"] == pytest.approx(1.46875)
    assert (got["patients"], got["low"], got["high"], got["p_value"]) == (0, None, None, None)


def test_rows_of_several_degradations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one degradation, got \['', 'sigma 2.0'\]"):
        summarise_rows([*rows("bicubic", BICUBIC), *rows("bicubic", BICUBIC, degradation="sigma 2.0")])


def test_no_rows_give_no_summary() -> None:
    assert summarise_rows([]) == {}
