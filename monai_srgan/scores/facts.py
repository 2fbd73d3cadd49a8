# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What a reader must know of each score: its name, unit, factor, digits, and which direction is better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

__all__ = ["METRIC_FACTS", "MetricFact"]

_ARROWS = {"high": "↑", "low": "↓", "zero": "→ 0"}


class MetricFact(NamedTuple):
    """How one score is written for a reader.

    Attributes:
        label: name in tables and figures.
        unit: unit of the written number, "" for none.
        factor: what values are multiplied by to be written.
        form: format of the written number, such as ".2f".
        better: "high", "low", or "zero" where the sign is a direction and 0 the best.
    """

    label: str
    unit: str
    factor: float
    form: str
    better: Literal["high", "low", "zero"]

    @property
    def heading(self) -> str:
        """Label with the unit or the factor, the head of a column: "PSNR [dB]", "MSE x 1e3"."""
        if self.unit:
            return f"{self.label} [{self.unit}]"
        if self.factor == 1:
            return self.label
        return f"{self.label} x 1e{round(math.log10(self.factor))}"

    @property
    def arrow(self) -> str:
        """Where better values lie: "↑", "↓" or "→ 0"."""
        return _ARROWS[self.better]

    def text(self, value: float | None) -> str:
        """A value as it is written, without unit.

        Args:
            value: in the score's own unit, before the factor. None and NaN were not measured.

        Returns:
            "31.42"; "–" for what was not measured, "∞" for an identical image's PSNR.
        """
        if value is None or math.isnan(value):
            return "–"
        if math.isinf(value):
            return "∞" if value > 0 else "-∞"
        text = f"{value * self.factor:{self.form}}"
        return text if text.strip("+-0.") else text.lstrip("+-")  # what is written as nothing has no sign

    def mean_and_sd(self, summary: Mapping[str, Any] | None) -> str:
        """Mean and standard deviation as they are written, without unit.

        Args:
            summary: with "mean", "sd" and "infinite", of :func:`monai_srgan.scores.summarise`; None was not measured.

        Returns:
            "31.42 ± 2.10"; without the second part where the sd is None; "identical" where every measured image was,
            "not measured" where none was measured.
        """
        if summary is None or summary["mean"] is None:
            return "identical" if summary and summary["infinite"] else "not measured"
        mean, sd = self.text(summary["mean"]), summary["sd"]
        return mean if sd is None else f"{mean} ± {sd * self.factor:{self.form.lstrip('+')}}"


METRIC_FACTS: dict[str, MetricFact] = {
    "psnr": MetricFact("PSNR", "dB", 1.0, ".2f", "high"),
    "ssim": MetricFact("SSIM", "", 1.0, ".4f", "high"),
    "mse": MetricFact("MSE", "", 1e3, ".3f", "low"),
    "bias": MetricFact("bias", "", 1e3, "+.2f", "zero"),
    "hfen": MetricFact("HFEN", "", 1.0, ".3f", "low"),
    "st_lpips": MetricFact("ST-LPIPS", "", 1.0, ".4f", "low"),
    "redegraded_psnr": MetricFact("re-degraded PSNR", "dB", 1.0, ".2f", "high"),
    # up to the stated level: an interval that covers more than it states is wider than it need be
    "coverage": MetricFact("coverage", "%", 100.0, ".1f", "high"),
    "interval_width": MetricFact("interval width", "", 1.0, ".4f", "low"),
}
"""Every score that this package measures, in the order of tables."""
