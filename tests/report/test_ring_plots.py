# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The plots of power and coherence: their lines, marks and limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monai_srgan.report.methods import method_styles
from monai_srgan.report.ring_plots import coherence_plot, power_plot, shown_rings
from monai_srgan.scores import MeanRings, Method

SRGAN, BICUBIC = Method("srgan"), Method("bicubic")
PROJECTED = SRGAN.with_("consistency")
FREQUENCY = (0.0, 0.125, 0.25, 0.375, 0.5)


def curves(power: tuple[float | None, ...], coherence: tuple[float | None, ...]) -> MeanRings:
    return MeanRings(FREQUENCY, power, (3,) * 5, coherence, (3,) * 5)


RINGS = {
    SRGAN: curves((0.0, -1.0, -2.0, -3.0, -4.0), (1.0, 0.9, 0.4, 0.2, 0.1)),
    PROJECTED: curves((0.0, -1.5, -2.5, -3.5, -4.5), (1.0, 0.95, 0.45, 0.25, 0.15)),
    BICUBIC: curves((0.0, -4.0, -20.0, -50.0, None), (1.0, 0.8, 0.1, None, 0.0)),
}


def line(figure: Any, label: str) -> Any:
    [found] = [li for li in figure.axes[0].lines if li.get_label() == label]
    return found


def test_methods_without_additions_are_drawn_and_the_one_that_the_report_is_about() -> None:
    assert list(shown_rings(RINGS, SRGAN)) == [SRGAN, BICUBIC]
    assert list(shown_rings(RINGS, PROJECTED)) == [SRGAN, PROJECTED, BICUBIC]
    assert shown_rings({SRGAN: MeanRings((), (), (), (), ())}, SRGAN) == {}


@pytest.mark.parametrize("plot", [power_plot, coherence_plot])
def test_a_line_has_the_values_and_the_style_of_its_method(plot: Any) -> None:
    figure = plot(RINGS, method_styles(RINGS), 0.125)
    [axes] = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Bicubic", "SRGAN", "SRGAN + consistency"]
    name = "power" if plot is power_plot else "coherence"
    for label, method in (("SRGAN", SRGAN), ("Bicubic", BICUBIC)):
        drawn = line(figure, label)
        np.testing.assert_array_equal(drawn.get_xdata(), FREQUENCY)
        np.testing.assert_array_equal(drawn.get_ydata(), np.array(getattr(RINGS[method], name), dtype=float))
    assert line(figure, "SRGAN").get_linestyle() == "-"
    assert line(figure, "SRGAN + consistency").get_linestyle() == "--"
    assert axes.get_xlim() == (0.0, 0.5)
    assert [0.125, 0.125] in [list(li.get_xdata()) for li in axes.lines]
    assert "LR’s Nyquist frequency" in [text.get_text() for text in axes.texts]


def test_the_thresholds_are_marked_and_hr_is_the_zero_of_the_power() -> None:
    styles = method_styles(RINGS)
    levels = [list(li.get_ydata()) for li in coherence_plot(RINGS, styles, None).axes[0].lines]
    assert [0.5, 0.5] in levels
    assert [1 / 7, 1 / 7] in levels
    power = power_plot(RINGS, styles, None)
    assert [0, 0] in [list(li.get_ydata()) for li in power.axes[0].lines]
    assert power.axes[0].get_ylim() == (-30.0, 3.0)  # what is far below is cut off
    assert power_plot({SRGAN: RINGS[SRGAN]}, styles, None).axes[0].get_ylim() == (-5.0, 3.0)
    assert [text.get_text() for text in power.axes[0].texts] == []


def test_curves_without_any_value_are_drawn_as_nothing() -> None:
    empty = {SRGAN: curves((None,) * 5, (None,) * 5)}
    assert power_plot(empty, method_styles(empty), 0.125).axes[0].get_ylim() == (-1.0, 3.0)
