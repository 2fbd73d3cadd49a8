# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The scores of an evaluation: one row per score, a summary by region and tumor type, and a table in the log."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events

from monai_srgan.data.natural_order import natural_key
from monai_srgan.files import writable_folder, write_atomically
from monai_srgan.metrics import METRICS, SSIM_SETTINGS
from monai_srgan.networks import weights_sha256
from monai_srgan.processes import gather, is_main_process, world_size
from monai_srgan.scores import (
    CSV_COLUMNS,
    METRIC_FACTS,
    EvaluationSummary,
    Method,
    RingCurve,
    ScoreRow,
    SummaryTable,
    mean_rings,
    scored_slices,
    summarize_rows,
)

__all__ = ["ScoreTable"]

_HISTORY = ("epoch", "method", "region", "metric", "mean", "sd", "n", "infinite")


class ScoreTable:
    """Write what a :class:`~monai_srgan.engines.SREvaluator` measures, network beside baselines.

    - ``scores.csv``: a row for every slice, degradation, method, region and metric, see
      :class:`monai_srgan.scores.ScoreRow`; the value is empty where nothing was measured;
    - ``summary.json``: an :class:`monai_srgan.scores.EvaluationSummary`: the settings, and for every method, region and
      metric the figures of :class:`monai_srgan.scores.ScoreSummary` (mean, sd, n, interval over patients, comparison
      with the reference), over all slices, by tumor type and by further degradation; mean curves of power and
      coherence where the evaluator measures them;
    - ``metrics.csv``: the same means, a row for every epoch, method, region and metric, for validation during
      training. A resumed run keeps the rows of earlier epochs;
    - the log: a readable table.

    Files are written atomically. In a job with several processes the slices of all are gathered, each counted once,
    and sorted by the numbers in their file names.

    Args:
        output_dir: folder of the files, checked on attaching; None only logs.
        csv_name: name of the table of slices; None for none.
        summary_name: name of the summary; None for none.
        history_name: name of the table over epochs; None for none.
        settings: everything that makes the figures reproducible, for the summary: degradation, section, fold, seed,
            checkpoint ... The evaluator's own (regions, data range, SSIM settings, fingerprints of the networks'
            weights) are added.
        log_metrics: columns of the logged table; None for all that were measured.
        reference: method that the others are compared with.

    Attributes:
        rows: rows of the current or last run.
        rings: curves by ring of that run; empty where the evaluator does not measure them.
        summary: summary of the last epoch, for the handlers attached after this one; None before it is written.
    """

    def __init__(
        self,
        output_dir: str | Path | None = None,
        csv_name: str | None = "scores.csv",
        summary_name: str | None = "summary.json",
        history_name: str | None = "metrics.csv",
        settings: Mapping[str, Any] | None = None,
        log_metrics: Sequence[str] | None = METRICS,
        reference: str = "bicubic",
    ) -> None:
        self.output_dir = None if output_dir is None else Path(output_dir)
        self.csv_name = csv_name
        self.summary_name = summary_name
        self.history_name = history_name
        self.settings = dict(settings or {})
        self.log_metrics = None if log_metrics is None else tuple(log_metrics)
        self.reference = Method.parse(reference)
        self.rows: list[ScoreRow] = []
        self.rings: list[RingCurve] = []
        self.summary: EvaluationSummary | None = None
        self.logger = logging.getLogger(__name__)

    def attach(self, engine: Any) -> None:
        """Register with an evaluator.

        Raises:
            OSError: if the output folder is not writable.
        """
        self._check_folder()
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.record)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def _check_folder(self) -> None:
        if self.output_dir is not None:
            writable_folder(self.output_dir)

    def start(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Forget the slices of an earlier run."""
        self._check_folder()
        self.rows, self.rings, self.summary = [], [], None

    def record(self, engine: Any) -> None:
        """Keep the rows and curves of the slices of one step."""
        for scored in scored_slices(engine):
            self.rows.extend(scored.scores.rows)
            self.rings.extend(scored.rings)

    def write(self, engine: Any) -> None:
        """Write the files and log the table."""
        self._gather()
        if not is_main_process() or not self.rows:
            return
        self.summary = summary = self.summarize(engine)
        if self.output_dir is not None:
            if self.csv_name:
                _write_csv(self.output_dir / self.csv_name, CSV_COLUMNS, (row.to_csv() for row in self.rows))
            if self.summary_name:
                text = json.dumps(summary.to_dict(), indent=2, allow_nan=False, default=str) + "\n"
                write_atomically(self.output_dir / self.summary_name, lambda part: part.write_text(text))
            if self.history_name:
                self._write_history(self.output_dir / self.history_name, engine.state.epoch, summary.scores)
        self.logger.info("%s", self.table(summary.scores))
        if self.output_dir is not None:
            self.logger.info("scores of %d slices are in %s", summary.slices, self.output_dir)

    def summarize(self, engine: Any) -> EvaluationSummary:
        """The summary of the rows."""
        fingerprints = {
            engine.name: weights_sha256(engine.network),
            **{name: m.weights_sha256 for name, m in engine.baselines.items() if hasattr(m, "weights_sha256")},
        }
        own = [row for row in self.rows if not row.degradation]
        types = sorted({row.tumor_type for row in own if row.tumor_type})
        degradations = dict.fromkeys(row.degradation for row in self.rows if row.degradation)
        return EvaluationSummary(
            settings={
                **self.settings,
                "weights_sha256": fingerprints,
                "data_range": engine.data_range,
                "regions": list(engine.regions),
                "rim_width_pixels": engine.rim_width,
                "ssim": SSIM_SETTINGS,
                "clamped": False,
                "mean_over": "slices with the region; identical images (infinite PSNR) counted apart",
            },
            epoch=engine.state.epoch,
            slices=len({row.source for row in self.rows}),
            patients=len({row.patient for row in self.rows if row.patient}),
            scores=self._summarize(own),
            by_tumor_type={name: self._summarize(r for r in own if r.tumor_type == name) for name in types},
            degradations={
                name: self._summarize(r for r in self.rows if r.degradation == name) for name in degradations
            },
            rings=mean_rings(self.rings),
        )

    def _summarize(self, rows: Iterable[ScoreRow]) -> SummaryTable:
        return summarize_rows(rows, reference=self.reference)

    def table(self, scores: SummaryTable) -> str:
        """Mean ± sd as text: one block per region, one line per method."""
        found = scores.metrics()
        metrics = [m for m in METRIC_FACTS if m in found] if self.log_metrics is None else list(self.log_metrics)
        lines = [["region", "method", *(METRIC_FACTS[m].heading for m in metrics), "slices"]]
        for region in scores.regions():
            for method in scores.methods():
                mse = scores.get(method, region, "mse")
                cells = [METRIC_FACTS[m].mean_and_sd(scores.get(method, region, m)) for m in metrics]
                lines.append([region, str(method), *cells, str(mse.n if mse else 0)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        header, *text = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
        rule = "-" * len(header)
        return "\n".join(["scores, mean ± sd over slices", rule, header, rule, *text, rule])

    def _gather(self) -> None:
        """Collect rows and curves of all processes, each slice once: a distributed sampler repeats some of them."""
        if world_size() == 1:
            return
        rows = [row for part in gather(self.rows) for row in part]
        rows.sort(key=lambda row: (natural_key(row.file), row.source))
        unique = {(row.source, row.degradation, row.method, row.region, row.metric): row for row in rows}
        self.rows = list(unique.values())
        curves = (curve for part in gather(self.rings) for curve in part)
        self.rings = list({(curve.source, curve.method): curve for curve in curves}.values())

    @staticmethod
    def _write_history(path: Path, epoch: int, scores: SummaryTable) -> None:
        rows: list[Mapping[str, Any]] = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < epoch]
        for key, entry in scores:
            rows.append(
                {
                    "epoch": epoch,
                    "method": str(key.method),
                    "region": key.region,
                    "metric": key.metric,
                    "mean": entry.mean,  # the writer leaves None empty
                    "sd": entry.sd,
                    "n": entry.n,
                    "infinite": entry.infinite,
                }
            )
        _write_csv(path, _HISTORY, rows)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)

    write_atomically(path, write)
