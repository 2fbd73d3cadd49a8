# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""JPEG as a step of an image's history."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from monai_srgan.transforms.jpeg import through_jpeg


def test_the_result_is_what_a_jpeg_file_holds():
    image = np.random.RandomState(0).rand(40, 24).cumsum(0) / 40
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.floor(255 * np.clip(image, 0, 1)))).save(file, format="JPEG", quality=80)
    expected = np.asarray(Image.open(file)) / 255
    np.testing.assert_allclose(through_jpeg(image, 80), expected, atol=1e-6)


def test_high_quality_loses_less():
    x, y = np.meshgrid(np.linspace(0, 6, 64), np.linspace(0, 4, 48))
    image = 0.5 + 0.4 * np.sin(x) * np.cos(y)
    errors = [float(np.abs(through_jpeg(image, quality) - image).max()) for quality in (30, 95)]
    assert errors[1] < min(0.02, errors[0])
