# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How an image was measured, estimated from the image alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from monai_srgan.estimation.estimator import MeasurementEstimator, default_estimator
from monai_srgan.estimation.features import MIN_SIZE
from monai_srgan.estimation.kernel_fit import KernelFit, fit_kernel
from monai_srgan.estimation.network import KERNEL_FAMILIES
from monai_srgan.physics import (
    NOISE_UNIT,
    TRANSFER_FREQUENCIES,
    Measurement,
    SupportEstimate,
    condition_vector,
    estimate_support,
)

__all__ = ["MeasurementEstimate", "estimate_measurement"]

_WHITE = 99.9  # percentile that intensities are scaled by
_MAX_SLICES = 16  # of a volume that vote
_MIN_SIGNAL = 0.05  # of the most intense slice: the others are air or noise

# The range of the training, a little widened for the error of the estimate.
_MAX_SIGMA, _MAX_NOISE = 2.9, 0.06
_CONTRADICTION = 3.0  # standard uncertainties
_MAX_UNCERTAINTY = 0.3  # of a transfer function, root mean square
_MAX_NOVELTY = 1.3  # of the images; 1 is exceeded by one training image in a thousand
_MAX_OUTLIER = 0.5  # probability
_MIN_NOISE = 0.002  # less is not distinguished from none

_NAMES = {"gaussian": "Gaussian blur", "bicubic": "antialiased bicubic reduction", "kspace": "k-space crop"}


@dataclass(frozen=True, eq=False)
class MeasurementEstimate:
    """An estimated measurement with its uncertainty.

    Attributes:
        transfer: ``(2, 16)`` estimated transfer functions along both axes at
            :data:`~monai_srgan.physics.TRANSFER_FREQUENCIES`.
        transfer_std: ``(2, 16)``, their standard uncertainties.
        noise_std: standard deviation of the Rician noise, in units of the image's 99.9th percentile.
        noise_range: 90 % interval of `noise_std`.
        families: probability of each kernel family.
        fit: operator of the most probable family that is nearest to the transfer functions.
        support: the acquired part of k-space; beyond it the transfer functions are 0.
        noise_uncertainty: standard uncertainty of ``sqrt(noise_std / 0.05)``.
        novelty: how unlike the training images the image is; 1 is exceeded by one of them in a thousand.
        outlier: probability that the image was processed in a way that the estimate does not know.
        slices: number of slices that the estimate rests on.
        doubts: why the estimate must not be relied on; empty if it may.
    """

    transfer: np.ndarray
    transfer_std: np.ndarray
    noise_std: float
    noise_range: tuple[float, float]
    families: Mapping[str, float]
    fit: KernelFit
    support: SupportEstimate
    noise_uncertainty: float
    novelty: float
    outlier: float
    slices: int
    doubts: tuple[str, ...] = ()

    @property
    def measurement(self) -> Measurement:
        """The record of the fitted operator and the noise."""
        return Measurement(self.fit.operator, self.noise_std)

    @property
    def certain(self) -> bool:
        """Whether the estimate may be relied on."""
        return not self.doubts

    @property
    def summary(self) -> str:
        """The estimate in one sentence."""
        family = self.fit.family
        kernel = f"{_NAMES[family]} ({100 * self.families[family]:.0f} %)"
        if self.fit.sigma is not None and self.fit.sigma_std is not None:
            sigmas = [f"{s:.2f} ± {e:.2f}" for s, e in zip(self.fit.sigma, self.fit.sigma_std, strict=True)]
            same = self.fit.sigma[0] == self.fit.sigma[1]
            kernel += f", sigma {sigmas[0] if same else ' and '.join(sigmas)} pixels of the fine grid"
        noise = (
            f"noise {100 * self.noise_std:.1f} % ({100 * self.noise_range[0]:.1f} to {100 * self.noise_range[1]:.1f} %)"
            if self.noise_std
            else "no noise"
        )
        filled = [
            f"{100 * axis.fraction:.0f} % along {name}"
            for axis, name in zip(self.support.axes, ("x", "y"), strict=True)
            if axis.zero_filled and axis.fraction is not None
        ]
        return ", ".join([kernel, *(["k-space filled to " + " and ".join(filled)] if filled else []), noise])

    def condition(self) -> torch.Tensor:
        """What a conditioned network is told, see :func:`~monai_srgan.physics.condition_vector`."""
        first, second = np.sqrt(np.square(self.transfer_std).mean(axis=1))
        return condition_vector(
            self.transfer,
            self.noise_std,
            transfer_std=(float(first), float(second)),
            noise_uncertainty=self.noise_uncertainty,
        )

    def to_dict(self) -> dict[str, Any]:
        """The estimate as JSON takes it."""
        return {
            "summary": self.summary,
            "measurement": self.measurement.to_dict(),
            "transfer": np.round(self.transfer, 4).tolist(),
            "transfer_std": np.round(self.transfer_std, 4).tolist(),
            "noise_range": [round(value, 5) for value in self.noise_range],
            "families": {name: round(value, 4) for name, value in self.families.items()},
            "novelty": round(self.novelty, 3),
            "outlier": round(self.outlier, 4),
            "support": [axis.fraction for axis in self.support.axes],
            "slices": self.slices,
            "doubts": list(self.doubts),
        }


def estimate_measurement(image: Any, estimator: MeasurementEstimator | None = None) -> MeasurementEstimate:
    """Estimate how an image was measured: transfer functions along both axes, kernel family and width, and noise.

    The slices of a volume were measured alike and vote: the estimate is their median, its uncertainty that of a slice.

    Args:
        image: ``(X, Y)`` or ``(X, Y, D)`` with slices along D, real, any units; tensor or array.
        estimator: trained regression; None for the one that comes with the package.

    Returns:
        the estimate. It has doubts, and must not be relied on, where the image was probably processed, is unlike the
        training images, lies outside the range of the training, or where the regression is uncertain.

    Raises:
        ValueError: if the image has another number of dimensions, less than 64 pixels along an axis, values that are
            not finite, or no signal.
    """
    pixels = np.asarray(image.detach().cpu() if isinstance(image, torch.Tensor) else image, dtype=np.float32)
    if pixels.ndim not in (2, 3):
        raise ValueError(f"image must be a slice (X, Y) or a volume (X, Y, D), got shape {pixels.shape}")
    if min(pixels.shape[:2]) < MIN_SIZE:
        raise ValueError(
            f"image must have at least {MIN_SIZE} pixels along both axes, got {pixels.shape[:2]}: a measurement cannot "
            "be estimated from less"
        )
    if not np.isfinite(pixels).all():
        raise ValueError("image has NaN or infinite values, all must be finite: repair it")
    white = float(np.percentile(pixels, _WHITE))
    if not white > 0 or pixels.min() == pixels.max():
        raise ValueError("image must not be constant and its 99.9th percentile must be positive: nothing was measured")
    slices = _voters(pixels if pixels.ndim == 3 else pixels[..., None]) / white
    estimator = default_estimator() if estimator is None else estimator
    output, novelties, outliers = estimator.estimate(slices)
    novelty, outlier = float(novelties.median()), float(outliers.median())
    mean = np.median(output.mean.numpy(), axis=0).astype(float)
    std = np.median(np.exp(0.5 * output.log_variance.numpy()), axis=0).astype(float)
    shares = torch.softmax(output.family, dim=1).mean(0).numpy().astype(float)
    families = dict(zip(KERNEL_FAMILIES, shares.tolist(), strict=True))
    transfer, transfer_std = mean[:-1].reshape(2, -1), std[:-1].reshape(2, -1)
    support = _believed(estimate_support(pixels), transfer, transfer_std)
    for axis, found in enumerate(support.axes):
        if found.zero_filled and found.fraction is not None:
            beyond = found.fraction / 2 < TRANSFER_FREQUENCIES
            transfer[axis, beyond] = transfer_std[axis, beyond] = 0.0
    fit = fit_kernel(max(families, key=families.__getitem__), transfer, transfer_std)
    noise, low, high = (NOISE_UNIT * max(mean[-1] + k * std[-1], 0.0) ** 2 for k in (0.0, -1.645, 1.645))
    return MeasurementEstimate(
        transfer=transfer,
        transfer_std=transfer_std,
        noise_std=noise if noise >= _MIN_NOISE else 0.0,
        noise_range=(low, high),
        families=families,
        fit=fit,
        support=support,
        noise_uncertainty=float(std[-1]),
        slices=len(slices),
        novelty=novelty,
        outlier=outlier,
        doubts=tuple(_doubts(fit, transfer_std, noise, novelty, outlier)),
    )


def _believed(support: SupportEstimate, transfer: np.ndarray, transfer_std: np.ndarray) -> SupportEstimate:
    """The support without edges beyond which the regression is sure of signal: these are in the content."""
    first, second = (
        replace(axis, kind="full", width=float(axis.size), uncertainty=None)
        if axis.zero_filled and _passes(axis.upper / axis.size, mean, std)
        else axis
        for axis, mean, std in zip(support.axes, transfer, transfer_std, strict=True)
    )
    return replace(support, axes=(first, second))


def _passes(fraction: float, mean: np.ndarray, std: np.ndarray) -> bool:
    """Whether a transfer function is above one half, beyond doubt, between a fraction of the band and its end."""
    beyond = (fraction / 2 < TRANSFER_FREQUENCIES) & (TRANSFER_FREQUENCIES < 0.5)
    return bool((mean[beyond] - _CONTRADICTION * std[beyond] > 0.5).any())


def _voters(volume: np.ndarray) -> np.ndarray:
    """Slices ``(N, X, Y)`` with signal, evenly spaced."""
    spread = volume.std(axis=(0, 1))
    with_signal = np.flatnonzero(spread > _MIN_SIGNAL * spread.max())
    step = -(-len(with_signal) // _MAX_SLICES)
    return np.moveaxis(volume[..., with_signal[::step]], -1, 0)


def _doubts(fit: KernelFit, transfer_std: np.ndarray, noise: float, novelty: float, outlier: float) -> list[str]:
    doubts = []
    if outlier > _MAX_OUTLIER:
        doubts.append(
            f"the image looks filtered, resampled, compressed or otherwise changed (probability {100 * outlier:.0f} %)"
        )
    if novelty > _MAX_NOVELTY:
        doubts.append(f"the image is unlike those of the training (novelty {novelty:.1f})")
    if fit.sigma is not None and max(fit.sigma) > _MAX_SIGMA:
        doubts.append(f"the blur of {max(fit.sigma):.1f} pixels is stronger than any in training")
    if noise > _MAX_NOISE:
        doubts.append(f"the noise of {100 * noise:.1f} % is stronger than any in training")
    uncertainty = float(np.sqrt(np.square(transfer_std).mean()))
    if uncertainty > _MAX_UNCERTAINTY:
        doubts.append(f"the transfer functions are uncertain by {uncertainty:.2f}")
    return doubts
