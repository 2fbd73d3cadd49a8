# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Features of LR images that are made of an HR slice at random: training samples of networks that see features."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from monai.utils.enums import CommonKeys as Keys
from torch import Tensor

from monai_srgan.estimation import MIN_SIZE, measurement_features
from monai_srgan.physics import Measurement, RandomMeasurements, fourier_resize
from monai_srgan.transforms.conversion import as_tensor
from monai_srgan.transforms.degradation import MaskAwareDegrade
from monai_srgan.transforms.intensity import WHITE_PERCENTILE
from monai_srgan.transforms.jpeg import through_jpeg
from monai_srgan.transforms.source_name import source_name

__all__ = ["FeatureSamples", "white_of"]

_HALF, _TWICE = 0.5, 2.0
_HALF_PROB = 0.4
_LEVELS = 255
_QUALITIES = (60, 96)  # of JPEG
_WHITES = (0.5, 1.0)  # gray level of the 99.9th percentile, where a picture's white is the maximum


class FeatureSamples(Randomizable, MapTransform):
    """Make several LR images of an HR slice, and return the features and a label of each.

    Returns a list of dictionaries, as MONAI's crops with several samples do. ``image`` ``(32, 32)``, ``fine`` ``(17,)``
    and ``axes`` ``(2, 43)`` are the spectrum and the further features of
    :func:`~monai_srgan.estimation.measurement_features` of the image divided by its 99.9th percentile, as in inference;
    ``label`` is that of the subclass. Slices are flipped and transposed at random, and with probability `resize_prob`
    first cropped to half their size or enlarged by up to 2 by zero filling, so that heads of other sizes are known.
    With probability `picture_prob` the slice is then made a picture of 8 bits that went through JPEG (quality 60 to
    95), as datasets are often passed on; with probability `rounding_prob` an LR image is rounded to 8 bits.

    Args:
        keys: one key, the HR image ``(1, H, W)`` in [0, 1].
        measurements: what to draw from; None for ``RandomMeasurements()``.
        num_samples: number of LR images of each slice.
        resize_prob: probability in [0, 1] of another size.
        picture_prob: probability in [0, 1] of a slice through JPEG.
        rounding_prob: probability in [0, 1] of LR images of 8 bits.
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
        picture_prob: float = 0.25,
        rounding_prob: float = 0.4,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if len(self.keys) != 1:
            raise ValueError(f"keys must be one key, got {self.keys}")
        if isinstance(num_samples, bool) or int(num_samples) != num_samples or num_samples < 1:
            raise ValueError(f"num_samples must be an integer of at least 1, got {num_samples!r}")
        probs = {"resize_prob": resize_prob, "picture_prob": picture_prob, "rounding_prob": rounding_prob}
        for name, prob in probs.items():
            if not 0 <= prob <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {prob}")
        self.measurements = RandomMeasurements() if measurements is None else measurements
        self.num_samples = int(num_samples)
        self.resize_prob = float(resize_prob)
        self.picture_prob, self.rounding_prob = float(picture_prob), float(rounding_prob)

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
            source = self._pictured(self._resized(hr))  # one per call: zero filling costs more than all the rest
            found += [self.sample(source) for _ in range(self.num_samples)]
        return found

    @abstractmethod
    def sample(self, hr: Tensor) -> dict[Hashable, Any]:
        """One sample of an HR image ``(1, H, W)``."""
        raise NotImplementedError

    def turned(self, hr: Tensor) -> Tensor:
        """The image, flipped and transposed at random."""
        flip, swap = self.R.random_sample(2) < 0.5
        hr = hr.flip(1) if flip else hr
        return hr.transpose(1, 2).contiguous() if swap else hr

    def measured(self, hr: Tensor, measurement: Measurement) -> np.ndarray:
        """The LR image ``(h, w)`` of a measurement; its noise is drawn anew."""
        degrade = MaskAwareDegrade(measurement.operator, noise_std=measurement.noise_std)
        return degrade(hr, None, self.R)[0].numpy()

    def features(self, lr: np.ndarray, white: float, label: Tensor) -> dict[Hashable, Any]:
        """The features of an LR image ``(h, w)``, some rounded to 8 bits, and its label."""
        lr = lr / white
        if self.R.random_sample() < self.rounding_prob:
            lr = np.round(np.maximum(lr, 0) * _LEVELS / lr.max()) * lr.max() / _LEVELS
        features = measurement_features(lr)
        return {
            Keys.IMAGE: torch.from_numpy(features.spectrum),
            "fine": torch.from_numpy(features.fine),
            "axes": torch.from_numpy(features.axes),
            Keys.LABEL: label,
        }

    def _pictured(self, hr: Tensor) -> Tensor:
        """The slice, or a picture of it."""
        if self.R.random_sample() >= self.picture_prob:
            return hr
        white, quality = self.R.uniform(*_WHITES), int(self.R.randint(*_QUALITIES))
        return torch.from_numpy(through_jpeg(white * hr[0].numpy(), quality))[None] / white

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


def white_of(lr: np.ndarray) -> float:
    """The 99.9th percentile of an LR image, not 0."""
    return max(float(np.percentile(lr, WHITE_PERCENTILE)), 1e-6)
