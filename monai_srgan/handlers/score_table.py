# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The scores of an evaluation: one row per slice, a summary by region and tumour type, and a table in the log."""

from __future__ import annotations

import csv
import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events

from monai_srgan.data.natural_order import natural_key
from monai_srgan.data.tumor_types import tumor_type_name
from monai_srgan.files import writable_folder, write_atomically
from monai_srgan.metrics import METRICS, SSIM_SETTINGS
from monai_srgan.networks import weights_sha256
from monai_srgan.processes import gather, is_main_process, rank, world_size
from monai_srgan.scores import METRIC_FACTS, ScoreRow, summarise_rows
from monai_srgan.scores.scored_slices import evaluation_items, slice_source

__all__ = ["ScoreTable"]

_HISTORY = ("epoch", "method", "region", "metric", "mean", "sd", "n", "infinite")
_DEGRADATION, _VALUE = ScoreRow._fields.index("degradation"), ScoreRow._fields.index("value")


class ScoreTable:
    """Write down what a :class:`~monai_srgan.engines.SREvaluator` measures, network beside baselines.

    - ``scores.csv``: a row for every slice, degradation, method, region and metric (the columns of
      :class:`monai_srgan.scores.ScoreRow`; the value is empty where nothing was measured);
    - ``summary.json``: the settings, and what :func:`monai_srgan.scores.summarise_rows` gives by method, region and
      metric (mean, sd, n, interval over patients, comparison with the reference), also by tumour type and by further
      degradation;
    - ``metrics.csv``: the same means, a row for every epoch, method, region and metric, for validation during
      training. A resumed run keeps the rows of earlier epochs;
    - the log: a readable table.

    Files are written beside and renamed. In a job of many processes the slices of all are gathered, each counted once,
    and put into the order of the files' numbers.

    Args:
        output_dir: folder of the files, checked on attaching; None only logs.
        csv_name: name of the table of slices; None for none.
        summary_name: name of the summary; None for none.
        history_name: name of the table over epochs; None for none.
        settings: whatever makes the figures reproducible, for the summary: degradation, section, fold, seed,
            checkpoint ... The evaluator's own (regions, data range, SSIM settings, fingerprints of the networks'
            weights) are added.
        log_metrics: columns of the logged table; None for all that were measured.
        reference: method that the others are compared with.
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
        self.reference = reference
        self.rows: list[ScoreRow] = []
        self.written: dict[str, Any] | None = None  # the summary of the last epoch, for whoever comes behind
        self._sources: list[str] = []
        self.logger = logging.getLogger(__name__)

    def attach(self, engine: Any) -> None:
        """Register with an evaluator.

        Raises:
            OSError: when the output folder cannot be written to.
        """
        self._check()
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.record)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def _check(self) -> None:
        if self.output_dir is not None:
            writable_folder(self.output_dir)

    def start(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Forget the slices of an earlier run."""
        self._check()
        self.rows, self._sources, self.written = [], [], None

    def record(self, engine: Any) -> None:
        """Keep the scores of the slices of one step."""
        for index, item in enumerate(evaluation_items(engine)):
            source = slice_source(item) or f"rank {rank()} slice {engine.state.iteration}.{index}"
            for degradation, methods in {"": item["scores"], **item.get("degraded_scores", {})}.items():
                self._record(item, source, degradation, methods)

    def _record(self, item: Mapping[str, Any], source: str, degradation: str, methods: Mapping[str, Any]) -> None:
        for method, regions in methods.items():
            for region, scores in regions.items():
                for metric, value in scores.items():
                    if metric == "pixels":
                        continue
                    self._sources.append(source)
                    self.rows.append(
                        ScoreRow(
                            file=Path(source).name,
                            patient=str(item.get("patient", "")),
                            tumor_type=tumor_type_name(item.get("tumor_type")),
                            degradation=degradation,
                            method=method,
                            region=region,
                            metric=metric,
                            value=float(value),
                            pixels=int(scores["pixels"]),
                        )
                    )

    def write(self, engine: Any) -> None:
        """Write the files and log the table."""
        self._gather()
        if not is_main_process() or not self.rows:
            return
        summary = self.written = self.summary(engine)
        if self.output_dir is not None:
            if self.csv_name:
                rows = ({**row._asdict(), "value": _text(row.value)} for row in self.rows)
                _write_csv(self.output_dir / self.csv_name, ScoreRow._fields, rows)
            if self.summary_name:
                text = json.dumps(summary, indent=2, allow_nan=False, default=str) + "\n"
                write_atomically(self.output_dir / self.summary_name, lambda part: part.write_text(text))
            if self.history_name:
                self._write_history(self.output_dir / self.history_name, engine.state.epoch, summary["scores"])
        self.logger.info("%s", self.table(summary["scores"]))
        if self.output_dir is not None:
            self.logger.info("scores of %d slices are in %s", summary["slices"], self.output_dir)

    def summary(self, engine: Any) -> dict[str, Any]:
        """The content of ``summary.json``."""
        settings = {
            **self.settings,
            "weights_sha256": {
                engine.name: weights_sha256(engine.network),
                **{name: m.weights_sha256 for name, m in engine.baselines.items() if hasattr(m, "weights_sha256")},
            },
            "data_range": engine.data_range,
            "regions": list(engine.regions),
            "rim_width_pixels": engine.rim_width,
            "ssim": SSIM_SETTINGS,
            "clamped": False,
            "mean_over": "slices with the region; identical images (infinite PSNR) counted apart",
        }
        own = [row for row in self.rows if not row.degradation]
        types = sorted({row.tumor_type for row in own if row.tumor_type})
        degradations = dict.fromkeys(row.degradation for row in self.rows if row.degradation)
        return {
            "settings": settings,
            "epoch": engine.state.epoch,
            "slices": len({(s, r.file) for s, r in zip(self._sources, self.rows, strict=True)}),
            "patients": len({row.patient for row in self.rows if row.patient}),
            "scores": self._summarised(own),
            "by_tumor_type": {name: self._summarised([r for r in own if r.tumor_type == name]) for name in types},
            "degradations": {
                name: self._summarised([r for r in self.rows if r.degradation == name]) for name in degradations
            },
        }

    def _summarised(self, rows: Sequence[ScoreRow]) -> dict[str, Any]:
        return summarise_rows(rows, reference=self.reference)

    def table(self, scores: Mapping[str, Any]) -> str:
        """Mean ± sd as text: methods below each other within each region."""
        found = [m for m in METRIC_FACTS if any(m in ks for rs in scores.values() for ks in rs.values())]
        metrics = found if self.log_metrics is None else self.log_metrics
        header = ["region", "method", *(METRIC_FACTS[m].heading for m in metrics), "slices"]
        lines = []
        for region in next(iter(scores.values())):
            for method, regions in scores.items():
                cells = [METRIC_FACTS[m].mean_and_sd(regions[region].get(m)) for m in metrics]
                lines.append([region, method, *cells, str(regions[region]["mse"]["n"])])
        widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
        text = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in [header, *lines]]
        rule = "-" * len(text[0])
        return "\n".join(["scores, mean ± sd over slices", rule, text[0], rule, *text[1:], rule])

    def _gather(self) -> None:
        if world_size() == 1:
            return
        # a distributed sampler repeats slices until every rank has as many
        parts = gather((self._sources, self.rows))
        pairs = [pair for sources, rows in parts for pair in zip(sources, rows, strict=True)]
        pairs.sort(key=lambda pair: (natural_key(pair[1].file), pair[0]))
        unique = {(source, *row[_DEGRADATION:_VALUE]): (source, row) for source, row in pairs}
        self._sources = [source for source, _ in unique.values()]
        self.rows = [row for _, row in unique.values()]

    @staticmethod
    def _write_history(path: Path, epoch: int, scores: Mapping[str, Any]) -> None:
        rows: list[dict[str, Any]] = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < epoch]
        for method, regions in scores.items():
            for region, metrics in regions.items():
                for metric, value in metrics.items():
                    found = {k: "" if v is None else v for k, v in value.items() if k in _HISTORY}
                    rows.append({"epoch": epoch, "method": method, "region": region, "metric": metric, **found})
        _write_csv(path, _HISTORY, rows)


def _text(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def _write_csv(path: Path, fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows(rows)

    write_atomically(path, write)
