# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of an evaluation: LR, other methods, SR, HR, error and a close-up of the tumor."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Events

from monai_srgan.data.natural_order import natural_key
from monai_srgan.files import writable_folder, write_atomically
from monai_srgan.processes import gather_on_main
from monai_srgan.report import draw_panel
from monai_srgan.report.optional import require_matplotlib
from monai_srgan.scores import Method, ScoredSlice, scored_slices

__all__ = ["PanelSaver"]

_SELECT = ("spread", "first", "worst")


@dataclass(frozen=True)
class _Kept:
    """A slice that may be drawn; the lowest priorities are drawn first."""

    priority: float
    scored: ScoredSlice


class PanelSaver:
    """Save a picture per slice of a :class:`~monai_srgan.engines.SREvaluator` as ``panel_{stem of the file}.png``.

    See :func:`~monai_srgan.report.draw_panel` for its content. In a job with several processes the slices are chosen
    among those of all, sorted by the numbers in their file names, and drawn by rank 0.

    Args:
        output_dir: folder of the pictures, checked on attaching.
        max_items: largest number of slices.
        select: "spread" takes slices at regular distances over the evaluation, "first" the first ones, "worst" those
            with the network's lowest PSNR in ``region``.
        region: region of the PSNR for "worst".
        methods: names of the methods that get a column beside the network; None for the evaluator's baselines.
        outline: whether to draw the tumor's outline.
        error_max: absolute error, in units of the images, at the top of the error map's color bar.
        dpi: dots per inch; a column is 2.4 inches wide.
        method: method of the prediction and the error map, such as "srgan + consistency"; None for the network.

    Raises:
        ValueError: if ``select`` is unknown or ``max_items`` is below 1.
    """

    def __init__(
        self,
        output_dir: str | Path,
        max_items: int = 4,
        select: str = "spread",
        region: str = "inside",
        methods: Sequence[str] | None = None,
        outline: bool = True,
        error_max: float = 0.2,
        dpi: int = 150,
        method: str | None = None,
    ) -> None:
        if select not in _SELECT:
            raise ValueError(f"select must be one of {_SELECT}, got {select!r}")
        if max_items < 1:
            raise ValueError(f"max_items must be at least 1, got {max_items}: leave the handler out for no pictures")
        self.output_dir = Path(output_dir)
        self.max_items = max_items
        self.select = select
        self.region = region
        self.methods = None if methods is None else tuple(map(Method.parse, methods))
        self.outline = outline
        self.error_max = error_max
        self.dpi = dpi
        self.method = None if method is None else Method.parse(method)
        self._kept: list[_Kept] = []
        self.logger = logging.getLogger(__name__)

    def attach(self, engine: Any) -> None:
        """Register with an evaluator.

        Raises:
            ModuleNotFoundError: if matplotlib is not installed.
            ValueError: if the evaluator does not score the region that "worst" needs.
            OSError: if the output folder is not writable.
        """
        require_matplotlib("PanelSaver")
        if self.select == "worst" and self.region not in engine.regions:
            raise ValueError(f"the evaluator scores {list(engine.regions)}, not the panels' region={self.region!r}")
        writable_folder(self.output_dir)
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.keep)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def start(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Forget the slices of an earlier run."""
        self._kept = []

    def keep(self, engine: Any) -> None:
        """Keep those slices of one step that may be drawn."""
        others = map(Method.parse, engine.baselines) if self.methods is None else self.methods
        drawn = (*others, self._method(engine))
        for kept in self._candidates(engine, scored_slices(engine)):
            self._kept.append(_Kept(kept.priority, kept.scored.on_cpu(drawn)))
        self._kept = sorted(self._kept, key=lambda kept: kept.priority)[: self.max_items]

    def _method(self, engine: Any) -> Method:
        return engine.method if self.method is None else self.method

    def _candidates(self, engine: Any, slices: Sequence[ScoredSlice]) -> list[_Kept]:
        """Slices of this step to keep."""
        if self.select == "worst":
            bound = self._kept[-1].priority if len(self._kept) >= self.max_items else math.inf
            values = [s.scores.value(self._method(engine), self.region, "psnr") for s in slices]
            found = [_Kept(value, s) for value, s in zip(values, slices, strict=True) if value is not None]
            return [kept for kept in found if kept.priority < bound]  # NaN, not measured, is never below
        steps = engine.state.epoch_length or self.max_items
        if self.select == "first" or steps < self.max_items:
            return [_Kept(0.0, s) for s in slices[: self.max_items - len(self._kept)]]
        spread = np.linspace(1, steps, self.max_items).round().astype(int)
        return [_Kept(0.0, s) for s in slices[:1]] if engine.state.iteration in spread else []

    def _chosen(self, kept: Iterable[_Kept]) -> list[_Kept]:
        """The slices to draw from those kept by all processes."""
        if self.select == "worst":
            return sorted(kept, key=lambda k: k.priority)[: self.max_items]
        kept = sorted(kept, key=lambda k: natural_key(k.scored.file))
        if self.select == "first" or len(kept) <= self.max_items:
            return kept[: self.max_items]
        return [kept[i] for i in np.linspace(0, len(kept) - 1, self.max_items).round().astype(int)]

    def write(self, engine: Any) -> None:
        """Draw the kept slices."""
        everywhere = gather_on_main(self._kept)
        if everywhere is None:
            return
        if len(everywhere) > 1:
            self._kept = self._chosen(kept for part in everywhere for kept in part)
        for kept in self._kept:
            figure = draw_panel(kept.scored, self._method(engine), outline=self.outline, error_max=self.error_max)
            path = self.output_dir / f"panel_{Path(kept.scored.file).stem}.png"
            write_atomically(path, partial(figure.savefig, dpi=self.dpi))
        self.logger.info("%d panels are in %s", len(self._kept), self.output_dir)
