# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of an evaluation: LR, other methods, SR, HR, error and the tumour close up."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Events

from monai_srgan.data.natural_order import natural_key
from monai_srgan.files import writable_folder, write_atomically
from monai_srgan.processes import gather_on_main, rank
from monai_srgan.report.panel_figure import draw_panel
from monai_srgan.scores.scored_slices import evaluation_items, evaluation_scores, slice_source

__all__ = ["PanelSaver"]

_SELECT = ("spread", "first", "worst")


class PanelSaver:
    """Save a picture per slice of a :class:`~monai_srgan.engines.SREvaluator` as ``panel_{file's stem}.png``.

    See :func:`draw_panel` for what it shows. In a job of many processes the slices are chosen among those of all,
    in the order of the files' numbers, and drawn by rank 0.

    Args:
        output_dir: folder of the pictures, checked on attaching.
        max_items: largest number of slices.
        select: "spread" takes slices at even distances over the evaluation, "first" the first ones, "worst" those on
            which the network has its lowest PSNR in ``region``.
        region: region of the PSNR for "worst".
        methods: names of the methods that get a column beside the network; None for the evaluator's baselines.
        outline: whether to draw the tumour's outline.
        error_max: absolute error, in units of the images, at the top of the error map's colours.
        dpi: dots per inch; a column is 2.4 inches wide.

    Raises:
        ValueError: when ``select`` is unknown or ``max_items`` is below 1.
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
    ) -> None:
        if select not in _SELECT:
            raise ValueError(f"select must be one of {_SELECT}, got {select!r}")
        if max_items < 1:
            raise ValueError(f"max_items must be at least 1, got {max_items}: leave the handler out for no pictures")
        self.output_dir = Path(output_dir)
        self.max_items = max_items
        self.select = select
        self.region = region
        self.methods = None if methods is None else tuple(methods)
        self.outline = outline
        self.error_max = error_max
        self.dpi = dpi
        self._kept: list[tuple[float, dict[str, Any]]] = []
        self.logger = logging.getLogger(__name__)

    def attach(self, engine: Any) -> None:
        """Register with an evaluator.

        Raises:
            ValueError: when the evaluator does not score the region that "worst" asks for.
            OSError: when the output folder cannot be written to.
        """
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
        wanted = self._wanted(engine)
        if not wanted:
            return
        items = evaluation_items(engine)
        for index, place in wanted.items():
            item: dict[str, Any] = {
                k: v.detach().cpu() if isinstance(v, torch.Tensor) else v for k, v in items[index].items()
            }
            item["preds"] = {k: v.cpu() for k, v in item["preds"].items() if k in self._columns(engine)}
            item.setdefault("slice", f"{rank()}.{engine.state.iteration}.{index}")
            self._kept.append((place, item))
        self._kept = sorted(self._kept, key=lambda kept: kept[0])[: self.max_items]

    def _columns(self, engine: Any) -> tuple[str, ...]:
        return tuple(engine.baselines) if self.methods is None else self.methods

    def _wanted(self, engine: Any) -> dict[int, float]:
        """Slices of this step to keep, with their place: the lowest ones are drawn."""
        scores = evaluation_scores(engine)
        if self.select == "worst":
            values = {i: s[engine.name][self.region]["psnr"] for i, s in enumerate(scores)}
            bound = self._kept[-1][0] if len(self._kept) >= self.max_items else math.inf
            return {i: v for i, v in values.items() if not math.isnan(v) and v < bound}
        steps = engine.state.epoch_length or self.max_items
        if self.select == "first" or steps < self.max_items:
            return dict.fromkeys(range(min(len(scores), self.max_items - len(self._kept))), 0.0)
        spread = np.linspace(1, steps, self.max_items).round().astype(int)
        return {0: 0.0} if engine.state.iteration in spread else {}

    def _chosen(self, kept: list[tuple[float, dict[str, Any]]]) -> list[tuple[float, dict[str, Any]]]:
        """Those to draw of the slices that the processes have kept, each its own candidates."""
        if self.select == "worst":
            return sorted(kept, key=lambda k: k[0])[: self.max_items]
        kept = sorted(kept, key=lambda k: natural_key(Path(slice_source(k[1]) or k[1]["slice"]).name))
        if self.select == "first" or len(kept) <= self.max_items:
            return kept[: self.max_items]
        return [kept[i] for i in np.linspace(0, len(kept) - 1, self.max_items).round().astype(int)]

    def write(self, engine: Any) -> None:
        """Draw the kept slices."""
        everywhere = gather_on_main(self._kept)
        if everywhere is None:
            return
        self._kept = everywhere[0] if len(everywhere) == 1 else self._chosen([k for kept in everywhere for k in kept])
        for _, item in self._kept:
            figure = draw_panel(
                item, mask_key=engine.mask_key, name=engine.name, outline=self.outline, error_max=self.error_max
            )
            path = self.output_dir / f"panel_{Path(slice_source(item) or item['slice']).stem}.png"
            write_atomically(path, partial(figure.savefig, dpi=self.dpi))
        self.logger.info("%d panels are in %s", len(self._kept), self.output_dir)
