# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training samples of the network that recognizes images that no measurement of the training explains."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from PIL import Image
from PIL.Image import Resampling
from torch import Tensor

from monai_srgan.physics import Measurement, RandomMeasurements, estimate_support, fourier_resize, native_size
from monai_srgan.transforms.conversion import as_tensor
from monai_srgan.transforms.feature_samples import FeatureSamples, white_of
from monai_srgan.transforms.processing import RandomProcessing

__all__ = ["OutlierSamplesD", "OutlierSamplesDict", "OutlierSamplesd"]

_RESAMPLED_PROB = 0.15
_FILTERS = (Resampling.BOX, Resampling.BILINEAR, Resampling.HAMMING, Resampling.BICUBIC, Resampling.LANCZOS)


class OutlierSamplesd(FeatureSamples):
    """Measure an HR slice several times, and process some of the LR images: features, and whether it is an outlier.

    ``label`` ``(1,)`` is 1 for outliers, images of :class:`~monai_srgan.transforms.RandomProcessing`, and 0 for
    others: measured ones, and those reduced with Pillow's filters, whose transfer functions the estimate finds although
    it was not trained with them. The last sample is the HR slice itself on its native grid, which a scanner measured
    and nobody simulated; it is no outlier. See :class:`FeatureSamples` for the features and the errors.

    Args:
        keys: one key, the HR image ``(1, H, W)`` in [0, 1].
        measurements: what to draw from; None for ``RandomMeasurements()``.
        num_samples: number of images of each slice, at least 2.
        outlier_prob: probability in [0, 1] of an outlier.
        resize_prob: probability in [0, 1] of another size.
        picture_prob: probability in [0, 1] of a slice through JPEG.
        rounding_prob: probability in [0, 1] of LR images of 8 bits.
        allow_missing_keys: whether to skip a missing key.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        measurements: RandomMeasurements | None = None,
        num_samples: int = 16,
        outlier_prob: float = 0.5,
        resize_prob: float = 0.3,
        picture_prob: float = 0.25,
        rounding_prob: float = 0.4,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, measurements, num_samples, resize_prob, picture_prob, rounding_prob, allow_missing_keys)
        if self.num_samples < 2:
            raise ValueError(f"num_samples must be at least 2, got {num_samples}: one is the slice itself")
        if not 0 <= outlier_prob <= 1:
            raise ValueError(f"outlier_prob must lie in [0, 1], got {outlier_prob}")
        self.outlier_prob = float(outlier_prob)
        self.process = RandomProcessing(self.measurements.scale)

    def __call__(self, data: Mapping[Hashable, Any]) -> list[dict[Hashable, Any]]:
        """Return the samples; `data` is not modified."""
        found = super().__call__(data)
        for key in self.key_iterator(data):
            found[-1] = self._native(as_tensor(data[key]).as_subclass(Tensor).float())
        return found

    def sample(self, hr: Tensor) -> dict[Hashable, Any]:
        """One sample of an HR image ``(1, H, W)``."""
        outlier = self.R.random_sample() < self.outlier_prob
        hr = self.turned(hr)
        lr = self.process(hr, self._draw, self.R) if outlier else self._draw(hr)
        return self.features(lr, white_of(lr), torch.tensor([float(outlier)]))

    def _draw(self, hr: Tensor, *, noise: bool = True) -> np.ndarray:
        if self.R.random_sample() < _RESAMPLED_PROB:
            return self._resampled(hr)
        measurement = self.measurements.draw(self.R)
        return self.measured(hr, measurement if noise else Measurement(measurement.operator))

    def _resampled(self, hr: Tensor) -> np.ndarray:
        size = [n // self.measurements.scale for n in hr.shape[:0:-1]]
        image = Image.fromarray(hr[0].numpy())
        return np.array(image.resize(size, _FILTERS[self.R.randint(len(_FILTERS))]))

    def _native(self, hr: Tensor) -> dict[Hashable, Any]:
        image = fourier_resize(hr, native_size(estimate_support(hr[0])))[0].numpy()
        return self.features(image, white_of(image), torch.zeros(1))


OutlierSamplesD = OutlierSamplesDict = OutlierSamplesd
