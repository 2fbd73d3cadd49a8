# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The trainer's part of a checkpoint: position, random state and settings."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from ignite.engine import Events

from monai_srgan import _renamed
from monai_srgan.physics import same_measurement
from monai_srgan.processes import is_main_process, rank, world_size
from monai_srgan.settings import differences

__all__ = ["TrainerState"]

logger = logging.getLogger(__name__)


class TrainerState:
    """Position, random state, gradient scalers and settings of a trainer, as a state dict.

    Put it into the ``save_dict`` of MONAI's ``CheckpointSaver`` and the ``load_dict`` of ``CheckpointLoader``, under a
    name such as "trainer", beside networks, optimizers and the EMA model. (The trainer itself cannot be there: its
    handlers are built before it.)

    In a job of many processes rank 0 writes the checkpoint, without the random states of the other processes. Instead,
    torch's generators are seeded at the start of every iteration with (seed of the run, number of processes, rank,
    iteration): each process has random numbers of its own, and a resumed run repeats them. A run may resume with
    another number of processes; a warning says so.

    Args:
        settings: settings that a resumed run must share with the run that wrote the checkpoint, such as seed, fold,
            degradation and training patients. Plain values that load with ``weights_only``, compared as a whole; with
            other settings the data would change, and patients could move between sections unnoticed.
        adjustable: names in `settings` that a resumed run may change, such as "learning_rate"; changes are logged.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None, adjustable: Collection[str] = ()) -> None:
        self.settings = dict(settings or {})
        self.adjustable = frozenset(adjustable)
        self._engine: Any = None

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        self._engine = engine
        if world_size() > 1:
            self._seed = torch.initial_seed()  # the seed of the run, before it is mixed with the rank
            engine.add_event_handler(Events.ITERATION_STARTED, self.seed_process)

    def seed_process(self, engine: Any) -> None:
        """Seed torch's generators for the current iteration of this process."""
        entropy = (self._seed, world_size(), rank(), engine.state.iteration)
        torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))

    def _require_engine(self) -> Any:
        if self._engine is None:
            raise RuntimeError("TrainerState is not attached: put it among the trainer's handlers")
        return self._engine

    def _scalers(self) -> dict[str, Any]:
        state = self._require_engine().state
        found = {name: getattr(state, name, None) for name in ("g_scaler", "d_scaler")}
        return {name: scaler for name, scaler in found.items() if scaler is not None}

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors, loadable with ``weights_only``."""
        engine = self._require_engine()
        on_gpu = engine.state.device.type == "cuda"
        return {
            "iteration": engine.state.iteration,
            "epoch_length": engine.state.epoch_length,
            "settings": self.settings,
            "best_metric": float(engine.state.best_metric),
            "best_metric_epoch": engine.state.best_metric_epoch,
            "random_state": torch.get_rng_state(),
            # of this process's GPU alone: reading the others' would allocate memory on each
            "cuda_random_state": torch.cuda.get_rng_state(engine.state.device) if on_gpu else None,
            "world_size": world_size(),
            **{name: scaler.state_dict() for name, scaler in self._scalers().items()},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a trainer's position, random state and scalers.

        Raises:
            ValueError: when the checkpoint was written with another epoch length or other settings.
        """
        engine = self._require_engine()
        self._check_settings(
            {**state_dict["settings"], "epoch_length": state_dict["epoch_length"]},
            {**self.settings, "epoch_length": engine.state.epoch_length},
        )
        then_processes = state_dict.get("world_size", 1)
        if then_processes != world_size() and is_main_process():
            logger.warning(
                "the checkpoint was written by %d process(es), now there are %d: batch size, rates and schedules stay "
                "the same, but the batches differ from those of an uninterrupted run, and so will the weights",
                then_processes,
                world_size(),
            )
        engine.state.iteration = state_dict["iteration"]
        engine.state.epoch = state_dict["iteration"] // state_dict["epoch_length"]
        engine.state.best_metric = state_dict["best_metric"]
        engine.state.best_metric_epoch = state_dict["best_metric_epoch"]
        torch.set_rng_state(state_dict["random_state"].cpu())
        if engine.state.device.type == "cuda" and state_dict.get("cuda_random_state") is not None:
            torch.cuda.set_rng_state(state_dict["cuda_random_state"].cpu(), engine.state.device)
        for name, scaler in self._scalers().items():
            if name in state_dict:
                scaler.load_state_dict(state_dict[name])

    def _check_settings(self, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Raise ValueError for changed settings, and log changes of adjustable ones."""
        refused: list[str] = []
        adjusted: list[str] = []
        # dictionaries of a measurement can differ and mean the same
        same = [name for name in then.keys() & now.keys() if same_measurement(then[name], now[name])]
        then, now = ({k: v for k, v in settings.items() if k not in same} for settings in (then, now))
        for changed in differences(then, now):
            group = adjusted if changed.name.split(".")[0] in self.adjustable else refused
            group.append(f"{changed.name} {changed.first}, now {changed.second}")
        if refused:
            raise ValueError(
                f"the checkpoint was written by a run with other settings: {'; '.join(refused)}. "
                "Resume with the same data set and the same settings"
            )
        if adjusted and is_main_process():
            logger.warning("resuming with other settings: %s", "; ".join(adjusted))


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
