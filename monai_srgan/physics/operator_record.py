# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Operators as dictionaries of plain values, and back; operators compared by what they do."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from monai_srgan.physics.kspace import KSpaceDownsample, WindowedKSpaceDownsample
from monai_srgan.physics.operators import BicubicDownsample, GaussianDownsample, SeparableDownsample
from monai_srgan.physics.per_axis import PerAxisDownsample

__all__ = ["check_keys", "check_number", "operator_from_record", "operator_record", "same_operator"]

_KINDS: dict[str, Any] = {
    "gaussian": GaussianDownsample,
    "bicubic": BicubicDownsample,
    "kspace": KSpaceDownsample,
    "kspace_window": WindowedKSpaceDownsample,
}
_PER_AXIS = "per_axis"
_CELLS = (3, 16, 64)  # sizes, in LR pixels, on which two operators are compared
_RESPONSE_VALUES = 8
_ROUNDING = 1e-9  # of float64 matrices


def operator_record(operator: nn.Module) -> dict[str, Any]:
    """An operator as a dictionary of plain values, see :meth:`Measurement.to_dict`."""
    if type(operator) is PerAxisDownsample:
        parts = {"first": operator_record(operator.first), "second": operator_record(operator.second)}
        return {"kind": _PER_AXIS, "scale": operator.scale, **parts}
    return {
        "kind": _kind(operator),
        "scale": int(getattr(operator, "scale")),  # noqa: B009 - a module's attributes have no types
        **_settings(operator),
        **_own_response(operator),
    }


def operator_from_record(record: Any, name: str = "operator") -> nn.Module:
    """Rebuild one of the package's operators.

    Args:
        record: dictionary of :func:`operator_record`.
        name: what error messages call it.

    Raises:
        ValueError: if the kind is not one of this package, a key is unknown or missing, or a value is of another type
            or out of range; the message names it.
    """
    if not isinstance(record, Mapping) or "kind" not in record:
        raise ValueError(f"{name} must be a dictionary with the key 'kind', got {record!r}")
    kind = record["kind"]
    if kind == _PER_AXIS:
        check_keys(name, record, {"kind", "first", "second"}, {"scale"})
        first, second = (operator_from_record(record[part], f"{name}: {part}") for part in ("first", "second"))
        return PerAxisDownsample(first, second)  # type: ignore[arg-type]  # it refuses what is not separable
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(
            f"{name}: kind {kind!r} cannot be rebuilt from a record, only {', '.join([*_KINDS, _PER_AXIS])} can: "
            "construct Measurement(operator=...) with an operator of your own"
        )
    parameters = inspect.signature(_KINDS[kind]).parameters
    check_keys(name, record, {"kind", "scale"}, parameters)
    settings = {key: value for key, value in record.items() if key != "kind"}
    if not isinstance(settings["scale"], int):
        raise ValueError(f"{name}: scale must be an integer of at least 2, got {settings['scale']!r}")
    for key in settings.keys() - {"scale"}:
        settings[key] = _argument(f"{name}: {key}", settings[key], parameters[key].default)
    return _KINDS[kind](**settings)


def same_operator(a: Any, b: Any) -> bool:
    """Whether two operators degrade every image alike, whatever their classes and arguments.

    Separable operators of this package are compared by their matrices on several sizes; all others are compared by
    their output for one random image.

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
        return all(
            np.allclose(a.along(axis).axis_matrix(n), b.along(axis).axis_matrix(n), rtol=0, atol=_ROUNDING)
            for n in sizes
            for axis in (0, 1)
        )
    first, second = _response(a, scale), _response(b, scale)
    return first.shape == second.shape and torch.allclose(first, second, rtol=1e-5, atol=1e-5)


def check_keys(name: str, record: Any, required: Collection[str], optional: Collection[str]) -> None:
    """Raise a ValueError that names `record` unless it is a dictionary of the required and optional keys."""
    if not isinstance(record, Mapping):
        raise ValueError(f"{name} must be a dictionary, got {record!r}")
    missing = sorted(set(required) - set(record))
    unknown = sorted(map(str, set(record) - set(required) - set(optional)))
    if missing or unknown:
        found = " and ".join(f"{word} {keys}" for word, keys in (("lacks", missing), ("has unknown", unknown)) if keys)
        raise ValueError(f"{name} {found}: its keys are {', '.join(sorted({*required, *optional}))}")


def check_number(name: str, value: Any) -> float:
    """Return `value` as a float; raise a ValueError that names it unless it is a finite number >= 0."""
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:
        number = math.inf
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be a finite number >= 0, got {repr(value)[:40]}")
    return number


def _argument(name: str, value: Any, default: Any) -> Any:
    """A value of a record as the operator's constructor takes it: a number, a pair of numbers, or None."""
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple) or len(value) != len(default):
            raise ValueError(f"{name} must be {len(default)} numbers, got {value!r}")
        return tuple(check_number(name, number) for number in value)
    return None if value is None and name.endswith(("exponent", "fermi")) else check_number(name, value)


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
