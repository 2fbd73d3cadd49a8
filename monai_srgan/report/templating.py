# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The jinja2 environment of the HTML pages."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from monai_srgan.report.optional import jinja2

__all__ = ["template_environment"]

_SHARED = "monai_srgan.report"  # holds the style sheet of all pages


@lru_cache(maxsize=4)
def template_environment(*packages: str) -> Any:
    """A ``jinja2.Environment`` that escapes HTML and raises an error on undefined names.

    Args:
        packages: packages whose folder ``templates`` is searched before that of ``monai_srgan.report``.
    """
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package) for package in (*packages, _SHARED)]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
