# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What an operator needs for each size of image, built once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import torch

__all__ = ["TensorCache"]

T = TypeVar("T")


class TensorCache(dict[Hashable, T]):
    """Tensors by what they depend on; emptied before it exceeds its limit.

    Pickles and deep copies are empty, which keeps those of workers small.

    Args:
        limit: largest number of entries, at least 1.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def find(self, key: Hashable, build: Callable[[], T]) -> T:
        """The entry of a key, built if it is missing."""
        found = self.get(key)
        if found is None:
            if len(self) >= self.limit:
                self.clear()
            # Tensors created in inference mode could not be used for training later.
            with torch.inference_mode(False):
                found = build()
            self[key] = found
        return found  # not self[key]: another thread may have emptied the cache since

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return type(self), (self.limit,)
