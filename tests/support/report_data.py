# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic content of reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from monai_srgan.metrics import SSIM_SETTINGS
from monai_srgan.report import Example, Report
from monai_srgan.report.examples import ErrorParts
from monai_srgan.scores import EvaluationSummary, MeanRings, Method, ScoreRow, SliceScores, summarize_rows

NAMES = ("bicubic", "srresnet", "srresnet + consistency", "srgan", "srgan + consistency", "srgan + ensemble")
METHODS = tuple(map(Method.parse, NAMES))
SRGAN, BICUBIC = Method("srgan"), Method("bicubic")
REGIONS = ("whole", "inside", "outside", "head", "rim")
TYPES = ("meningioma", "glioma", "pituitary tumor")
_LEVEL = {"psnr": 30.0, "ssim": 0.9, "mse": 1e-3, "bias": -2e-4, "hfen": 0.5, "st_lpips": 0.15}
_SPREAD = {"psnr": 1.5, "ssim": 0.02, "mse": 1e-4, "bias": 2e-4, "hfen": 0.05, "st_lpips": 0.02}
SETTINGS: dict[str, Any] = {
    "section": "validation",
    "fold": 0,
    "seed": 3,
    "scale": 4,
    "degradation": {"operator": {"kind": "gaussian", "scale": 4, "sigma": 1.5}, "noise_std": 0.0, "inside": None},
    "rim_width_pixels": 8.0,
    "calibration": {
        **{"level": 0.9, "lambda": 1.1, "patients": []},
        "degradation": {"operator": {"kind": "gaussian", "scale": 4}, "noise_std": 0.0, "inside": None},
    },
    "ssim": SSIM_SETTINGS,
    "clamped": False,
}


def rows(
    methods: Sequence[Method] = METHODS,
    metrics: Sequence[str] = tuple(_LEVEL),
    degradations: Sequence[str] = ("", "sigma 2.0", "k-space truncation"),
    slices: int = 18,
    seed: int = 0,
) -> list[ScoreRow]:
    """Two slices for each patient; a method's level depends on its place."""
    generator = np.random.default_rng(seed)
    found = []
    for degradation in degradations:
        for number in range(slices):
            place = (f"{number}.mat", f"P{number // 2}", TYPES[number % 3], degradation)
            for rank, method in enumerate(methods):
                values = {
                    (r, m): _LEVEL[m]
                    + _SPREAD[m] * (generator.normal() + (0.3 if m in ("psnr", "ssim") else -0.3) * rank)
                    for r in REGIONS
                    for m in metrics
                }
                if not degradation:
                    values["whole", "redegraded_psnr"] = 50.0 + 30 * method.has("consistency") + generator.normal()
                    values |= _spectral(rank, number)
                if method.has("ensemble") and not degradation:
                    for region in REGIONS:
                        values[region, "coverage"] = float(np.clip(generator.normal(0.9, 0.02), 0, 1))
                        values[region, "interval_width"] = abs(generator.normal(0.05, 0.01))
                found += [ScoreRow(*place, method, r, m, float(v), 100) for (r, m), v in values.items()]
    return found


def _spectral(rank: int, number: int) -> dict[tuple[str, str], float]:
    """Scores of the spectrum and of the null space: better with the method's place."""
    values = {("whole", "null_share"): 0.8 + 0.03 * rank, ("whole", "outside_share"): 1e-5 * (1 + rank)}
    values["whole", "outside_power"] = -12.0 + rank + 0.1 * number
    for level, name in enumerate(("resolution_half", "resolution_seventh")):
        values["whole", name] = 0.15 + 0.05 * level + 0.01 * rank + 1e-3 * number
        values["whole", f"{name}_mm"] = 0.49 / values["whole", name]
    for place, region in enumerate(REGIONS):
        values[region, "measured_mse"] = 1e-5 * (7 - rank + place)
        values[region, "null_mse"] = 1e-4 * (7 - rank + place) + 1e-6 * number
    return values


def rings(methods: Sequence[Method] = METHODS, slices: int = 18) -> dict[Method, MeanRings]:
    """Curves that fall later with the method's place."""
    frequency = np.linspace(0, 0.5, 65)
    curves = {}
    for rank, method in enumerate(methods):
        coherence = 1 / (1 + np.exp((frequency - 0.15 - 0.02 * rank) / 0.02))
        power = -100 * frequency**2 / (1 + rank)
        n = (slices,) * 65
        curves[method] = MeanRings(
            *(tuple(map(float, values)) for values in (frequency, power)), n, tuple(coherence), n
        )
    return curves


def summary(found: Sequence[ScoreRow], settings: dict[str, Any] | None = None) -> EvaluationSummary:
    """The summary of an evaluation."""
    default = [row for row in found if not row.degradation]
    return EvaluationSummary(
        settings=SETTINGS if settings is None else settings,
        slices=len({row.file for row in found}),
        patients=len({row.patient for row in found if row.patient}),
        scores=summarize_rows(default),
        by_tumor_type={t: summarize_rows(r for r in default if r.tumor_type == t) for t in TYPES},
        degradations={
            d: summarize_rows(r for r in found if r.degradation == d)
            for d in dict.fromkeys(r.degradation for r in found)
            if d
        },
        rings=rings() if any(row.metric == "resolution_half" for row in found) else {},
    )


def example(label: str = "best", methods: Sequence[Method] = METHODS, *, trust: bool = True, seed: int = 0) -> Example:
    """A slice 64 wide and 48 high, its tumor left of the middle and high up."""
    generator = np.random.default_rng(seed)
    lr = generator.uniform(0.1, 0.9, (12, 16))
    hr = np.kron(lr, np.ones((4, 4)))
    mask = np.zeros((48, 64), dtype=bool)
    mask[8:14, 10:20] = True
    values = {("head", "psnr"): 26.0, ("head", "ssim"): 0.81, ("head", "bias"): -1e-3, ("inside", "psnr"): 27.5}
    return Example(
        label,
        "7.mat",
        "P3",
        "glioma",
        lr,
        hr,
        mask,
        {method: hr + generator.normal(0, 0.05, hr.shape) for method in methods},
        SliceScores.of(
            ScoreRow("7.mat", "P3", "glioma", "", method, region, metric, value, 100)
            for method in methods
            for (region, metric), value in values.items()
        ),
        error_parts={m: ErrorParts(np.full((48, 64), 0.02), np.full((48, 64), -0.06)) for m in methods if m == SRGAN},
        half_width=np.full((48, 64), 0.08) if trust else None,
        spread=generator.uniform(0, 0.05, (48, 64)) if trust else None,
    )


def full_report() -> Report:
    """Everything that a report can hold."""
    found = rows()
    examples = [example(label, seed=i) for i, label in enumerate(("best", "median", "worst"))]
    return Report("Four-fold super-resolution", SRGAN, BICUBIC, summary(found), found, examples)
