# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a report: upright, exact where they say so, and with colors that mean what they say."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from report_data import BICUBIC, METHODS, SRGAN, example

from monai_srgan.physics import ConsistencyProjection
from monai_srgan.report.methods import method_styles
from monai_srgan.report.panels import example_panels
from monai_srgan.report.pictures import View, close_up, colored, error_limit, outline_path
from monai_srgan.scores import Method, ScoreRow, SliceScores


def decoded(uri: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as image:
        return np.asarray(image.convert("RGB"))


def test_pictures_are_upright_and_close_ups_exact() -> None:
    shown = example(methods=(BICUBIC,))
    (panel,) = example_panels([shown], method_styles([BICUBIC]), reference=BICUBIC)
    pictures, errors, *_ = panel.strips
    assert panel.size == (64, 48)
    assert panel.view is not None
    left, top, width, height = panel.view
    assert width == height == 24
    assert left < 10 < 19 < left + width
    assert top <= 8 < 13 < top + height
    lr, method, hr = pictures.tiles
    np.testing.assert_array_equal(decoded(lr.image)[..., 0], np.round(shown.lr * 255))
    part = shown.hr[top : top + height, left : left + width]
    np.testing.assert_array_equal(decoded(hr.close_up)[..., 0], np.round(part * 255))
    np.testing.assert_array_equal(decoded(lr.close_up), decoded(hr.close_up))  # HR is LR in blocks here
    assert np.abs(decoded(hr.image)[..., 0] - shown.hr * 255).mean() < 8  # compressed
    assert method.numbers == ("head 26.00 dB", "tumor 27.50 dB")
    assert errors.tiles[0].numbers == ("head −1.00 × 10⁻³",)


def test_an_error_is_red_where_too_bright_and_blue_where_too_dark() -> None:
    hr = np.full((48, 64), 0.5)
    pred = hr.copy()
    pred[:, :32] += 0.1
    pred[:, 32:] -= 0.1
    shown = replace(example(methods=(BICUBIC,), trust=False), hr=hr, predictions={BICUBIC: pred})
    (panel,) = example_panels([shown], method_styles([BICUBIC]), reference=BICUBIC)
    colors = decoded(panel.strips[1].tiles[0].image).astype(int)
    assert (colors[:, 2:28, 0] > colors[:, 2:28, 2] + 60).all()
    assert (colors[:, 36:62, 2] > colors[:, 36:62, 0] + 60).all()
    assert panel.strips[1].bar is not None
    assert panel.strips[1].bar.ticks == ("≤ −0.1", "−0.05", "0", "+0.05", "≥ +0.1")


def test_the_ends_of_a_color_bar_are_round_and_hold_nearly_all() -> None:
    assert error_limit([np.full(99, 0.07), np.array([])]) == 0.1
    assert error_limit([np.linspace(-0.2, 0.2, 1000)]) == 0.2
    assert error_limit([]) == 0.02
    np.testing.assert_array_equal(colored(np.array([[-9.0, 9.0]]), -1, 1, "RdBu_r")[0], [[5, 48, 97], [103, 0, 31]])


def test_an_outline_runs_along_the_edges_of_the_tumor_s_pixels() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:10, 8:20] = True  # rows 5 to 9: from y = 5 to y = 10
    numbers = np.array(re.findall(r"[\d.]+", outline_path(mask)), dtype=float).reshape(-1, 2)
    assert (numbers[:, 0].min(), numbers[:, 0].max()) == pytest.approx((8, 20))
    assert (numbers[:, 1].min(), numbers[:, 1].max()) == pytest.approx((5, 10))
    assert outline_path(np.zeros((4, 4), dtype=bool)) == ""
    mask[:] = True  # up to the picture's border
    assert outline_path(mask) != ""


def test_a_close_up_stays_inside_the_picture() -> None:
    mask = np.zeros((40, 60), dtype=bool)
    mask[38:, 57:] = True
    assert close_up(mask) == View(36, 16, 24, 24)
    mask[:] = True
    assert close_up(mask) == View(0, 0, 60, 40)
    assert close_up(np.zeros((8, 8), dtype=bool)) is None


def test_pictures_get_coarser_where_they_would_be_too_many() -> None:
    styles = method_styles(METHODS)
    sizes = []
    for budget in (10**9, 1):
        (panel,) = example_panels([example()], styles, reference=BICUBIC, budget=budget)
        sizes.append(sum(len(t.image) for s in panel.strips for t in s.tiles))
    assert sizes[1] < 0.8 * sizes[0]


def test_trust_maps_stand_beside_the_error_that_they_speak_of() -> None:
    (panel,) = example_panels([example()], method_styles(METHODS), reference=BICUBIC)
    assert [tile.name for tile in panel.strips[-1].tiles] == [
        "Spread of the self-ensemble",
        "Half-width of the interval",
        "Absolute error of its mean",
    ]
    (panel,) = example_panels([example(trust=False)], method_styles(METHODS), reference=BICUBIC)
    assert len(panel.strips) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": np.zeros((4, 4), dtype=bool)}, r"mask must have the size of hr, \(48, 64\), got \(4, 4\)"),
        ({"predictions": {Method("a"): np.zeros((64, 48))}}, r"predictions\['a'\] must have the size of hr"),
        ({"hr": np.zeros((1, 48, 64))}, r"hr must be an array \(H, W\), got shape \(1, 48, 64\)"),
        ({"lr": np.zeros((99, 99))}, "lr must not be larger than hr"),
        ({"spread": np.full((48, 64), np.nan)}, "spread of 7.mat has NaN or infinite values"),
    ],
)
def test_an_example_that_cannot_be_drawn_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(example(), **change)


def test_both_parts_of_an_error_are_drawn_with_its_colors() -> None:
    scores = SliceScores.of(
        ScoreRow("7.mat", "P3", "glioma", "", SRGAN, region, metric, value, 100)
        for (region, metric), value in {("head", "measured_mse"): 4e-4, ("inside", "null_mse"): 3.6e-3}.items()
    )
    shown = replace(example(methods=(BICUBIC, SRGAN), trust=False), scores=scores)
    (panel,) = example_panels([shown], method_styles([BICUBIC, SRGAN]), reference=BICUBIC)
    errors, parts = panel.strips[1:3]
    assert parts.title == "Its parts: measured by LR and in the null space, with their MSE"
    assert parts.bar == errors.bar
    assert [tile.name for tile in parts.tiles] == ["SRGAN, measured", "SRGAN, null space"]
    assert [tile.numbers for tile in parts.tiles] == [("head 0.400 × 10⁻³",), ("tumor 3.600 × 10⁻³",)]
    too_bright, too_dark = (decoded(tile.image).astype(int) for tile in parts.tiles)
    assert (too_bright[..., 0] > too_bright[..., 2]).all()
    assert (too_dark[..., 2] > too_dark[..., 0]).all()


def test_the_parts_of_an_example_s_error_are_those_of_the_x_first_image() -> None:
    class FirstAxis(torch.nn.Module):
        """Means of pairs along the first axis alone: the split of a transposed image is another one."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x[..., ::2, :] + x[..., 1::2, :]) / 2

        def adjoint(self, y: torch.Tensor) -> torch.Tensor:
            return y.repeat_interleave(2, -2) / 2

    shown = replace(example(methods=(BICUBIC, SRGAN)), error_parts={})
    found = shown.with_error_parts(ConsistencyProjection(FirstAxis()), [SRGAN, Method("absent")]).error_parts
    assert list(found) == [SRGAN]
    error = shown.predictions[SRGAN] - shown.hr  # rows first: x is the second axis
    mean = np.repeat((error[:, ::2] + error[:, 1::2]) / 2, 2, axis=1)
    np.testing.assert_allclose(found[SRGAN].measured, mean, atol=1e-5)
    np.testing.assert_allclose(found[SRGAN].null, error - mean, atol=1e-5)
