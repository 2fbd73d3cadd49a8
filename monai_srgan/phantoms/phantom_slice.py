# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Draw synthetic MRI slices of a head with a tumor, as a scanner would acquire them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from monai_srgan.phantoms.anatomy import PLANES, Canvas, Traits, draw_head, soft
from monai_srgan.phantoms.tumor import draw_tumor

__all__ = ["PhantomSlice", "draw_phantom_slice"]


@dataclass(frozen=True)
class PhantomSlice:
    """One synthetic slice, `(rows, columns)` as MATLAB displays it."""

    image: NDArray[np.int16]  #: `(N, N)` scanner units >= 0
    mask: NDArray[np.uint8]  #: `(N, N)` {0, 1}
    border: NDArray[np.float64]  #: `(K, 2)` x, y in 1-based pixel coordinates, 6 <= K <= 67
    tumor_type: int  #: 1 meningioma, 2 glioma, 3 pituitary tumor


def draw_phantom_slice(patient: int, position: int = 0, *, image_size: int = 512, seed: int = 0) -> PhantomSlice:
    """Draw one slice.

    Args:
        patient: index of the patient, from 0; determines tumor type and plane.
        position: index of the slice within the patient, from 0; neighboring slices look alike.
        image_size: rows and columns.
        seed: seed of the set.
    """
    tumor_type = patient % 3 + 1
    plane = PLANES[(patient + patient // 3) % 3]
    canvas = Canvas(image_size)
    traits = Traits(np.random.default_rng([seed, patient]), phase=0.25 * position)
    head = draw_head(canvas, traits, plane)
    mask, border = draw_tumor(canvas, traits, head, tumor_type)
    scanner = np.random.default_rng([seed, patient, position + 1])
    image = _scan(canvas, traits, scanner, head.image, plane)
    return PhantomSlice(image, mask.astype(np.uint8), border + 1.0, tumor_type)


def _scan(
    canvas: Canvas, traits: Traits, scanner: np.random.Generator, tissue: NDArray[np.float32], plane: str
) -> NDArray[np.int16]:
    """Simulate partial volume, receive coil, limited k-space, complex noise (Rician magnitudes) and field of view."""
    n = canvas.size
    tissue = ndimage.gaussian_filter(tissue, traits.uniform(0.3, 1.35) / canvas.pixel)
    coil = 1 + 0.10 * canvas.field(traits, 300) + 0.16 * (np.hypot(canvas.x, canvas.y) / 200) ** 2
    noise = traits.uniform(0.01, 0.025)
    signal = np.stack([tissue * coil, np.zeros_like(tissue)]) + noise * scanner.standard_normal((2, n, n), np.float32)
    # The scanner's matrix is about 256, interpolated to 512. The cosine transform has no seam at the edges.
    frequency = np.arange(n) / 2
    taper = 1 / (1 + np.exp((frequency - traits.uniform(120, 155)) / 14)).astype(np.float32)
    signal = fft.idctn(fft.dctn(signal, axes=(1, 2)) * taper[:, None] * taper, axes=(1, 2))
    image = np.hypot(*signal)
    margin = traits.uniform(2, 70 if plane == "axial" else 30)
    image *= soft(256 - margin + 0.4 * margin * (canvas.y / 256) ** 2 - np.abs(canvas.x), 2 * canvas.pixel)
    peak = float(np.exp(traits.uniform(np.log(1000), np.log(6000))))
    return np.round(image * (peak / image.max())).astype(np.int16)
