# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Images that no measurement of the training explains: filtered, interpolated, compressed, blurred by motion ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from monai_srgan.physics import GaussianDownsample
from monai_srgan.transforms.feature_samples import white_of
from monai_srgan.transforms.jpeg import through_jpeg

__all__ = ["RandomProcessing"]


class Measure(Protocol):
    """Measures an HR image ``(1, H, W)`` at random, giving ``(h, w)``."""

    def __call__(self, hr: Tensor, *, noise: bool = True) -> np.ndarray: ...


class RandomProcessing:
    """Measure an HR image and process the result, or blur the HR image first, in one of seven ways drawn at random.

    - sharpened: unsharp masking with a Gaussian of 0.7 to 1.5 pixels, by 40 to 150 %;
    - smoothed: a Gaussian of 0.6 to 1.2 pixels, a median or a mean of 3 x 3 pixels;
    - interpolated: reduced by 1.25 to 2 and enlarged again, linear, cubic or nearest;
    - noisy: Gaussian noise of 0.8 to 5 %, half the time correlated between neighbors;
    - moved: a motion of 6 to 15 HR pixels along one axis;
    - compressed: JPEG of quality 15 to 70;
    - aliased: every fourth HR pixel, from a random one on.

    Args:
        scale: reduction of the measurements.
    """

    def __init__(self, scale: int = 4) -> None:
        self.scale = scale
        self.kinds: dict[str, Callable[[Tensor, Measure, np.random.RandomState], np.ndarray]] = {
            "sharpened": self._sharpened,
            "smoothed": self._smoothed,
            "interpolated": self._interpolated,
            "noisy": self._noisy,
            "moved": self._moved,
            "compressed": self._compressed,
            "aliased": self._aliased,
        }

    def __call__(self, hr: Tensor, measure: Measure, rng: np.random.RandomState) -> np.ndarray:
        """Return an LR image ``(h, w)`` of an HR image ``(1, H, W)``.

        Args:
            hr: in [0, 1].
            measure: measures HR images at random.
            rng: of the kind and its parameters.
        """
        kind = list(self.kinds.values())[rng.randint(len(self.kinds))]
        return np.ascontiguousarray(kind(hr, measure, rng), dtype=np.float32)

    def _sharpened(self, hr: Tensor, measure: Measure, rng: np.random.RandomState) -> np.ndarray:
        lr = measure(hr)
        sharp = lr + rng.uniform(0.4, 1.5) * (lr - _smooth(lr, rng.uniform(0.7, 1.5)))
        return np.maximum(sharp, 0) if rng.random_sample() < 0.5 else sharp

    def _smoothed(self, hr: Tensor, measure: Measure, rng: np.random.RandomState) -> np.ndarray:
        lr, filter_ = measure(hr), rng.randint(3)
        if filter_ == 0:
            return _smooth(lr, rng.uniform(0.6, 1.2))
        return ndimage.median_filter(lr, 3) if filter_ == 1 else ndimage.uniform_filter(lr, 3, mode="nearest")

    def _interpolated(self, hr: Tensor, measure: Measure, rng: np.random.RandomState) -> np.ndarray:
        lr, ratio = torch.from_numpy(measure(hr))[None, None], rng.uniform(1.25, 2.0)
        size = [round(n / ratio) for n in lr.shape[2:]]
        small = F.interpolate(lr, size=size, mode="bilinear", antialias=True)
        mode = ("bilinear", "bicubic", "nearest")[rng.randint(3)]
        return F.interpolate(small, size=lr.shape[2:], mode=mode)[0, 0].numpy()

    def _noisy(self, hr: Tensor, measure: Measure, rng: np.random.RandomState) -> np.ndarray:
        lr = measure(hr, noise=False)
        noise = rng.standard_normal(lr.shape)
        if rng.random_sample() < 0.5:
            noise = _smooth(noise, rng.uniform(0.5, 1.2))
        noisy = lr + noise * rng.uniform(0.008, 0.05) / noise.std()
        return (noisy, np.maximum(noisy, 0), np.abs(noisy))[rng.randint(3)]

    def _moved(self, hr: Tensor, measure: Measure, rng: np.random.RandomState) -> np.ndarray:  # noqa: ARG002
        moved = ndimage.uniform_filter1d(hr[0].numpy(), rng.randint(6, 16), axis=rng.randint(2), mode="nearest")
        reduce = GaussianDownsample(self.scale, rng.uniform(0.3, 1.5))
        return reduce(torch.from_numpy(moved)[None, None])[0, 0].numpy()

    def _compressed(self, hr: Tensor, measure: Measure, rng: np.random.RandomState) -> np.ndarray:
        lr = measure(hr)
        return through_jpeg(lr / white_of(lr), int(rng.randint(15, 70)))

    def _aliased(self, hr: Tensor, measure: Measure, rng: np.random.RandomState) -> np.ndarray:  # noqa: ARG002
        first, second = rng.randint(self.scale, size=2)
        return hr[0, first :: self.scale, second :: self.scale].numpy()


def _smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(image, sigma, mode="nearest")
