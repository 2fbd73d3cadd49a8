# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Stop a run on Ctrl-C or SIGTERM at the end of a step, and say what was saved and how to go on."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from ignite.engine import Events

from monai_srgan.handlers.checkpoint_saver import AtomicCheckpointSaver
from monai_srgan.processes import is_main_process, mean_over_processes, world_size

__all__ = ["StopOnSignal"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal:
    """Finish the step that a signal interrupts, save what can be resumed, and end the process with 130 or 143.

    A signal is only noted. The trainer stops after its step, and an :class:`AtomicCheckpointSaver` among its handlers
    saves the position; within a validation, the validation is abandoned and the checkpoint of the epoch saved. An
    evaluator stops after its step. A second signal does at once what it would do without this handler.

    Attach it to the engine as its last handler, and to the evaluator that runs within it; then :meth:`run` the engine.
    In a job of many processes all stop after the same step, and validations are finished.

    Args:
        saver: the checkpoints of the run; None for a run without any.
        saved: what a stopped run has written, where there is no checkpoint.
        resume: how to go on, where there is no checkpoint.
        look: how to look at what there is.
    """

    def __init__(
        self,
        saver: AtomicCheckpointSaver | None = None,
        *,
        saved: str = "nothing",
        resume: str = "run the same command again",
        look: str = "",
    ) -> None:
        self.saver = saver
        self.saved = saved
        self.resume = resume
        self.look = look
        self.signal: signal.Signals | None = None
        self._running: Any = None

    def attach(self, engine: Any) -> None:
        """Register with a trainer or an evaluator."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._step_done)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._epoch_done)

    def run(self, engine: Any) -> None:
        """Run an engine; stop it on a signal.

        Args:
            engine: trainer or evaluator with this handler.

        Raises:
            SystemExit: after a signal, with code 130 (SIGINT) or 143 (SIGTERM).
        """
        self._running = engine
        with self._listening():
            engine.run()
        if self.signal is None:
            return
        if is_main_process():
            sys.stderr.write(self.report() + "\n")
        raise SystemExit(128 + self.signal)

    def report(self) -> str:
        """Three lines: what was saved, how to resume, how to look at it."""
        state = self._running.state
        name = self.signal.name if self.signal else "the run"
        path = self.saver.last_saved if self.saver is not None else None
        of = (state.epoch_length or 0) * (state.max_epochs or 1)
        return "\n".join(
            (
                f"stopped by {name} after step {state.iteration} of {of}; saved: {path or self.saved}",
                f"resume: {self.resume if path is None else _command(str(path))}",
                f"look: {self.look}",
            )
        )

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        self.signal = None
        if threading.current_thread() is not threading.main_thread():
            yield  # Python delivers signals to the main thread alone
            return
        owner = os.getpid()
        previous = {number: signal.getsignal(number) for number in _SIGNALS}

        def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - Python's signature
            if os.getpid() != owner:
                return  # a data loader's worker, which gets the Ctrl-C of the terminal as well: its parent ends it
            found = signal.Signals(number)
            if self.signal is not None:
                signal.signal(found, previous[found] or signal.SIG_DFL)
                signal.raise_signal(found)
                return
            self.signal = found
            # os.write: a signal may interrupt a write to the buffered stream
            os.write(2, f"\n{self.signal.name}: stopping after this step; once more stops at once\n".encode())

        for number in _SIGNALS:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def _asked(self, engine: Any) -> bool:
        """Whether to stop now; the same answer in all processes of a job."""
        if world_size() == 1:
            return self.signal is not None
        if engine is not self._running:
            return False  # shards of a validation have different lengths: no common step to stop after
        asked = mean_over_processes({"asked": float(self.signal is not None)}, engine.state.device)["asked"] > 0
        if asked and self.signal is None:
            self.signal = signal.SIGTERM
        return asked

    def _step_done(self, engine: Any) -> None:
        state = engine.state
        if state.epoch_length and state.iteration % state.epoch_length == 0:
            return  # let the epoch end with its records
        if self._asked(engine):
            engine.terminate(skip_completed=True)

    def _epoch_done(self, engine: Any) -> None:
        if engine.state.epoch < engine.state.max_epochs and self._asked(engine):
            engine.terminate(skip_completed=True)


def _command(checkpoint: str) -> str:
    """The command of this process, resuming from a checkpoint."""
    words = list(sys.orig_argv)
    if "monai.bundle" not in words:
        return f"the same settings with ckpt={checkpoint!r}"
    while "--ckpt" in words:
        at = words.index("--ckpt")
        del words[at : at + 2]
    words = [word for word in words if not word.startswith("--ckpt=")]
    return shlex.join([*words, "--ckpt", checkpoint])
