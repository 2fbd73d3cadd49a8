# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""From a high-resolution slice to its low-resolution counterpart, with the tumour degraded in its own way."""

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

from monai_srgan.physics import GaussianDownsample
from monai_srgan.transforms.affine import scaled_affine, with_grid
from monai_srgan.transforms.conversion import as_array, as_tensor
from monai_srgan.transforms.intensity import source_name

__all__ = [
    "MaskAwareDegrade",
    "MaskAwareDegradeD",
    "MaskAwareDegradeDict",
    "MaskAwareDegraded",
]


def checked_number(name: str, value: float, unit: str) -> float:
    """`value` as a float, or ValueError naming it unless it is finite and >= 0."""
    value = float(value)
    if not (np.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number >= 0 ({unit}), got {value}")
    return value


class MaskAwareDegrade(Transform):
    r"""``y = S (w b_in + (1 - w) b_out) + n``: blur the tumour and the rest each in its own way, decimate, add noise.

    ``b_in`` and ``b_out`` are the image blurred with `sigma_inside` and `sigma`, w the tumour mask with a seam of
    `feather` pixels, S the cubic decimation of :class:`~monai_srgan.physics.GaussianDownsample`. With `isolate`, each
    blur is a normalised convolution on either side of the border, ``m g*(m x) / g*m + (1-m) g*((1-m) x) / g*(1-m)``, so
    that no intensity crosses it. With equal sigmas, no isolation and no noise, the result is the plain operator's, bit
    for bit. An empty mask means the outside setting everywhere; no mask at all is an error where the setting depends
    on one.

    In Compose an array version gets one argument, and a tuple ``(image, mask)`` is taken for two images
    (``map_items``): use :class:`MaskAwareDegraded` for image and mask together.

    Args:
        operator: plain operator to use instead, a module with an integer ``scale`` that maps (B, C, H, W) to
            (B, C, H / scale, W / scale), such as KSpaceDownsample; excludes all mask-dependent arguments.
        scale: ratio of the two grids; None for 4, or that of `operator`.
        sigma: standard deviation of the Gaussian blur outside the tumour, in HR pixels; None for ``(scale - 1) / 2``.
        sigma_inside: the same inside the tumour; None for that outside.
        feather: width in HR pixels of the seam centred on the mask's border, across which w falls linearly from 1 to 0;
            0 is a hard border. It blends the two blurs and has nothing to do where they are one: above 0 it needs
            `sigma_inside`, also beside `isolate`.
        isolate: whether to keep intensities on their side of the mask's border. LR pixels whose cell lies on one side
            then hold intensity of that side only (for scale 2 the decimation still reaches one HR pixel further).
        noise_std: standard deviation, in units of the image (of 1 for images in [0, 1]), of the Gaussian noise in both
            channels of the Rician noise ``sqrt((y + n1)^2 + n2^2)`` on the LR grid; 0 for none.
        seed: seed of the noise. Each image has noise of its own, drawn from `seed` and the image's pixels, so that the
            transform is a function of its input and can be cached.

    Raises:
        ValueError: for arguments out of range or without effect, and on call for an image or mask that does not fit,
            or a mask that is needed and missing.
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
        self.feather = checked_number("feather", feather, "seam width in HR pixels")
        self.noise_std = checked_number("noise_std", noise_std, "in units of the image")
        for name, value in {"sigma": sigma, "sigma_inside": sigma_inside}.items():
            if value is not None:
                checked_number(name, value, "HR pixels")
        self.isolate = bool(isolate)
        self.seed = int(seed)
        if operator is None and self.feather > 0 and sigma_inside is None:
            raise ValueError(
                f"feather={feather} blends the blurs inside and outside the tumour and does nothing without "
                "sigma_inside: set that too, or feather=0"
            )
        if operator is not None:
            own = {"sigma": sigma, "sigma_inside": sigma_inside}
            clash = [name for name, value in own.items() if value is not None]
            clash += [name for name, value in {"feather": feather, "isolate": isolate}.items() if value]
            if clash:
                raise ValueError(
                    f"operator={type(operator).__name__} excludes {', '.join(clash)}: leave out one or the other"
                )
            if not isinstance(getattr(operator, "scale", None), int):
                raise ValueError(f"operator must have an integer attribute scale: {type(operator).__name__} has none")
            if scale is not None and scale != operator.scale:
                raise ValueError(f"scale must be that of the operator, {operator.scale}, or left out, got {scale}")
            self.operator: nn.Module = operator
            self.sides: tuple[GaussianDownsample, GaussianDownsample] | None = None
        else:
            scale = 4 if scale is None else scale
            outside = GaussianDownsample(scale, sigma)
            inside = outside if sigma_inside is None else GaussianDownsample(scale, sigma_inside)
            self.operator, self.sides = outside, (outside, inside)
        self._scale: int = getattr(self.operator, "scale")  # noqa: B009 - a module's attributes have no types

    @property
    def scale(self) -> int:
        """Ratio of the two grids."""
        return self._scale

    @property
    def needs_mask(self) -> bool:
        """Whether the result depends on the mask: the two sigmas differ, or the sides are isolated."""
        return self.sides is not None and (self.isolate or self.sides[0].sigma != self.sides[1].sigma)

    @property
    def linear_operator(self) -> nn.Module | None:
        """The operator that takes HR to LR but for noise; None where that depends on the mask."""
        return None if self.needs_mask else self.operator

    def __call__(self, image: Any, mask: Any = None, rng: np.random.RandomState | None = None) -> Any:
        """Degrade one slice; the input is left as it is.

        Args:
            image: HR image ``(C, H, W)``, real, finite, non-negative if there is to be noise; MetaTensor, tensor or
                numpy array. H and W divisible by the scale.
            mask: tumour ``(1, H, W)``, non-zero inside, empty where there is none; None only where nothing depends on
                it, see :attr:`needs_mask`.
            rng: source of the noise instead of the seed.

        Returns:
            LR image ``(C, H / scale, W / scale)`` of the input's kind, floating point; a MetaTensor has a true affine.
            Not clipped: cubic decimation and the spectral crop may leave [0, 1] a little at sharp edges.
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
            ValueError: for no mask, another number of axes, or a size that the scale does not divide.
        """
        m = None if mask is None else as_tensor(mask).as_subclass(Tensor)
        if m is None or m.ndim != 3:
            found = None if m is None else tuple(m.shape)
            raise ValueError(f"mask must have shape (1, H, W), got {found}: an image without tumour has an empty mask")
        self._check_size(m, source_name(mask, "mask"))
        m = (m != 0).float()
        return self._like(F.avg_pool2d(m[None], self.scale)[0], mask)

    def seam(self, mask: Tensor) -> Tensor:
        """Weight w of the inside setting: bool ``(H, W)`` to float32 in [0, 1] of the same shape."""
        if self.feather == 0 or bool(mask.all()) or not bool(mask.any()):
            return mask.float()
        whole = mask.cpu().numpy()
        # The distances are needed near the mask only: one pixel around it bounds those inside, the seam those outside.
        margin = int(np.ceil(self.feather / 2)) + 1
        box = tuple(
            slice(max(int(used[0]) - margin, 0), int(used[-1]) + margin + 1)
            for used in (np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0)))
        )
        inside = whole[box]
        # Distance to the border, which runs between two pixels: half a pixel less than to the nearest pixel beyond it.
        depth = np.where(inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside))
        weight = np.zeros(whole.shape, dtype=np.float32)
        weight[box] = np.clip(0.5 + depth / self.feather, 0, 1)
        return torch.from_numpy(weight).to(mask.device)

    def _check(self, x: Tensor, image: Any, mask: Any) -> None:
        name = source_name(image)
        if x.ndim != 3 or x.is_complex():
            raise ValueError(f"{name}: must be a real slice (C, H, W), got {tuple(x.shape)} {x.dtype}: take one slice")
        self._check_size(x, name)
        if not bool(torch.isfinite(x).all()):
            raise ValueError(
                f"{name}: NaN or infinite values, they must all be finite: leave the file out or repair it"
            )
        if mask is None and self.needs_mask:
            raise ValueError(
                f"{name}: mask is missing, which isolate and a sigma_inside other than sigma depend on: "
                "pass the tumour's mask, an empty one where there is none"
            )
        if mask is not None and tuple(mask.shape) != (1, *x.shape[1:]):
            raise ValueError(
                f"{name}: mask must have shape {(1, *x.shape[1:])} as the image, got {tuple(mask.shape)}: "
                "give both the same crops, pads and flips"
            )

    def _check_size(self, image: Tensor, name: str) -> None:
        if any(n == 0 or n % self.scale for n in image.shape[1:]):
            raise ValueError(
                f"{name}: spatial size must be divisible by {self.scale}, got {tuple(image.shape[1:])}: "
                f"add DivisiblePadd(k={self.scale})"
            )

    def _blur_and_decimate(self, x: Tensor, mask: Any) -> Tensor:
        if self.sides is None or mask is None:
            return self.operator(x)
        outside, inside = self.sides
        same = inside.sigma == outside.sigma
        m = as_tensor(mask).as_subclass(Tensor)[0].to(x.device) != 0
        if not bool(m.any()) or (same and not self.isolate):
            return outside(x)
        blurred = self._blur(outside, x, m)
        if not same:
            blurred = torch.lerp(blurred, self._blur(inside, x, m), self.seam(m).to(x.dtype))
        return outside.decimate(blurred)

    def _blur(self, operator: GaussianDownsample, x: Tensor, mask: Tensor) -> Tensor:
        if not self.isolate:
            return operator.blur(x)
        out = torch.zeros_like(x)
        for side in (mask, ~mask):
            weight = side.to(x.dtype)[None, None]
            # On its own side the denominator is at least the kernel's centre weight, so the quotient is safe there.
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
    """Dictionary version of :class:`MaskAwareDegrade`: turns one HR image into a training pair.

    After it, `keys` hold the LR image, `hr_key` the HR image as it was, and `mask_key` stays on the HR grid.

    Args:
        keys: HR images, each ``(C, H, W)``.
        mask_key: tumour mask ``(1, H, W)``; may be absent from the data if no argument depends on it: `lr_mask_key`,
            `isolate`, or a `sigma_inside` other than `sigma`.
        hr_key: where to put the HR image, one for each of `keys`; None to drop it.
        lr_mask_key: where to put the mask's area average on the LR grid, in [0, 1]; None for nowhere.
        operator: see :class:`MaskAwareDegrade`, as for the arguments that follow.
        scale: see there.
        sigma: see there.
        sigma_inside: see there.
        feather: see there.
        isolate: see there.
        noise_std: see there.
        seed: see there.
        allow_missing_keys: whether to skip keys that are absent.
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
        """Return a copy of `data` with the pair in place of the HR image."""
        return self._pair(data, self.degrade, None)

    def _pair(
        self, data: Mapping[Hashable, Any], degrade: MaskAwareDegrade, rng: np.random.RandomState | None
    ) -> dict[Hashable, Any]:
        d = dict(data)
        mask = d.get(self.mask_key)
        if mask is None and self._needs_mask:
            raise KeyError(f"'{self.mask_key}' is missing, which isolate, the inside sigma and lr_mask_key depend on")
        for key, hr_key in self.key_iterator(d, self.hr_keys):
            hr = d[key]
            d[key] = degrade(hr, mask, rng)
            if hr_key is not None:
                d[hr_key] = hr
        if self.lr_mask_key is not None:
            d[self.lr_mask_key] = degrade.lr_mask(mask)
        return d


MaskAwareDegradeD = MaskAwareDegradeDict = MaskAwareDegraded
