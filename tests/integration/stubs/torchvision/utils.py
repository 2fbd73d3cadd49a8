# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The two names that MONAI Label imports; nothing here draws."""

from __future__ import annotations

from typing import NoReturn


def make_grid(*_args: object, **_kwargs: object) -> NoReturn:
    """Not available."""
    raise NotImplementedError("this is a stub of torchvision")


save_image = make_grid
