# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Degrade a high-resolution slice to low resolution, with separate settings inside the tumor."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import ensure_tuple_rep
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn

from monai_srgan.physics import GaussianDownsample, InsideSettings, Measurement
from monai_srgan.transforms.affine import scaled_affine, with_grid
from monai_srgan.transforms.conversion import as_array, as_tensor
from monai_srgan.transforms.source_name import source_name

__all__ = [
    "MaskAwareDegrade",
    "MaskAwareDegradeD",
    "MaskAwareDegradeDict",
    "MaskAwareDegraded",
]


def check_number(name: str, value: float, unit: str) -> float:
    """Return `value` as a float; raise a ValueError that names it unless it is finite and >= 0."""
    value = float(value)
    if not (np.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number >= 0 ({unit}), got {value}")
    return value


class MaskAwareDegrade(Transform):
    r"""``y = S (w b_in + (1 - w) b_out) + n``: blur the tumor and the rest separately, decimate, add noise.

    ``b_in`` and ``b_out`` are the image blurred with `sigma_inside` and `sigma`, w is the tumor mask with a seam of
    `feather` pixels, and S the cubic decimation of :class:`~monai_srgan.physics.GaussianDownsample`. With `isolate`,
    each blur is a normalized convolution on either side of the border,
    ``m g*(m x) / g*m + (1-m) g*((1-m) x) / g*(1-m)``, so that no intensity crosses it. With equal sigmas, no isolation
    and no noise, the result equals that of the plain operator bit for bit. An empty mask selects the outside settings
    everywhere; a missing mask is an error if the settings depend on one.

    In Compose, an array transform takes one argument and is applied to each item of a tuple (``map_items``): use
    :class:`MaskAwareDegraded` for image and mask together.

    Args:
        operator: plain operator to use instead: a module with an integer ``scale`` that maps (B, C, H, W) to
            (B, C, H / scale, W / scale), such as KSpaceDownsample. Excludes all mask-dependent arguments.
        scale: ratio of the two grids; None for 4, or for the scale of `operator`.
        sigma: standard deviation of the Gaussian blur outside the tumor, in HR pixels; None for ``(scale - 1) / 2``.
        sigma_inside: the same inside the tumor; None for the value outside.
        feather: width in HR pixels of the seam centered on the mask's border, across which w falls linearly from 1 to
            0; 0 is a hard border. The seam blends the two blurs: above 0 it needs `sigma_inside`, even with `isolate`.
        isolate: whether to keep intensities on their side of the mask's border. LR pixels whose cell lies on one side
            then hold intensity of that side only (for scale 2 the decimation still reaches one HR pixel further).
        noise_std: standard deviation, in units of the image (of 1 for images in [0, 1]), of the Gaussian noise in both
            channels of the Rician noise ``sqrt((y + n1)^2 + n2^2)`` on the LR grid; 0 for none.
        seed: seed of the noise. The noise of each image is drawn from `seed` and the image's pixels, so that the
            transform is a function of its input and can be cached.

    Raises:
        ValueError: if an argument is out of range or has no effect; on call, if the image or mask does not fit, or a
            required mask is missing.
    """

    def __init__(
        self,
        operator: nn.Module | None = None,
        *,
        scale: int | None = None,
        sigma: float | None = None,
        sigma_inside: float | None = None,
        feather: float = 0.0,
        isolate: bool = False,
        noise_std: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.feather = check_number("feather", feather, "seam width in HR pixels")
        self.noise_std = check_number("noise_std", noise_std, "in units of the image")
        for name, value in {"sigma": sigma, "sigma_inside": sigma_inside}.items():
            if value is not None:
                check_number(name, value, "HR pixels")
        self.isolate = bool(isolate)
        self.seed = int(seed)
        if operator is None and self.feather > 0 and sigma_inside is None:
            raise ValueError(
                f"feather={feather} blends the blurs inside and outside the tumor and does nothing without "
                "sigma_inside: set that too, or feather=0"
            )
        self.inside: GaussianDownsample | None = None  # blur inside the tumor; None with a plain operator
        if operator is not None:
            own = {"sigma": sigma, "sigma_inside": sigma_inside}
            clash = [name for name, value in own.items() if value is not None]
            clash += [name for name, value in {"feather": feather, "isolate": isolate}.items() if value]
            if clash:
                raise ValueError(f"operator={type(operator).__name__} excludes {', '.join(clash)}: set only one")
            self.operator: nn.Module = operator
            if scale not in (self.scale, None):
                raise ValueError(f"scale must be that of the operator, {self.scale}, or left out, got {scale}")
        else:
            scale = 4 if scale is None else scale
            self.operator = outside = GaussianDownsample(scale, sigma)
            self.inside = outside if sigma_inside is None else GaussianDownsample(scale, sigma_inside)

    @property
    def measurement(self) -> Measurement:
        """The record of this degradation; the seed is not part of it."""
        inside = None if self.inside is None else InsideSettings(self.inside.sigma, self.feather, self.isolate)
        return Measurement(self.operator, self.noise_std, inside)

    @property
    def scale(self) -> int:
        """Ratio of the two grids."""
        return self.measurement.scale

    @property
    def needs_mask(self) -> bool:
        """Whether the result depends on the mask: the two sigmas differ, or the sides are isolated."""
        return self.measurement.inside is not None

    @property
    def linear_operator(self) -> nn.Module | None:
        """The operator from HR to LR, without noise; None if it depends on the mask."""
        return None if self.needs_mask else self.operator

    def __call__(self, image: Any, mask: Any = None, rng: np.random.RandomState | None = None) -> Any:
        """Degrade one slice; the input is not modified.

        Args:
            image: HR image ``(C, H, W)``, real, finite, non-negative with noise; MetaTensor, tensor or numpy array.
                H and W divisible by the scale.
            mask: tumor ``(1, H, W)``, non-zero inside, empty without a tumor; None only if the result does not depend
                on it, see :attr:`needs_mask`.
            rng: source of the noise, in place of the seed.

        Returns:
            LR image ``(C, H / scale, W / scale)`` of the input's kind, floating point; a MetaTensor has a true affine.
            Not clipped: cubic decimation and the spectral crop may slightly leave [0, 1] at sharp edges.
        """
        x = as_tensor(image).as_subclass(Tensor)
        self._check(x, image, mask)
        x = x if x.is_floating_point() else x.float()
        with torch.no_grad():
            y = self._blur_and_decimate(x[None], mask)[0]
            if self.noise_std > 0:
                y = self._add_noise(y, x, rng)
        return self._like(y, image)

    def lr_mask(self, mask: Any) -> Any:
        """Area average of the mask: ``(1, H, W)`` to ``(1, H / scale, W / scale)``, float32 in [0, 1].

        Raises:
            ValueError: if the mask is None, does not have three axes, or has a size not divisible by the scale.
        """
        m = None if mask is None else as_tensor(mask).as_subclass(Tensor)
        if m is None or m.ndim != 3:
            found = None if m is None else tuple(m.shape)
            raise ValueError(f"mask must have shape (1, H, W), got {found}: an image without tumor has an empty mask")
        self._check_size(m, source_name(mask, "mask"))
        m = (m != 0).float()
        return self._like(F.avg_pool2d(m[None], self.scale)[0], mask)

    def seam(self, mask: Tensor) -> Tensor:
        """Weight w of the inside settings: bool ``(H, W)`` to float32 in [0, 1] of the same shape."""
        if self.feather == 0 or bool(mask.all()) or not bool(mask.any()):
            return mask.float()
        whole = mask.cpu().numpy()
        # Distances matter only near the mask: one pixel around it bounds those inside, the seam those outside.
        margin = int(np.ceil(self.feather / 2)) + 1
        box = tuple(
            slice(max(int(used[0]) - margin, 0), int(used[-1]) + margin + 1)
            for used in (np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0)))
        )
        inside = whole[box]
        # The border runs between two pixels, half a pixel nearer than the nearest pixel beyond it.
        depth = np.where(inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside))
        weight = np.zeros(whole.shape, dtype=np.float32)
        weight[box] = np.clip(0.5 + depth / self.feather, 0, 1)
        return torch.from_numpy(weight).to(mask.device)

    def _check(self, x: Tensor, image: Any, mask: Any) -> None:
        name = source_name(image)
        if x.ndim != 3 or x.is_complex():
            raise ValueError(f"{name}: must be a real slice (C, H, W), got {tuple(x.shape)} {x.dtype}: pass one slice")
        self._check_size(x, name)
        if not bool(torch.isfinite(x).all()):
            raise ValueError(f"{name}: NaN or infinite values, all must be finite: exclude the file or repair it")
        if mask is None and self.needs_mask:
            raise ValueError(
                f"{name}: mask is missing, but isolate and a sigma_inside other than sigma depend on it: "
                "pass the tumor mask, or an empty mask for an image without tumor"
            )
        if mask is not None and tuple(mask.shape) != (1, *x.shape[1:]):
            raise ValueError(
                f"{name}: mask must have shape {(1, *x.shape[1:])} as the image, got {tuple(mask.shape)}: "
                "apply the same crops, pads and flips to both"
            )

    def _check_size(self, image: Tensor, name: str) -> None:
        if any(n == 0 or n % self.scale for n in image.shape[1:]):
            raise ValueError(
                f"{name}: spatial size must be divisible by {self.scale}, got {tuple(image.shape[1:])}: "
                f"add DivisiblePadd(k={self.scale})"
            )

    def _blur_and_decimate(self, x: Tensor, mask: Any) -> Tensor:
        outside = self.operator
        if mask is None or not self.needs_mask or self.inside is None or not isinstance(outside, GaussianDownsample):
            return outside(x)
        m = as_tensor(mask).as_subclass(Tensor)[0].to(x.device) != 0
        if not bool(m.any()):
            return outside(x)
        blurred = self._blur(outside, x, m)
        if self.inside.sigma != outside.sigma:
            blurred = torch.lerp(blurred, self._blur(self.inside, x, m), self.seam(m).to(x.dtype))
        return outside.decimate(blurred)

    def _blur(self, operator: GaussianDownsample, x: Tensor, mask: Tensor) -> Tensor:
        if not self.isolate:
            return operator.blur(x)
        out = torch.zeros_like(x)
        for side in (mask, ~mask):
            weight = side.to(x.dtype)[None, None]
            # On its own side the denominator is at least the kernel's center weight, so the quotient is safe there.
            quotient = operator.blur(torch.where(side, x, 0.0)) / operator.blur(weight).clamp_min(1e-12)
            out = torch.where(side, quotient, out)
        return out

    def _add_noise(self, y: Tensor, x: Tensor, rng: np.random.RandomState | None) -> Tensor:
        if rng is None:
            pixels = np.ascontiguousarray(as_array(x))
            rng = np.random.RandomState([self.seed & 0xFFFFFFFF, zlib.crc32(pixels.data)])
        noise = rng.standard_normal((2, *y.shape)) * self.noise_std
        real, imaginary = torch.from_numpy(noise).to(y)
        return torch.hypot(y + real, imaginary)

    def _like(self, y: Tensor, image: Any) -> Any:
        if isinstance(image, np.ndarray):
            return y.numpy()
        if isinstance(image, MetaTensor):
            return with_grid(y, image, scaled_affine(image.affine, self.scale))
        return y


class MaskAwareDegraded(MapTransform):
    """Dictionary version of :class:`MaskAwareDegrade`: turns an HR image into a training pair.

    Afterwards, `keys` hold the LR image and `hr_key` the unchanged HR image; `mask_key` stays on the HR grid.

    Args:
        keys: HR images, each ``(C, H, W)``.
        mask_key: tumor mask ``(1, H, W)``; may be missing from the data if no argument depends on it: `lr_mask_key`,
            `isolate`, or a `sigma_inside` other than `sigma`.
        hr_key: key for the HR image, one for each of `keys`; None to drop it.
        lr_mask_key: key for the mask's area average on the LR grid, in [0, 1]; None to leave it out.
        operator: see :class:`MaskAwareDegrade`.
        scale: see :class:`MaskAwareDegrade`.
        sigma: see :class:`MaskAwareDegrade`.
        sigma_inside: see :class:`MaskAwareDegrade`.
        feather: see :class:`MaskAwareDegrade`.
        isolate: see :class:`MaskAwareDegrade`.
        noise_std: see :class:`MaskAwareDegrade`.
        seed: see :class:`MaskAwareDegrade`.
        allow_missing_keys: whether to skip missing keys.

    Raises:
        ValueError: see :class:`MaskAwareDegrade`.
        KeyError: on call, if a required mask is missing.
    """

    def __init__(
        self,
        keys: KeysCollection = "image",
        mask_key: str = "mask",
        hr_key: str | Sequence[str] | None = "label",
        lr_mask_key: str | None = None,
        operator: nn.Module | None = None,
        *,
        scale: int | None = None,
        sigma: float | None = None,
        sigma_inside: float | None = None,
        feather: float = 0.0,
        isolate: bool = False,
        noise_std: float = 0.0,
        seed: int = 0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.mask_key = mask_key
        self.hr_keys = ensure_tuple_rep(hr_key, len(self.keys))
        self.lr_mask_key = lr_mask_key
        self.degrade = MaskAwareDegrade(
            operator,
            scale=scale,
            sigma=sigma,
            sigma_inside=sigma_inside,
            feather=feather,
            isolate=isolate,
            noise_std=noise_std,
            seed=seed,
        )
        self._needs_mask = lr_mask_key is not None or self.degrade.needs_mask

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of `data` with the training pair in place of the HR image."""
        return self._pair(data, self.degrade, None)

    def _pair(
        self, data: Mapping[Hashable, Any], degrade: MaskAwareDegrade, rng: np.random.RandomState | None
    ) -> dict[Hashable, Any]:
        d = dict(data)
        mask = d.get(self.mask_key)
        if mask is None and self._needs_mask:
            raise KeyError(
                f"'{self.mask_key}' is missing, but isolate, sigma_inside and lr_mask_key depend on it: add the tumor "
                "mask to the data (an empty one for an image without tumor), or leave these arguments out"
            )
        for key, hr_key in self.key_iterator(d, self.hr_keys):
            hr = d[key]
            d[key] = degrade(hr, mask, rng)
            if hr_key is not None:
                d[hr_key] = hr
        if self.lr_mask_key is not None:
            d[self.lr_mask_key] = degrade.lr_mask(mask)
        return d


MaskAwareDegradeD = MaskAwareDegradeDict = MaskAwareDegraded
