# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The summary of an evaluation, the content of ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from monai_srgan.scores.methods import Method
from monai_srgan.scores.ring_curves import MeanRings
from monai_srgan.scores.summary import SummaryTable

__all__ = ["EvaluationSummary"]


@dataclass(frozen=True)
class EvaluationSummary:
    """What an evaluation found.

    Attributes:
        settings: everything that the figures depend on.
        epoch: epoch of the evaluator.
        slices: number of slices.
        patients: number of known patients.
        scores: figures of all slices.
        by_tumor_type: figures of the slices of each tumor type.
        degradations: figures of each further degradation, by its name.
        rings: mean curves of power and coherence of each method, where they were measured.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    epoch: int = 0
    slices: int = 0
    patients: int = 0
    scores: SummaryTable = field(default_factory=SummaryTable)
    by_tumor_type: Mapping[str, SummaryTable] = field(default_factory=dict)
    degradations: Mapping[str, SummaryTable] = field(default_factory=dict)
    rings: Mapping[Method, MeanRings] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The content of ``summary.json``."""
        return {
            "settings": dict(self.settings),
            "epoch": self.epoch,
            "slices": self.slices,
            "patients": self.patients,
            "scores": self.scores.to_dict(),
            "by_tumor_type": {name: table.to_dict() for name, table in self.by_tumor_type.items()},
            "degradations": {name: table.to_dict() for name, table in self.degradations.items()},
            "rings": {str(method): asdict(curves) for method, curves in self.rings.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> EvaluationSummary:
        """The summary of a ``summary.json``; the inverse of :meth:`to_dict`. Files before version 0.4 have no rings."""
        tables = {
            name: {key: SummaryTable.from_dict(table) for key, table in content[name].items()}
            for name in ("by_tumor_type", "degradations")
        }
        rings = {Method.parse(name): MeanRings.from_dict(found) for name, found in content.get("rings", {}).items()}
        return cls(**{**content, "scores": SummaryTable.from_dict(content["scores"]), **tables, "rings": rings})
