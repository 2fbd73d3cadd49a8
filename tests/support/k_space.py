# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Images as a scanner makes them: k-space measured with noise up to a known support, zeros beyond, magnitude taken."""

from __future__ import annotations

from typing import Literal

import numpy as np

Shape = Literal["rectangle", "ellipse", "cut corners"]


def head(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A random object with sharp borders in empty air, whose spectrum fills all of k-space."""
    random = np.random.default_rng(seed)
    x, y = ((np.arange(n) + 0.5) / n - 0.5 for n in size)
    x, y = x[:, None], y[None]
    image = np.zeros(size)
    for number in range(40):
        radius = 0.42 if number == 0 else random.uniform(0.02, 0.12)
        center = random.uniform(-0.25, 0.25, 2) * (number > 0)
        turn = random.uniform(0, np.pi)
        u = (x - center[0]) * np.cos(turn) + (y - center[1]) * np.sin(turn)
        v = (y - center[1]) * np.cos(turn) - (x - center[0]) * np.sin(turn)
        inside = (u / radius) ** 2 + (v / radius / random.uniform(0.6, 0.9)) ** 2 < 1
        image[inside] += 900.0 if number == 0 else random.uniform(-200, 300)
    return np.maximum(image, 0) * (1 + 0.05 * random.standard_normal(size))


def scan(
    image: np.ndarray, width: tuple[int, int], *, noise: float = 0.0, shape: Shape = "rectangle", seed: int = 0
) -> np.ndarray:
    """`image` as if only `width` samples of its k-space had been measured, with Rician noise of `noise` * maximum."""
    random = np.random.default_rng(seed)
    k = [np.abs(np.fft.fftfreq(n) * n)[:, None] / (w / 2) for n, w in zip(image.shape, width, strict=True)]
    u, v = k[0], k[1].T
    measured = {"rectangle": (u <= 1) & (v <= 1), "ellipse": u**2 + v**2 <= 1, "cut corners": u + v <= 1.5}[shape]
    measured = measured & (u <= 1) & (v <= 1)
    noisy = image + noise * image.max() * (
        random.standard_normal(image.shape) + 1j * random.standard_normal(image.shape)
    )
    return np.abs(np.fft.ifft2(np.fft.fft2(noisy) * measured))
