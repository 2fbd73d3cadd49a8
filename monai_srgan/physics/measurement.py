# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of how an image was measured: operator, noise, and settings that depend on the tumor mask."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from monai_srgan.physics.operators import (
    BicubicDownsample,
    GaussianDownsample,
    KSpaceDownsample,
    SeparableDownsample,
)

__all__ = ["InsideSettings", "Measurement", "same_measurement", "same_operator"]

_KINDS: dict[str, type[SeparableDownsample]] = {
    "gaussian": GaussianDownsample,
    "bicubic": BicubicDownsample,
    "kspace": KSpaceDownsample,
}
_CELLS = (3, 16, 64)  # sizes, in LR pixels, on which two operators are compared
_RESPONSE_VALUES = 8
_ROUNDING = 1e-9  # of float64 matrices


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
            object.__setattr__(self, name, _check_number(name, getattr(self, name)))
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
        object.__setattr__(self, "noise_std", _check_number("noise_std", self.noise_std))
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

        ``operator`` has the key ``kind``: "gaussian", "bicubic" or "kspace", with the operator's arguments beside it,
        or the dotted class name of an operator of your own, with its ``scale``, what its attribute ``settings`` holds,
        where it has that, and a few values of its ``response`` to a fixed random image, by which two such records are
        told apart. ``inside`` is None or a dictionary of :class:`InsideSettings`.
        """
        inside = self.inside
        return {
            "operator": {
                "kind": _kind(self.operator),
                "scale": self.scale,
                **_settings(self.operator),
                **_own_response(self.operator),
            },
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
        _check_keys("measurement", record, {"operator"}, {"noise_std", "inside"})
        inside = record.get("inside")
        if inside is not None:
            _check_keys("inside", inside, {"sigma"}, {"feather", "isolate"})
            inside = InsideSettings(**inside)
        return cls(_operator(record["operator"]), record.get("noise_std", 0.0), inside)


def same_operator(a: Any, b: Any) -> bool:
    """Whether two operators degrade every image alike, whatever their classes and arguments.

    Operators of this package are compared by their matrices on several sizes; all others are compared by their output
    for one random image.

    Args:
        a: callable with an attribute ``scale``, from ``(B, C, H, W)`` to ``(B, C, H / scale, W / scale)``.
        b: the other one.
    """
    if a is b:
        return True
    scale = getattr(a, "scale", None)
    if scale is None or scale != getattr(b, "scale", None):
        return False
    if isinstance(a, SeparableDownsample) and isinstance(b, SeparableDownsample):
        sizes = [scale * cells for cells in _CELLS]
        return all(np.allclose(a.axis_matrix(n), b.axis_matrix(n), rtol=0, atol=_ROUNDING) for n in sizes)
    first, second = _response(a, scale), _response(b, scale)
    return first.shape == second.shape and torch.allclose(first, second, rtol=1e-5, atol=1e-5)


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


def _own_response(operator: nn.Module) -> dict[str, list[float]]:
    """What tells operators of a class of your own apart; nothing for those of this package."""
    if type(operator) in _KINDS.values():
        return {}
    response = _response(operator, int(getattr(operator, "scale"))).flatten()  # noqa: B009 - attributes have no types
    places = torch.linspace(0, response.numel() - 1, _RESPONSE_VALUES).round().long()
    return {"response": [round(value, 6) for value in response[places].tolist()]}


def _response(operator: Any, scale: int) -> Tensor:
    """Output of an operator for a fixed random image, on the CPU."""
    image = torch.rand(1, 1, 16 * scale, 12 * scale, generator=torch.Generator().manual_seed(0))
    tensors = [*operator.parameters(), *operator.buffers()] if isinstance(operator, nn.Module) else []
    own = next((tensor for tensor in tensors if tensor.is_floating_point()), image)
    with torch.no_grad():
        return operator(image.to(own.device, own.dtype)).float().cpu()


def _kind(operator: nn.Module) -> str:
    # The exact class: a subclass may have other matrices.
    dotted = f"{type(operator).__module__}.{type(operator).__qualname__}"
    return next((kind for kind, cls in _KINDS.items() if type(operator) is cls), dotted)


def _settings(operator: nn.Module) -> dict[str, Any]:
    settings = getattr(operator, "settings", {})
    return {k: v for k, v in settings.items() if k != "kind"} if isinstance(settings, Mapping) else {}


def _operator(record: Any) -> SeparableDownsample:
    """Rebuild one of the package's operators."""
    if not isinstance(record, Mapping) or "kind" not in record:
        raise ValueError(f"operator must be a dictionary with the key 'kind', got {record!r}")
    kind = record["kind"]
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(
            f"operator: kind {kind!r} cannot be rebuilt from a record, only {', '.join(_KINDS)} can: construct "
            "Measurement(operator=...) with an operator of your own"
        )
    names = set(inspect.signature(_KINDS[kind]).parameters)
    _check_keys("operator", record, {"kind", "scale"}, names)
    settings = {name: value for name, value in record.items() if name != "kind"}
    if not isinstance(settings["scale"], int):
        raise ValueError(f"operator: scale must be an integer of at least 2, got {settings['scale']!r}")
    for name in names - {"scale"}:
        if name in settings:
            settings[name] = _check_number(f"operator: {name}", settings[name])
    return _KINDS[kind](**settings)


def _check_keys(name: str, record: Any, required: Collection[str], optional: Collection[str]) -> None:
    if not isinstance(record, Mapping):
        raise ValueError(f"{name} must be a dictionary, got {record!r}")
    missing = sorted(set(required) - set(record))
    unknown = sorted(map(str, set(record) - set(required) - set(optional)))
    if missing or unknown:
        found = " and ".join(f"{word} {keys}" for word, keys in (("lacks", missing), ("has unknown", unknown)) if keys)
        raise ValueError(f"{name} {found}: its keys are {', '.join(sorted({*required, *optional}))}")


def _check_number(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:
        number = math.inf
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be a finite number >= 0, got {repr(value)[:40]}")
    return number
