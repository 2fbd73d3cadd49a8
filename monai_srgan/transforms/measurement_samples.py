# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training samples of the network that estimates how an image was measured."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from monai.utils.enums import CommonKeys as Keys
from torch import Tensor

from monai_srgan.estimation import KERNEL_FAMILIES, MIN_SIZE, measurement_features
from monai_srgan.physics import (
    BicubicDownsample,
    GaussianDownsample,
    PerAxisDownsample,
    RandomMeasurements,
    fourier_resize,
    noise_unit,
    transfer_functions,
)
from monai_srgan.transforms.conversion import as_tensor
from monai_srgan.transforms.degradation import MaskAwareDegrade
from monai_srgan.transforms.intensity import WHITE_PERCENTILE
from monai_srgan.transforms.source_name import source_name

__all__ = ["MeasurementSamplesD", "MeasurementSamplesDict", "MeasurementSamplesd"]

_HALF, _TWICE = 0.5, 2.0
_HALF_PROB = 0.4
_ROUNDING_PROB = 0.1
_LEVELS = 255


class MeasurementSamplesd(Randomizable, MapTransform):
    """Measure an HR slice several times in random ways: features of the LR images, and the truth to be estimated.

    Returns a list of dictionaries, as MONAI's crops with several samples do. ``image`` ``(32, 32)``, ``fine`` ``(17,)``
    and ``edges`` ``(2, 28)`` are the spectrum and the further features of
    :func:`~monai_srgan.estimation.measurement_features`; ``label`` ``(34,)`` holds both transfer functions,
    ``sqrt(noise_std / 0.05)`` and the index of the kernel family. Intensities and noise are in units of the LR image's
    99.9th percentile, as in inference. Images are flipped and transposed at random, one in ten is rounded to 8 bits,
    and with probability `resize_prob` the slice is first cropped to half its size or enlarged by up to 2 by zero
    filling, so that heads of other sizes are known.

    Args:
        keys: one key, the HR image ``(1, H, W)`` in [0, 1].
        measurements: what to draw from; None for ``RandomMeasurements()``.
        num_samples: number of LR images of each slice.
        resize_prob: probability in [0, 1] of another size.
        allow_missing_keys: whether to skip a missing key.

    Raises:
        ValueError: if an argument is out of range; on call, if the slice is smaller than 64 LR pixels along an axis.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        measurements: RandomMeasurements | None = None,
        num_samples: int = 16,
        resize_prob: float = 0.3,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if len(self.keys) != 1:
            raise ValueError(f"keys must be one key, got {self.keys}")
        if isinstance(num_samples, bool) or int(num_samples) != num_samples or num_samples < 1:
            raise ValueError(f"num_samples must be an integer of at least 1, got {num_samples!r}")
        if not 0 <= resize_prob <= 1:
            raise ValueError(f"resize_prob must lie in [0, 1], got {resize_prob}")
        self.measurements = RandomMeasurements() if measurements is None else measurements
        self.num_samples, self.resize_prob = int(num_samples), float(resize_prob)

    def __call__(self, data: Mapping[Hashable, Any]) -> list[dict[Hashable, Any]]:
        """Return the samples; `data` is not modified."""
        found = []
        for key in self.key_iterator(data):
            hr = as_tensor(data[key]).as_subclass(Tensor).float()
            smallest = MIN_SIZE * self.measurements.scale
            if hr.ndim != 3 or min(hr.shape[1:]) < smallest:
                raise ValueError(
                    f"{source_name(data[key])}: must be (1, H, W) with at least {smallest} pixels along each axis, got "
                    f"{tuple(hr.shape)}: leave small slices out (min_size of figshare_datalist)"
                )
            resized = self._resized(hr)  # one size per call: zero filling costs more than all the rest
            for _ in range(self.num_samples):
                found.append(self._sample(resized))
        return found

    def _resized(self, hr: Tensor) -> Tensor:
        """The slice, or its middle, or a zero-filled enlargement, with sides divisible by the scale."""
        scale = self.measurements.scale
        if self.R.random_sample() >= self.resize_prob:
            return hr
        ratio = _HALF if self.R.random_sample() < _HALF_PROB else self.R.uniform(1.0, _TWICE)
        if ratio * min(hr.shape[1:]) < MIN_SIZE * scale:
            return hr
        height, width = (round(n * ratio / scale) * scale for n in hr.shape[1:])
        if ratio < 1:
            top, left = (hr.shape[1] - height) // 2, (hr.shape[2] - width) // 2
            return hr[:, top : top + height, left : left + width]
        return fourier_resize(hr, (height, width)).clamp_min(0)

    def _sample(self, hr: Tensor) -> dict[Hashable, Any]:
        measurement = self.measurements.draw(self.R)
        flip, swap = self.R.random_sample(2) < 0.5
        image = hr.flip(1) if flip else hr
        image = image.transpose(1, 2).contiguous() if swap else image
        lr = MaskAwareDegrade(measurement.operator, noise_std=measurement.noise_std)(image, None, self.R)[0].numpy()
        white = max(float(np.percentile(lr, WHITE_PERCENTILE)), 1e-6)
        lr = lr / white
        if self.R.random_sample() < _ROUNDING_PROB:
            lr = np.round(lr * _LEVELS / lr.max()) * lr.max() / _LEVELS
        features = measurement_features(lr)
        transfer = transfer_functions(measurement.operator).ravel()
        values = [*transfer, noise_unit(measurement.noise_std / white), _family(measurement.operator)]
        return {
            Keys.IMAGE: torch.from_numpy(features.spectrum),
            "fine": torch.from_numpy(features.fine),
            "edges": torch.from_numpy(features.edges),
            Keys.LABEL: torch.tensor(values, dtype=torch.float32),
        }


def _family(operator: Any) -> int:
    part = operator.first if isinstance(operator, PerAxisDownsample) else operator
    name = {GaussianDownsample: "gaussian", BicubicDownsample: "bicubic"}.get(type(part), "kspace")
    return KERNEL_FAMILIES.index(name)


MeasurementSamplesD = MeasurementSamplesDict = MeasurementSamplesd
