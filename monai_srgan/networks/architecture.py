# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A description of a network's architecture, for comparison between runs and processes."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["architecture"]

_PLAIN = (bool, int, float, str, type(None))


def architecture(network: nn.Module) -> dict[str, Any]:
    """Class, settings, size and layers of a network, as plain values: equal for equal architectures.

    The weights do not matter, nor does the conversion of batch norm to ``SyncBatchNorm``.

    Args:
        network: any module.

    Returns:
        "class"; the network's plain attributes, such as "scale"; "parameters", their number; "layers", the number of
        leaf modules by class; and "sha256", a digest of the names, classes, plain attributes and parameter shapes of
        all modules.

    Example:
        >>> architecture(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))["layers"]
        {'Conv2d': 1, 'ReLU': 1}
    """
    modules = dict(network.named_modules())
    lines = [
        repr((name, _class_name(module), _settings(module), [tuple(p.shape) for p in module.parameters(recurse=False)]))
        for name, module in modules.items()
    ]
    leaves = Counter(_class_name(module) for module in modules.values() if not any(module.children()))
    return {
        "class": _class_name(network),
        **_settings(network),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "layers": dict(sorted(leaves.items())),
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16],
    }


def _class_name(module: nn.Module) -> str:
    return "BatchNorm" if isinstance(module, _BatchNorm) else type(module).__name__


def _settings(module: nn.Module) -> dict[str, Any]:
    """Attributes that are numbers, texts, None, or sequences of these."""
    excluded = {"training", "process_group"}  # the latter of SyncBatchNorm alone
    found = {}
    for name, value in sorted(vars(module).items()):
        values = value if isinstance(value, tuple | list) else (value,)
        if not name.startswith("_") and name not in excluded and all(isinstance(v, _PLAIN) for v in values):
            found[name] = list(value) if isinstance(value, tuple | list) else value
    return found
