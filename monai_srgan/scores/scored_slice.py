# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""One evaluated slice: its images, the predictions of all methods, and their scores."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from monai_srgan.scores.methods import Method
from monai_srgan.scores.ring_curves import RingCurve
from monai_srgan.scores.rows import SliceScores

__all__ = ["ScoredSlice", "scored_slices"]


@dataclass(frozen=True)
class ScoredSlice:
    """What a :class:`~monai_srgan.engines.SREvaluator` knows of one slice. Images are x-first, as in MONAI.

    Attributes:
        source: path of the slice's file; where the batch does not name one, a text that identifies the slice.
        patient: identifier of the patient, "" where unknown.
        tumor_type: name of the type, "" where unknown.
        image: ``(C, h, w)`` LR input.
        label: ``(C, H, W)`` HR target.
        mask: ``(1, H, W)`` tumor mask.
        predictions: ``(C, H, W)`` float32 of every method, in the order of tables.
        scores: all rows of the slice.
        spread: ``(C, H, W)`` standard deviation of the self-ensemble; None without one.
        half_width: ``(C, H, W)`` half-width of the calibrated intervals; None without them.
        rings: power and coherence by ring of every method; empty where they are not measured.
    """

    source: str
    patient: str
    tumor_type: str
    image: torch.Tensor
    label: torch.Tensor
    mask: torch.Tensor
    predictions: Mapping[Method, torch.Tensor]
    scores: SliceScores = field(default_factory=SliceScores)
    spread: torch.Tensor | None = None
    half_width: torch.Tensor | None = None
    rings: tuple[RingCurve, ...] = ()

    @property
    def file(self) -> str:
        """Name of the slice's file, without folder."""
        return Path(self.source).name

    def on_cpu(self, methods: Collection[Method]) -> ScoredSlice:
        """A copy in main memory that keeps the predictions of some methods, to be used after the batch is gone.

        Args:
            methods: the methods; unknown ones are ignored.
        """
        return replace(
            self,
            image=_copy(self.image),
            label=_copy(self.label),
            mask=_copy(self.mask),
            predictions={method: _copy(pred) for method, pred in self.predictions.items() if method in methods},
            spread=None if self.spread is None else _copy(self.spread),
            half_width=None if self.half_width is None else _copy(self.half_width),
        )


def scored_slices(engine: Any) -> list[ScoredSlice]:
    """The slices of an evaluator's last step, whether or not the engine decollates its output.

    Args:
        engine: a :class:`~monai_srgan.engines.SREvaluator` at ``ITERATION_COMPLETED``.

    Raises:
        ValueError: if the engine is another one.
    """
    slices = getattr(engine.state, "slices", None)
    if slices is None:
        raise ValueError("engine.state has no scored slices: attach this handler to a SREvaluator")
    return slices


def _copy(image: torch.Tensor) -> torch.Tensor:
    return image.detach().as_subclass(torch.Tensor).to("cpu", copy=True)
