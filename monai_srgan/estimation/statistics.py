# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Statistics of the features of a training set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

import torch
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.estimation.network import MeasurementNet

__all__ = ["fit_statistics"]


def fit_statistics(network: MeasurementNet, loader: Iterable[Mapping[str, torch.Tensor]], batches: int) -> None:
    """Let a network normalize features, and measure novelty, by the first batches of its training set.

    Args:
        network: changed in place.
        loader: batches of :class:`~monai_srgan.transforms.MeasurementSamplesd`.
        batches: number of batches to look at; all together must hold more images than there are features, about 1100.

    Raises:
        ValueError: if `batches` is not positive, or there is no batch.
    """
    if batches < 1:
        raise ValueError(f"batches must be at least 1, got {batches}")
    found = [(batch[Keys.IMAGE], batch["fine"], batch["edges"]) for batch in islice(loader, batches)]
    if not found:
        raise ValueError("loader has no batch: the training set is empty")
    spectrum, fine, edges = (torch.cat(part) for part in zip(*found, strict=True))
    network.set_statistics(spectrum, fine, edges)
