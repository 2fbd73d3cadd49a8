# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Statistics of the features of a training set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

import torch
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.estimation.feature_ensemble import FeatureEnsemble
from monai_srgan.estimation.network import COMPONENTS

__all__ = ["fit_statistics"]


def fit_statistics(network: FeatureEnsemble, loader: Iterable[Mapping[str, torch.Tensor]], batches: int) -> None:
    """Let a network normalize features, and a :class:`MeasurementNet` measure novelty, by its training set.

    Args:
        network: changed in place.
        loader: batches of :class:`~monai_srgan.transforms.MeasurementSamplesd` or of
            :class:`~monai_srgan.transforms.OutlierSamplesd`.
        batches: number of batches to look at, from the first one on; a few thousand images give a reliable novelty.

    Raises:
        ValueError: if `batches` is not positive, or the batches hold no more images than novelty has components, 24.
    """
    if batches < 1:
        raise ValueError(f"batches must be at least 1, got {batches}")
    found = [(batch[Keys.IMAGE], batch["fine"], batch["axes"]) for batch in islice(loader, batches)]
    images = sum(len(spectrum) for spectrum, _, _ in found)
    if images <= COMPONENTS:
        raise ValueError(f"batches must hold more than {COMPONENTS} images, got {images}: raise batches or their size")
    spectrum, fine, axes = (torch.cat(part) for part in zip(*found, strict=True))
    network.set_statistics(spectrum, fine, axes)
