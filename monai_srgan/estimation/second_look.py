# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A second look at the assumed measurement, at the result: magnitudes are not negative."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from monai_srgan.estimation.assumed import AssumedMeasurement

__all__ = ["negative_excess", "negative_limit", "overdone", "review_result"]

_LIMIT = 7e-4  # of white
_PER_NOISE = 0.1  # per standard deviation: undone blur amplifies noise, in air below 0


def negative_excess(image: Tensor, result: Tensor) -> float:
    """Mean negative part of an enlarged image beyond that of the image itself.

    Who undoes more blur than there was overshoots: bright edges get a dark rim, in air below 0.

    Args:
        image: in units in which white is 1.
        result: the enlarged image, in the same units.
    """
    return _negative(result) - _negative(image)


def negative_limit(noise_std: float) -> float:
    """Largest :func:`negative_excess` of a result that is believed, for noise in units of white.

    Chosen on validation patients, see the training log.
    """
    return _LIMIT + _PER_NOISE * noise_std


def overdone(image: Tensor, result: Tensor, noise_std: float) -> str | None:
    """What is wrong with a result that undoes more blur than there was; None if nothing is.

    Args:
        image: in units in which white is 1.
        result: the enlarged image, in the same units.
        noise_std: standard deviation of the image's noise, in these units.
    """
    excess, limit = negative_excess(image, result), negative_limit(noise_std)
    if excess <= limit:
        return None
    return (
        f"the result has negative magnitudes, {100 * excess:.2f} % of white in the mean and not at most "
        f"{100 * limit:.2f} %: the blur is narrower than assumed"
    )


def review_result(assumed: AssumedMeasurement, image: Tensor, result: Tensor) -> AssumedMeasurement:
    """The assumption, declined if it is an estimate that the result contradicts.

    Args:
        assumed: about how the image was measured.
        image: in units in which white is 1.
        result: what the network made of it.
    """
    if assumed.basis != "estimated" or assumed.declined is not None or assumed.measurement is None:
        return assumed
    return replace(assumed, declined=overdone(image, result, assumed.measurement.noise_std))


def _negative(image: Tensor) -> float:
    return float((-image).clamp_min(0).double().mean())
