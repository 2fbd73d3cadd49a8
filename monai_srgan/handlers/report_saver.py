# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation, written when its last slice is scored."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.data.tumor_types import tumor_type_name
from monai_srgan.files import writable_folder, write_atomically
from monai_srgan.handlers.score_table import ScoreTable
from monai_srgan.processes import is_main_process
from monai_srgan.report import Example, Report, render_report
from monai_srgan.report.pictures import as_picture
from monai_srgan.report.wording import in_region
from monai_srgan.scores.methods import CONSISTENCY, variant_name
from monai_srgan.scores.scored_slices import evaluation_items, slice_source

__all__ = ["ReportSaver"]

_PROJECTED = variant_name("", CONSISTENCY)


class ReportSaver:
    """Write ``report.html``: tables, plots and pictures of what a :class:`ScoreTable` has collected, in one file.

    The slices on which the network has its best, its median and its worst PSNR in `region` are evaluated once more at
    the end, to be shown; the evaluator's loader must therefore give its slices in the same order again. In a job of
    many processes these are chosen among the slices of rank 0, all else is of all slices.

    Args:
        table: the evaluator's score table, attached before this handler.
        output_dir: folder of the report, checked on attaching.
        title: heading of the page.
        region: region of the PSNR that ranks the slices.
        methods: names of the methods whose pictures are shown; None for all without ``"+ consistency"``.
        name: name of the file.
    """

    def __init__(
        self,
        table: ScoreTable,
        output_dir: str | Path,
        title: str = "Super-resolution of brain-tumour MRI",
        region: str = "head",
        methods: Sequence[str] | None = None,
        name: str = "report.html",
    ) -> None:
        self.table = table
        self.output_dir = Path(output_dir)
        self.title = title
        self.region = region
        self.methods = None if methods is None else tuple(methods)
        self.name = name
        self._psnr: dict[tuple[int, int], tuple[float, str]] = {}
        self.logger = logging.getLogger(__name__)

    def attach(self, engine: Any) -> None:
        """Register with an evaluator.

        Raises:
            ValueError: when the evaluator does not score `region`.
            OSError: when the output folder cannot be written to.
        """
        if self.region not in engine.regions:
            raise ValueError(f"the evaluator scores {list(engine.regions)}, not the report's region={self.region!r}")
        writable_folder(self.output_dir)
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.record)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def start(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Forget the slices of an earlier run."""
        self._psnr = {}

    def record(self, engine: Any) -> None:
        """Rank the slices of one step."""
        for index, item in enumerate(evaluation_items(engine)):
            value = item["scores"][engine.name][self.region]["psnr"]
            if not math.isnan(value):
                self._psnr[engine.state.iteration, index] = (value, slice_source(item))

    def write(self, engine: Any) -> None:
        """Write the report.

        Raises:
            ValueError: when the table is attached behind the report, or the loader gives its slices in another order.
        """
        if not is_main_process() or not self.table.rows:
            return
        summary = self.table.written
        if summary is None:
            raise ValueError("the report is made of the score table's summary: attach the table before the report")
        report = Report(
            title=self.title,
            settings=summary["settings"],
            rows=self.table.rows,
            summary=summary,
            examples=self._examples(engine),
            key_method=engine.name,
            reference=self.table.reference,
        )
        page = render_report(report)
        path = self.output_dir / self.name
        write_atomically(path, lambda part: part.write_text(page, encoding="utf-8"))
        self.logger.info("the report is %s", path)

    def _examples(self, engine: Any) -> list[Example]:
        """Evaluate once more the slices to be shown."""
        ranked = sorted(self._psnr, key=lambda place: (self._psnr[place][0], place))
        if not ranked:
            return []
        labels = {ranked[(len(ranked) - 1) // 2]: "median", ranked[0]: "worst", ranked[-1]: "best"}
        state = engine.state.batch, engine.state.output
        examples = {}
        try:
            for iteration, batch in enumerate(engine.data_loader, start=1):
                if not any(place[0] == iteration for place in labels):
                    continue
                items = engine.examine(batch)
                for place, label in labels.items():
                    if place[0] == iteration:
                        item = items[place[1]] if place[1] < len(items) else {}
                        if not item or slice_source(item) != self._psnr[place][1]:
                            break
                        examples[label] = self._example(label, item, engine)
                if len(examples) == len(labels):
                    break
        finally:
            engine.state.batch, engine.state.output = state
        if len(examples) < len(labels):
            raise ValueError(
                "the report evaluates three slices once more, and the evaluator's loader gives them no more or in "
                "another order: load from a data set with shuffle=False"
            )
        return [examples[label] for label in ("best", "median", "worst") if label in examples]

    def _example(self, label: str, item: Mapping[str, Any], engine: Any) -> Example:
        def shown(name: str) -> bool:
            return name in self.methods if self.methods is not None else not name.endswith(_PROJECTED)

        maps = {key: as_picture(item[key]) if key in item else None for key in ("half_width", "spread")}
        return Example(
            label=f"{label} PSNR {in_region(self.region)}",
            file=Path(slice_source(item)).name,
            patient=str(item.get("patient", "")),
            tumor_type=tumor_type_name(item.get("tumor_type")),
            lr=as_picture(item[Keys.IMAGE]),
            hr=as_picture(item[Keys.LABEL]),
            mask=as_picture(item[engine.mask_key]) > 0,
            predictions={name: as_picture(pred) for name, pred in item["preds"].items() if shown(name)},
            scores=item["scores"],
            **maps,
        )
