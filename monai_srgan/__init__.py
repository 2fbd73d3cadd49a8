# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""SRGAN super-resolution of brain-tumor MRI as a MONAI plugin.

Subpackages load on first use: ``import monai_srgan`` is enough for ``monai_srgan.metrics``, and costs nothing else.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from monai_srgan import _renamed

__version__ = "0.4.0"

_SUBPACKAGES = (
    "apps",
    "bundling",
    "data",
    "engines",
    "handlers",
    "inferers",
    "losses",
    "metrics",
    "networks",
    "optimizers",
    "phantoms",
    "physics",
    "report",
    "scores",
    "transforms",
    "uncertainty",
)

__all__ = ["__version__", *_SUBPACKAGES]

_renamed.install()


def __getattr__(name: str) -> ModuleType:
    """Import a subpackage when it is first asked for (PEP 562)."""
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    raise _renamed.missing(__name__, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBPACKAGES])
