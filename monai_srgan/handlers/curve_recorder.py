# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training curves as a CSV table and a figure."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from typing import Any

from ignite.engine import Events

from monai_srgan.engines.trainer import step_losses
from monai_srgan.files import writable_folder, write_atomically
from monai_srgan.processes import is_main_process
from monai_srgan.report.optional import Figure, MaxNLocator

__all__ = ["CurveRecorder"]

FIELDS = (
    "loss",
    "pixel_loss",
    "perceptual_loss",
    "adversarial_loss",
    "feature_matching_loss",
    "discriminator_loss",
    "d_real",
    "d_fake",
)


class CurveRecorder:
    """Write the losses of every iteration to ``losses.csv``, and plot them with the scores in ``curves.png``.

    Both files are rewritten atomically after each epoch and where a run is stopped. A resumed run keeps the rows before
    its first iteration. In a job of many processes the losses are means over the processes, and rank 0 writes the
    files.

    Args:
        output_dir: folder of the two files, created if missing.
        optimizer: optimizer of the generator, whose learning rate is recorded.
        metrics_csv: table of validation scores over the epochs, written by ``ScoreTable``; the PSNR on the head is
            plotted for every method in it.
    """

    def __init__(self, output_dir: str | Path, optimizer: Any = None, metrics_csv: str | Path | None = None) -> None:
        self.output_dir = Path(output_dir)
        self.optimizer = optimizer
        self.metrics_csv = Path(metrics_csv) if metrics_csv is not None else None
        self.rows: list[dict[str, float]] = []

    def attach(self, engine: Any) -> None:
        """Register with a trainer; list it after the validation handler."""
        if not is_main_process():
            return
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.record)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)
        engine.add_event_handler(Events.TERMINATE, self.write)  # within an epoch: the rows up to its checkpoint

    @property
    def losses_csv(self) -> Path:
        """Path of the table of losses."""
        return self.output_dir / "losses.csv"

    def start(self, engine: Any) -> None:
        """Create the folder, and read the rows before the first iteration of a resumed run."""
        writable_folder(self.output_dir)
        self.rows = []
        if engine.state.iteration and self.losses_csv.is_file():
            with self.losses_csv.open(newline="") as file:
                rows = [{k: float(v) for k, v in row.items() if v != ""} for row in csv.DictReader(file)]
            self.rows = [row for row in rows if row["iteration"] <= engine.state.iteration]

    def record(self, engine: Any) -> None:
        """Record the losses of one iteration."""
        row = {"iteration": float(engine.state.iteration)}
        if self.optimizer is not None:
            row["learning_rate"] = float(self.optimizer.param_groups[0]["lr"])
        row.update({name: loss for name, loss in step_losses(engine.state.output).items() if name in FIELDS})
        self.rows.append(row)

    def write(self, engine: Any) -> None:  # noqa: ARG002 - ignite passes the engine
        """Write the table and the figure."""
        write_atomically(self.losses_csv, self._write_losses)
        write_atomically(self.output_dir / "curves.png", partial(self.draw().savefig, dpi=120))

    def _write_losses(self, path: Path) -> None:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["iteration", "learning_rate", *FIELDS])
            writer.writeheader()
            for row in self.rows:
                writer.writerow({k: int(v) if k == "iteration" else f"{v:.6g}" for k, v in row.items()})

    def _series(self, name: str) -> tuple[list[float], list[float]]:
        """Iterations and values of one loss, averaged into about 200 points."""
        points = [(row["iteration"], row[name]) for row in self.rows if name in row]
        step = max(1, len(points) // 200)
        bins = [points[i : i + step] for i in range(0, len(points), step)]
        return [b[-1][0] for b in bins], [sum(v for _, v in b) / len(b) for b in bins]

    def _validation(self) -> dict[str, tuple[list[int], list[float]]]:
        """Epochs and mean PSNR on the head, by method."""
        curves: dict[str, tuple[list[int], list[float]]] = {}
        if self.metrics_csv is None or not self.metrics_csv.is_file():
            return curves
        with self.metrics_csv.open(newline="") as file:
            for row in csv.DictReader(file):
                if row["region"] == "head" and row["metric"] == "psnr" and row["mean"]:
                    epochs, means = curves.setdefault(row["method"], ([], []))
                    epochs.append(int(row["epoch"]))
                    means.append(float(row["mean"]))
        return curves

    def draw(self) -> Any:
        """Draw the curves: losses, probabilities of the discriminator, PSNR on the head."""
        figure = Figure(figsize=(12, 3.6), layout="constrained")
        losses, discriminator, scores = figure.subplots(1, 3)
        for name in (name for name in FIELDS if name.endswith("_loss")):
            x, y = self._series(name)
            if x:
                losses.plot(x, y, label=name.replace("_", " "))
        losses.set(title="Losses (unweighted)", xlabel="iteration", yscale="log")
        for name, label in (("d_real", "D(HR)"), ("d_fake", "D(SR)")):
            x, y = self._series(name)
            if x:
                discriminator.plot(x, y, label=label)
        discriminator.set(
            title="Discriminator", xlabel="iteration", ylabel="mean probability of 'real'", ylim=(-0.02, 1.02)
        )
        for method, (epochs, means) in self._validation().items():
            scores.plot(epochs, means, label=method, linestyle="--" if method == "bicubic" else "-", marker=".")
        scores.set(title="Validation patients", xlabel="epoch", ylabel="PSNR on the head / dB")
        for axes in (losses, discriminator, scores):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.3)
            if axes.lines:
                axes.legend(frameon=False)
            else:
                axes.text(0.5, 0.5, "no data yet", ha="center", va="center", transform=axes.transAxes)
        return figure
