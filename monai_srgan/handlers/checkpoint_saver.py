# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that are complete under their name, whatever stops the run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite.engine import Events
from ignite.handlers import DiskSaver
from monai.handlers import CheckpointSaver

from monai_srgan.files import write_tensors
from monai_srgan.networks.finite_weights import require_finite_state
from monai_srgan.processes import is_main_process

__all__ = ["AtomicCheckpointSaver"]


class _AtomicDiskSaver(DiskSaver):
    """Writes whole files with finite weights, and removes an old one only when the new one is there.

    Args:
        dirname: folder of the files.
        filename: fixed name of the file; None for the name that the caller gives.
    """

    def __init__(self, dirname: str | Path, filename: str | None = None) -> None:
        super().__init__(dirname=dirname, require_empty=False)
        self.filename = filename
        self._outdated: set[str] = set()

    def __call__(self, checkpoint: Mapping, filename: str, metadata: Mapping | None = None) -> None:  # noqa: ARG002
        filename = self.filename or filename
        require_finite_state(checkpoint, f"{self.dirname / filename}")  # on all ranks, so that all stop
        if is_main_process():
            write_tensors(self.dirname / filename, checkpoint)
            for name in self._outdated - {filename}:
                (self.dirname / name).unlink(missing_ok=True)
        self._outdated.clear()

    def remove(self, filename: str) -> None:
        """Note that the file goes once the next one is written: ignite asks for this before."""
        self._outdated.add(self.filename or filename)


class AtomicCheckpointSaver(CheckpointSaver):
    """MONAI's ``CheckpointSaver`` with files that a kill, a full disk or diverged weights cannot spoil.

    - A file is written beside its name, flushed to the disk and renamed; until then the earlier one stays. Equal
      contents give equal bytes.
    - Weights that are not finite are not saved: a FloatingPointError says so.
    - Of interval checkpoints, those that an earlier, killed run left beyond ``n_saved`` are removed with the next save.
    - A run that is stopped within an epoch (``engine.terminate()``, see
      :class:`monai_srgan.handlers.StopOnSignal`) saves ``checkpoint_iteration=N.pt``, from which it resumes. The next
      interval checkpoint replaces it.
    - An exception saves nothing: MONAI's saver would give a half-trained network the name of the final one.

    Attributes:
        last_saved: the newest file of this run; None before the first.

    Args:
        save_dir: see MONAI's ``CheckpointSaver``, as all other arguments.
        save_dict: see MONAI's ``CheckpointSaver``.
        kwargs: see MONAI's ``CheckpointSaver``.
    """

    def __init__(self, save_dir: str | Path, save_dict: dict, **kwargs: Any) -> None:
        super().__init__(save_dir=str(save_dir), save_dict=save_dict, **kwargs)
        self.n_saved: int | None = kwargs.get("n_saved")
        self.last_saved: Path | None = None
        for checkpoint in (self._final_checkpoint, self._key_metric_checkpoint, self._interval_checkpoint):
            if checkpoint is not None:
                inner = checkpoint.save_handler
                checkpoint.save_handler = _AtomicDiskSaver(inner.dirname, inner.filename)

    def attach(self, engine: Any) -> None:
        """Register with a trainer or an evaluator."""
        super().attach(engine)
        if self._interval_checkpoint is not None:
            engine.add_event_handler(Events.TERMINATE, self.stopped)

    def interval_completed(self, engine: Any) -> None:
        """Save the checkpoint of the interval, and remove those that are outdated."""
        super().interval_completed(engine)
        name = "epoch" if self.epoch_level else "iteration"
        position = engine.state.epoch if self.epoch_level else engine.state.iteration
        self.last_saved = self._path(name, position)
        if not is_main_process():
            return
        if self.n_saved is not None:
            earlier = sorted(number for number in self._numbers(name) if number <= position)
            self._remove(name, earlier[: -self.n_saved])
        if self.epoch_level:  # of a stopped run, which is past that iteration now
            passed = [number for number in self._numbers("iteration") if number <= engine.state.iteration]
            self._remove("iteration", passed)

    def stopped(self, engine: Any) -> None:
        """Save the position of a run that was stopped within an epoch."""
        state = engine.state
        if not state.iteration or (state.epoch_length and state.iteration % state.epoch_length == 0):
            return  # the end of an epoch has its own checkpoint
        path = self._path("iteration", state.iteration)
        content = self._interval_checkpoint._setup_checkpoint()
        if len(content) == 1:  # as ignite: a single object is saved without its name
            content = next(iter(content.values()))
        self._interval_checkpoint.save_handler(content, path.name)
        self.last_saved = path

    def exception_raised(self, engine: Any, e: Exception) -> None:  # noqa: ARG002 - MONAI's signature
        """Save nothing, and let the exception pass: ignite would swallow it."""
        raise e

    def _prefix(self) -> str:
        prefix = self._interval_checkpoint.filename_prefix
        # ignite's rule: the name of the single object, or "checkpoint"
        name = next(iter(self.save_dict)) if len(self.save_dict) == 1 else "checkpoint"
        return f"{prefix}_{name}" if prefix else name

    def _path(self, name: str, number: int) -> Path:
        return Path(self.save_dir) / f"{self._prefix()}_{name}={number}.pt"

    def _numbers(self, name: str) -> list[int]:
        pattern = re.compile(rf"{re.escape(self._prefix())}_{name}=(\d+)\.pt")
        return [int(m[1]) for path in Path(self.save_dir).iterdir() if (m := pattern.fullmatch(path.name))]

    def _remove(self, name: str, numbers: list[int]) -> None:
        for number in numbers:
            self._path(name, number).unlink(missing_ok=True)
