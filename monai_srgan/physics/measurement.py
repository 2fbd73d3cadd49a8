# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of how an image was measured: operator, noise, and settings that depend on the tumor mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from monai_srgan.physics.operator_record import (
    check_keys,
    check_number,
    operator_from_record,
    operator_record,
    same_operator,
)
from monai_srgan.physics.operators import GaussianDownsample
from monai_srgan.physics.transfer import condition_vector, transfer_functions

__all__ = ["InsideSettings", "Measurement", "same_measurement"]


@dataclass(frozen=True)
class InsideSettings:
    """How the inside of the tumor was degraded.

    Args:
        sigma: standard deviation of the Gaussian blur inside the tumor, in HR pixels, >= 0.
        feather: width in HR pixels, >= 0, of the seam over which the two blurs are blended.
        isolate: whether no intensity crosses the border of the tumor.

    Raises:
        ValueError: if an argument is out of range or of another type; the message names it.
    """

    sigma: float
    feather: float = 0.0
    isolate: bool = False

    def __post_init__(self) -> None:
        for name in ("sigma", "feather"):
            object.__setattr__(self, name, check_number(name, getattr(self, name)))
        if not isinstance(self.isolate, bool):
            raise ValueError(f"isolate must be True or False, got {self.isolate!r}")


@dataclass(frozen=True, eq=False)
class Measurement:
    """How a low-resolution image arises from a high-resolution one.

    Two records are equal if they mean the same degradation: operators are compared by :func:`same_operator`, an inside
    sigma that equals the outside one counts as none, and a feather without effect is dropped. The seed of the noise is
    not part of the record.

    Args:
        operator: module with an integer ``scale`` that maps ``(B, C, H, W)`` to ``(B, C, H / scale, W / scale)``: one
            of this package or your own.
        noise_std: standard deviation of the Rician noise in units of the image, >= 0; 0 for none.
        inside: settings inside the tumor, with a :class:`~monai_srgan.physics.GaussianDownsample` outside; None if the
            degradation does not depend on the mask.

    Raises:
        ValueError: if an argument is out of range, or `inside` is given with another operator.

    Example:
        >>> measurement = Measurement(GaussianDownsample(4), noise_std=0.02)
        >>> measurement.to_dict()
        {'operator': {'kind': 'gaussian', 'scale': 4, 'sigma': 1.5}, 'noise_std': 0.02, 'inside': None}
        >>> Measurement.from_dict(measurement.to_dict()) == measurement
        True
        >>> measurement.description
        '4x, Gaussian blur with sigma 1.5 pixels, Rician noise of 0.02'
    """

    operator: nn.Module
    noise_std: float = 0.0
    inside: InsideSettings | None = None

    def __post_init__(self) -> None:
        if not isinstance(getattr(self.operator, "scale", None), int):
            raise ValueError(f"operator must have an integer attribute scale: {type(self.operator).__name__} has none")
        object.__setattr__(self, "noise_std", check_number("noise_std", self.noise_std))
        if self.inside is not None:
            if not isinstance(self.inside, InsideSettings):
                raise ValueError(f"inside must be InsideSettings or None, got {self.inside!r}")
            object.__setattr__(self, "inside", self._effective(self.inside))

    def _effective(self, inside: InsideSettings) -> InsideSettings | None:
        """Drop from the settings inside the tumor what has no effect."""
        if not isinstance(self.operator, GaussianDownsample):
            raise ValueError(
                "inside needs a GaussianDownsample as operator, whose blur it replaces in the tumor, got "
                f"{type(self.operator).__name__}: set inside=None"
            )
        if inside.sigma != self.operator.sigma:
            return inside
        return InsideSettings(inside.sigma, isolate=True) if inside.isolate else None

    @property
    def scale(self) -> int:
        """Ratio of the two grids."""
        return int(getattr(self.operator, "scale"))  # noqa: B009 - a module's attributes have no types

    @property
    def description(self) -> str:
        """The record in one line, for reports and log messages."""
        parts = [getattr(self.operator, "description", f"{self.scale}x, {type(self.operator).__name__}")]
        if self.inside is not None:
            seam = f" (seam of {self.inside.feather:g} pixels)" if self.inside.feather else ""
            parts.append(f"sigma {self.inside.sigma:g} inside the tumor{seam}")
            parts += ["no intensity across its border"] * self.inside.isolate
        if self.noise_std:
            parts.append(f"Rician noise of {self.noise_std:g}")
        return ", ".join(parts)

    def condition(self) -> Tensor:
        """What a conditioned network is told: :func:`~monai_srgan.physics.condition_vector`, with no uncertainty."""
        return condition_vector(transfer_functions(self.operator), self.noise_std)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Measurement):
            return NotImplemented
        return (
            self.noise_std == other.noise_std
            and self.inside == other.inside
            and same_operator(self.operator, other.operator)
        )

    def __hash__(self) -> int:
        return hash((self.scale, self.noise_std, self.inside))

    def to_dict(self) -> dict[str, Any]:
        """The record as nested dictionaries of plain values, with names that stay the same between versions.

        ``operator`` has the key ``kind``: "gaussian", "bicubic", "kspace" or "kspace_window", with the operator's
        arguments beside it, "per_axis" with the operators ``first`` and ``second``, or the dotted class name of an
        operator of your own, with its ``scale``, what its attribute ``settings`` holds, where it has that, and a few
        values of its ``response`` to a fixed random image, by which two such records are told apart.
        ``inside`` is None or a dictionary of :class:`InsideSettings`.
        """
        inside = self.inside
        return {
            "operator": operator_record(self.operator),
            "noise_std": self.noise_std,
            "inside": inside and {"sigma": inside.sigma, "feather": inside.feather, "isolate": inside.isolate},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Measurement:
        """Rebuild a record from :meth:`to_dict`.

        Only the operators of this package can be rebuilt. A record does not hold the code of an operator of your own:
        construct ``Measurement(operator=...)`` with it instead.

        Args:
            record: as :meth:`to_dict` returns it; ``noise_std`` and ``inside`` may be missing.

        Raises:
            ValueError: if the kind of operator is not one of this package, a key is unknown or missing, or a value is
                of another type or out of range; the message names it.
        """
        check_keys("measurement", record, {"operator"}, {"noise_std", "inside"})
        inside = record.get("inside")
        if inside is not None:
            check_keys("inside", inside, {"sigma"}, {"feather", "isolate"})
            inside = InsideSettings(**inside)
        return cls(operator_from_record(record["operator"]), record.get("noise_std", 0.0), inside)


def same_measurement(a: Any, b: Any) -> bool:
    """Whether two dictionaries of :meth:`Measurement.to_dict` mean the same degradation.

    Dictionaries of an operator of your own, which cannot be rebuilt, have to be equal, their ``response`` up to
    rounding.

    Args:
        a: a dictionary of :meth:`Measurement.to_dict`.
        b: the other one.
    """
    if a == b:
        return True
    try:
        return Measurement.from_dict(a) == Measurement.from_dict(b)
    except ValueError:
        return _same_own(a, b)


def _same_own(a: Any, b: Any) -> bool:
    """Whether two records of operators that cannot be rebuilt are equal, their responses up to rounding."""
    if not all(isinstance(r, Mapping) and isinstance(r.get("operator"), Mapping) for r in (a, b)):
        return False
    (first, left), (second, right) = ((_without(r, "operator"), r["operator"]) for r in (a, b))
    responses = [operator.get("response") for operator in (left, right)]
    if first != second or _without(left, "response") != _without(right, "response") or None in responses:
        return False
    x, y = (np.asarray(response, dtype=float) for response in responses)
    return x.shape == y.shape and bool(np.allclose(x, y, rtol=1e-4, atol=1e-5))


def _without(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}
