# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A dataset of the samples that a random transform draws from each item, drawn once for all epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.transforms import Randomizable
from torch.utils.data import Dataset
from tqdm import tqdm

__all__ = ["DrawnSamples"]


class DrawnSamples(Dataset):
    """All samples of all items in memory, for transforms that cost more than a training step.

    The samples of an item share one block of memory for each key: tens of thousands of small blocks would fragment it.

    Args:
        data: items.
        transform: returns a list of samples for an item, dictionaries of tensors of the same shapes.
        seed: of the transform's random numbers, if it draws any.
        progress: whether to show a progress bar while samples are drawn.
    """

    def __init__(
        self,
        data: Sequence[Any],
        transform: Callable[[Any], list[dict[str, torch.Tensor]]],
        seed: int = 0,
        progress: bool = False,
    ) -> None:
        if isinstance(transform, Randomizable):
            transform.set_random_state(seed=seed)
        self.data = data
        items = tqdm(data, desc="drawing samples", disable=not progress)
        self.samples = [sample for item in items for sample in _joined(transform(item))]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.samples[index]


def _joined(samples: list[dict[str, torch.Tensor]]) -> list[dict[str, torch.Tensor]]:
    """The same samples as views of one tensor per key."""
    blocks = {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}
    return [{key: block[i] for key, block in blocks.items()} for i in range(len(samples))]
