# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How each metric is presented: label, unit, factor, digits, and the direction of better values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from monai_srgan.scores.statistics import SliceStatistics

__all__ = ["METRIC_FACTS", "MetricFact"]

_ARROWS = {"high": "↑", "low": "↓", "zero": "→ 0", "neither": ""}


@dataclass(frozen=True)
class MetricFact:
    """Presentation of one metric.

    Attributes:
        label: name in tables and figures.
        unit: unit of the printed number, "" for none.
        factor: values are multiplied by it for printing.
        form: format of the printed number, such as ".2f".
        better: "high", "low", "zero" where the sign is a direction and 0 is best, or "neither" where a value describes
            and does not rate.
    """

    label: str
    unit: str
    factor: float
    form: str
    better: Literal["high", "low", "zero", "neither"]

    @property
    def heading(self) -> str:
        """Label with the unit or the factor, for the head of a column: "PSNR [dB]", "MSE x 1e3"."""
        if self.unit:
            return f"{self.label} [{self.unit}]"
        if self.factor == 1:
            return self.label
        return f"{self.label} x 1e{round(math.log10(self.factor))}"

    @property
    def arrow(self) -> str:
        """Direction of better values: "↑", "↓", "→ 0" or ""."""
        return _ARROWS[self.better]

    def text(self, value: float | None) -> str:
        """A value as printed, without unit.

        Args:
            value: in the metric's own unit, before the factor. None and NaN mean not measured.

        Returns:
            "31.42"; "–" for not measured, "∞" for the PSNR of an identical image.
        """
        if value is None or math.isnan(value):
            return "–"
        if math.isinf(value):
            return "∞" if value > 0 else "-∞"
        text = f"{value * self.factor:{self.form}}"
        return text if text.strip("+-0.") else text.lstrip("+-")  # a value that rounds to zero has no sign

    def mean_and_sd(self, summary: SliceStatistics | None) -> str:
        """Mean and standard deviation as printed, without unit.

        Args:
            summary: statistics over slices; None means not measured.

        Returns:
            "31.42 ± 2.10", without the second part where the sd is None; "identical" where every measured image was
            identical; "not measured" where none was measured.
        """
        if summary is None or summary.mean is None:
            return "identical" if summary and summary.infinite else "not measured"
        mean, sd = self.text(summary.mean), summary.sd
        return mean if sd is None else f"{mean} ± {sd * self.factor:{self.form.lstrip('+')}}"


METRIC_FACTS: dict[str, MetricFact] = {
    "psnr": MetricFact("PSNR", "dB", 1.0, ".2f", "high"),
    "ssim": MetricFact("SSIM", "", 1.0, ".4f", "high"),
    "mse": MetricFact("MSE", "", 1e3, ".3f", "low"),
    "bias": MetricFact("bias", "", 1e3, "+.2f", "zero"),
    "hfen": MetricFact("HFEN", "", 1.0, ".3f", "low"),
    "st_lpips": MetricFact("ST-LPIPS", "", 1.0, ".4f", "low"),
    "redegraded_psnr": MetricFact("re-degraded PSNR", "dB", 1.0, ".2f", "high"),
    "measured_mse": MetricFact("measured MSE", "", 1e3, ".3f", "low"),
    "null_mse": MetricFact("null-space MSE", "", 1e3, ".3f", "low"),
    "null_share": MetricFact("null-space share", "%", 100.0, ".1f", "neither"),
    "resolution_half": MetricFact("resolution at FRC 0.5", "cycles/pixel", 1.0, ".3f", "high"),
    "resolution_half_mm": MetricFact("resolution at FRC 0.5", "mm", 1.0, ".2f", "low"),
    "resolution_seventh": MetricFact("resolution at FRC 1/7", "cycles/pixel", 1.0, ".3f", "high"),
    "resolution_seventh_mm": MetricFact("resolution at FRC 1/7", "mm", 1.0, ".2f", "low"),
    # that of the target is a floor of noise
    "outside_power": MetricFact("power outside the support", "dB", 1.0, "+.1f", "zero"),
    "outside_share": MetricFact("share outside the support", "", 1e6, ".1f", "neither"),
    # up to the stated level: intervals that cover more than they state are wider than necessary
    "coverage": MetricFact("coverage", "%", 100.0, ".1f", "high"),
    "interval_width": MetricFact("interval width", "", 1.0, ".4f", "low"),
}
"""Every metric of this package, in the order of tables."""
