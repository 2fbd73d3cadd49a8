# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""matplotlib and jinja2, which only the report needs: importing this package works without them."""

from __future__ import annotations

from monai.utils import optional_import

__all__ = [
    "Figure",
    "MaxNLocator",
    "Rectangle",
    "jinja2",
    "matplotlib",
    "require_jinja2",
    "require_matplotlib",
    "to_hex",
    "to_rgba",
]

jinja2, _HAS_JINJA2 = optional_import("jinja2")
matplotlib, _HAS_MATPLOTLIB = optional_import("matplotlib")
Figure, _ = optional_import("matplotlib.figure", name="Figure")
Rectangle, _ = optional_import("matplotlib.patches", name="Rectangle")
MaxNLocator, _ = optional_import("matplotlib.ticker", name="MaxNLocator")
to_hex, _ = optional_import("matplotlib.colors", name="to_hex")
to_rgba, _ = optional_import("matplotlib.colors", name="to_rgba")


def require_matplotlib(user: str) -> None:
    """Check that matplotlib is installed, before a long run needs it.

    Args:
        user: what needs it, such as "PanelSaver".

    Raises:
        ModuleNotFoundError: if it is not.
    """
    _require("matplotlib", _HAS_MATPLOTLIB, user)


def require_jinja2(user: str) -> None:
    """Check that jinja2 is installed, see :func:`require_matplotlib`."""
    _require("jinja2", _HAS_JINJA2, user)


def _require(package: str, installed: bool, user: str) -> None:
    if not installed:
        raise ModuleNotFoundError(f"{user} needs {package}: pip install {package}", name=package)
