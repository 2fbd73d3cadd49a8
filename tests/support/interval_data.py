# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mean, spread and target of synthetic slices, a table of half-widths, and samples of known errors."""

from __future__ import annotations

import json

import numpy as np
import torch

from monai_srgan.physics import GaussianDownsample, Measurement
from monai_srgan.uncertainty import PixelErrors, QuantileTable, SliceSample

MASK = torch.zeros(1, 1, 48, 40, dtype=torch.bool)
MASK[..., 10:20, 8:30] = True
TABLE = QuantileTable((np.array([0.01]), np.array([0.02, 0.05])), np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), 1)


def maps(seed: int, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean, spread and target of a slice whose error is normal, and `scale` times its spread."""
    random = np.random.default_rng(seed)
    mean = random.random(MASK.shape)
    spread = np.exp(random.normal(-4, 0.5, MASK.shape))
    target = mean + scale * spread * random.normal(size=MASK.shape)
    mean, spread, target = (torch.from_numpy(a).float() for a in (mean, spread, target))
    return mean, spread, target


def error_scale(measurement: Measurement) -> float:
    """Scale of the errors of :func:`measured_sample`: it grows with the noise and the blur."""
    sigma = measurement.operator.sigma
    return 0.01 * (1 + 40 * measurement.noise_std) * (1 + max(0.0, sigma - 1.5))


def measured_sample(
    patient: str, sigma: float, noise: float, seed: int, *, pixels: int = 800, factor: float = 1.0
) -> SliceSample:
    """A slice whose absolute errors are half-normal with the scale ``factor * error_scale * spread / 0.01``."""
    measurement = Measurement(GaussianDownsample(4, sigma), noise)
    random = np.random.default_rng(seed)
    regions = {}
    for name in ("inside", "outside"):
        features = np.exp(random.normal(np.log(0.01), 0.4, (2, pixels))).astype(np.float32)
        scale = factor * error_scale(measurement) * features[0] / 0.01
        regions[name] = PixelErrors(features, np.abs(scale * random.normal(size=pixels)).astype(np.float32))
    return SliceSample(patient, json.dumps(measurement.to_dict()), measurement.condition(), regions)


def measured_samples(patients: list[str], draws: int, seed: int, sigma: tuple[float, float] = (1.0, 2.6)):
    """Slices of several patients, each measured several times, every other time without noise.

    The scale of a patient's errors varies by 10 %.
    """
    random = np.random.default_rng(seed)
    own = {patient: np.exp(random.normal(0, 0.1)) for patient in patients}
    return [
        measured_sample(
            patient,
            random.uniform(*sigma),
            float(draw % 2) * random.uniform(0.006, 0.05),
            int(random.integers(1 << 30)),
            factor=own[patient],
        )
        for draw in range(draws)
        for patient in patients
    ]
