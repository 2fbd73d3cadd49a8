# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of slices."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

from monai_srgan.scores import CSV_COLUMNS, Method, ScoreRow, SliceScores

ROW = ScoreRow("some/where/7.mat", "P3", "glioma", "", Method("srgan"), "head", "psnr", 31.25, 640)


def test_a_row_of_the_csv_names_the_file_and_leaves_out_what_was_not_measured() -> None:
    assert list(ROW.to_csv()) == list(CSV_COLUMNS)
    assert list(ROW.to_csv().values()) == ["7.mat", "P3", "glioma", "", "srgan", "head", "psnr", "31.25", 640]
    assert replace(ROW, value=math.nan).to_csv()["value"] == ""
    assert replace(ROW, value=math.inf).to_csv()["value"] == "inf"
    assert pickle.loads(pickle.dumps(ROW)) == ROW  # as it goes from process to process


def test_the_scores_of_a_slice_are_those_of_its_own_degradation() -> None:
    rows = [
        ROW,
        replace(ROW, metric="ssim", value=0.9),
        replace(ROW, region="rim", value=math.nan),
        replace(ROW, method=Method("bicubic"), value=28.0),
        replace(ROW, degradation="sigma 2.0", value=11.0),
    ]
    scores = SliceScores.of(rows)
    assert scores.value(Method("srgan"), "head", "psnr") == 31.25
    assert scores.value(Method("srgan"), "head", "mse") is None
    assert math.isnan(scores.value(Method("srgan"), "rim", "psnr"))
    assert scores.methods() == [Method("srgan"), Method("bicubic")]
    assert scores.regions(Method("srgan")) == ["head", "rim"]
    assert scores.metrics(Method("srgan"), "head") == ["psnr", "ssim"]
    assert len(scores.rows) == 5
