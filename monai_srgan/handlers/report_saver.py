# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The HTML report of an evaluation."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events

from monai_srgan.files import writable_folder, write_atomically
from monai_srgan.handlers.score_table import ScoreTable
from monai_srgan.physics import ConsistencyProjection
from monai_srgan.processes import is_main_process
from monai_srgan.report import Example, Report, render_report
from monai_srgan.report.gallery import Gallery
from monai_srgan.report.optional import require_jinja2, require_matplotlib
from monai_srgan.report.wording import in_region
from monai_srgan.scores import CONSISTENCY, ENSEMBLE, Method, scored_slices

__all__ = ["ReportSaver"]


class ReportSaver:
    """Write ``report.html`` after an evaluation: tables, plots and pictures in one file.

    The numbers are those of a :class:`ScoreTable`. The page shows the slices with the best, the median and the worst
    PSNR of `method` in `region`. They are kept while the evaluator scores them; of evaluations with more than
    `candidates` slices the page may show a slice near the median, see :class:`monai_srgan.report.gallery.Gallery`. In a
    job with several processes the slices are chosen among those of rank 0; all numbers are over all slices.

    Args:
        table: the evaluator's score table, attached before this handler.
        output_dir: folder of the report, checked on attaching.
        title: heading of the page.
        region: region of the PSNR that ranks the slices.
        methods: names of the methods whose pictures are shown; None for all that are not projected, and `method`.
        name: name of the file.
        method: the method that the report is about, such as "srgan + consistency"; None for the network.
        candidates: largest number of slices kept in memory, at least 3; a slice of 512x512 pixels takes about 9 MB.
        projection: of the operator that made the input, to show which part of the error of `method` and of the table's
            reference that input determines; None for no such maps.
    """

    def __init__(
        self,
        table: ScoreTable,
        output_dir: str | Path,
        title: str = "Super-resolution of brain-tumor MRI",
        region: str = "head",
        methods: Sequence[str] | None = None,
        name: str = "report.html",
        method: str | None = None,
        candidates: int = 25,
        projection: ConsistencyProjection | None = None,
    ) -> None:
        self.table = table
        self.output_dir = Path(output_dir)
        self.title = title
        self.region = region
        self.methods = None if methods is None else tuple(map(Method.parse, methods))
        self.name = name
        self.method = None if method is None else Method.parse(method)
        self.candidates = candidates
        self.projection = projection
        self._gallery = Gallery(candidates)
        self.logger = logging.getLogger(__name__)

    def attach(self, engine: Any) -> None:
        """Register with an evaluator.

        Raises:
            ModuleNotFoundError: if jinja2 or matplotlib is not installed.
            ValueError: if the evaluator does not score `region`.
            OSError: if the output folder is not writable.
        """
        require_jinja2("ReportSaver")
        require_matplotlib("ReportSaver")
        if self.region not in engine.regions:
            raise ValueError(f"the evaluator scores {list(engine.regions)}, not the report's region={self.region!r}")
        writable_folder(self.output_dir)
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.record)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def start(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Forget the slices of an earlier run."""
        self._gallery = Gallery(self.candidates)

    def record(self, engine: Any) -> None:
        """Keep the slices of one step that may be shown."""
        if not is_main_process():
            return
        method = self._method(engine)
        for scored in scored_slices(engine):
            value = scored.scores.value(method, self.region, "psnr")
            if value is None:
                names = [str(m) for m in scored.scores.methods()]
                raise ValueError(f"method must be one of {names}, got {str(method)!r}")
            if not math.isnan(value):
                shown = [m for m in scored.predictions if self._is_shown(m, method)]
                self._gallery.add(value, Example.of(scored, shown))

    def write(self, engine: Any) -> None:
        """Write the report.

        Raises:
            ValueError: if the table is attached after the report.
        """
        if not is_main_process() or not self.table.rows:
            return
        if self.table.summary is None:
            raise ValueError("the report needs the summary of the score table: attach the table before the report")
        examples = self._gallery.examples(f"PSNR {in_region(self.region)}")
        if self.projection is not None:
            methods = (self.table.reference, self._method(engine))
            examples = [example.with_error_parts(self.projection, methods) for example in examples]
        report = Report(
            title=self.title,
            rows=self.table.rows,
            summary=self.table.summary,
            examples=examples,
            key_method=self._method(engine),
            reference=self.table.reference,
        )
        page = render_report(report)
        path = self.output_dir / self.name
        write_atomically(path, lambda part: part.write_text(page, encoding="utf-8"))
        self.logger.info("the report is %s", path)

    def _method(self, engine: Any) -> Method:
        return engine.method if self.method is None else self.method

    def _is_shown(self, method: Method, key_method: Method) -> bool:
        if self.methods is not None:
            return method in self.methods
        return method == key_method or not method.has(CONSISTENCY) or method.has(ENSEMBLE)
