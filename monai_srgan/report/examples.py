# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""One slice of a report, with everything that is drawn of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from monai_srgan.metrics import split_error
from monai_srgan.physics import ConsistencyProjection
from monai_srgan.report.pictures import as_picture
from monai_srgan.scores import Method, ScoredSlice, SliceScores

__all__ = ["ErrorParts", "Example"]


@dataclass(frozen=True)
class ErrorParts:
    """The two parts of a method's error, ``(H, W)`` with rows first, see :func:`monai_srgan.metrics.split_error`."""

    measured: np.ndarray
    null: np.ndarray


@dataclass(frozen=True)
class Example:
    """A slice to be shown. Arrays have rows first, as they are drawn: x to the right, y down.

    Attributes:
        label: its role in the report, such as "best", "median" or "worst".
        file: name of the slice's file.
        patient: identifier of the patient, "" where unknown.
        tumor_type: name of the type, "" where unknown.
        lr: ``(h, w)`` low-resolution input, in [0, 1].
        hr: ``(H, W)`` target, in [0, 1].
        mask: ``(H, W)`` bool, the tumor; may be empty.
        predictions: method to ``(H, W)``, not clamped, in the order wanted.
        scores: of this slice, as far as measured.
        half_width: ``(H, W)`` half-width of the calibrated intervals, in units of the images; None for none.
        spread: ``(H, W)`` standard deviation of the self-ensemble; None for none.
        error_parts: method to both parts of its error; may be empty.

    Raises:
        ValueError: if an array is not 2-D, does not have the target's size (``lr``: is larger), or is not finite.
    """

    label: str
    file: str
    patient: str
    tumor_type: str
    lr: np.ndarray
    hr: np.ndarray
    mask: np.ndarray
    predictions: Mapping[Method, np.ndarray]
    scores: SliceScores = field(default_factory=SliceScores)
    half_width: np.ndarray | None = None
    spread: np.ndarray | None = None
    error_parts: Mapping[Method, ErrorParts] = field(default_factory=dict)

    @classmethod
    def of(cls, scored: ScoredSlice, methods: Collection[Method]) -> Example:
        """The pictures of an evaluated slice, copied to main memory; its label is empty.

        Args:
            scored: the slice.
            methods: methods to be shown.
        """
        return cls(
            label="",
            file=scored.file,
            patient=scored.patient,
            tumor_type=scored.tumor_type,
            lr=as_picture(scored.image),
            hr=as_picture(scored.label),
            mask=as_picture(scored.mask) > 0,
            predictions={m: as_picture(pred) for m, pred in scored.predictions.items() if m in methods},
            scores=scored.scores,
            half_width=None if scored.half_width is None else as_picture(scored.half_width),
            spread=None if scored.spread is None else as_picture(scored.spread),
        )

    def with_error_parts(self, projection: ConsistencyProjection, methods: Collection[Method]) -> Example:
        """A copy with both parts of the errors of some methods.

        Args:
            projection: of the operator that made the input.
            methods: the methods; those that are not shown are ignored.
        """
        hr, found = _batch(self.hr), {}
        for method, image in self.predictions.items():
            if method in methods:
                parts = split_error(_batch(image), hr, projection)
                found[method] = ErrorParts(as_picture(parts.measured[0]), as_picture(parts.null[0]))
        return replace(self, error_parts=found)

    def __post_init__(self) -> None:
        named = {"hr": self.hr, "mask": self.mask, "half_width": self.half_width, "spread": self.spread}
        named |= {f"predictions[{str(method)!r}]": image for method, image in self.predictions.items()}
        size = np.shape(self.hr)
        for name, image in [*named.items(), ("lr", self.lr)]:
            if image is None:
                continue
            if np.ndim(image) != 2 or 0 in np.shape(image):
                raise ValueError(f"{name} must be an array (H, W), got shape {np.shape(image)}: take one channel")
            if name != "lr" and np.shape(image) != size:
                raise ValueError(f"{name} must have the size of hr, {size}, got {np.shape(image)}")
            if not np.isfinite(image).all():
                raise ValueError(f"{name} of {self.file} has NaN or infinite values: leave the slice out")
        if any(small > large for small, large in zip(np.shape(self.lr), size, strict=True)):
            raise ValueError(f"lr must not be larger than hr, got {np.shape(self.lr)} and {size}: are they swapped?")


def _batch(picture: np.ndarray) -> torch.Tensor:
    """``(1, 1, X, Y)``: x first, as the operator takes it."""
    return torch.from_numpy(np.ascontiguousarray(picture.T))[None, None]
