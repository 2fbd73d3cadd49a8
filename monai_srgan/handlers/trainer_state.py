# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint needs of the trainer beside networks and optimisers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from ignite.engine import Events

from monai_srgan.physics import Measurement, same_measurement
from monai_srgan.processes import is_main_process, rank, world_size

__all__ = ["TrainerState"]

logger = logging.getLogger(__name__)


class TrainerState:
    """Position, random state and gradient scalers of the trainer it is attached to, as a state dict.

    Put it into the ``save_dict`` of MONAI's ``CheckpointSaver`` and the ``load_dict`` of ``CheckpointLoader``, under a
    name such as "trainer", beside networks, optimisers, schedulers and the EMA model. (The trainer itself cannot stand
    there: its handlers are built before it.)

    In a job of many processes the checkpoint is that of rank 0, and no random state of the others is stored: torch's
    generators are seeded anew at the start of every iteration, by (seed of the run, number of processes, rank,
    iteration), so that they differ between processes and are the same in a resumed run. A checkpoint may go on with
    another number of processes, which is logged as a warning.

    Args:
        settings: what a resumed run must share with the one that wrote the checkpoint, such as seed, fold and training
            patients, in plain values: data or schedules would otherwise no longer be those of one run, and patients
            could change sections unnoticed.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self.settings = dict(settings or {})
        self._engine: Any = None

    def attach(self, engine: Any) -> None:
        """Register with a trainer."""
        self._engine = engine
        if world_size() > 1:
            self._seed = torch.initial_seed()  # that of the run, before it is mixed with the rank
            engine.add_event_handler(Events.ITERATION_STARTED, self.seed_process)

    def seed_process(self, engine: Any) -> None:
        """Seed torch's generators for one iteration of one process of many."""
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
            # of this process's own GPU: asking all of them would take memory on each
            "cuda_random_state": torch.cuda.get_rng_state(engine.state.device) if on_gpu else None,
            "world_size": world_size(),
            **{name: scaler.state_dict() for name, scaler in self._scalers().items()},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a trainer's position, random state and scalers over; another number of processes is warned of.

        Raises:
            ValueError: when the checkpoint was written with another epoch length or other settings.
        """
        engine = self._require_engine()
        now = {**self.settings, "epoch_length": engine.state.epoch_length}
        then = {**state_dict["settings"], "epoch_length": state_dict["epoch_length"]}
        changed = [
            name
            for name in sorted(now.keys() | then.keys())
            if now.get(name) != then.get(name) and not same_measurement(now.get(name), then.get(name))
        ]
        if changed:
            raise ValueError(
                "the checkpoint was written by a run with other settings: "
                + "; ".join(f"{name} {_short(then.get(name))}, now {_short(now.get(name))}" for name in changed)
                + ". Resume with the same data set and the same settings"
            )
        then_processes = state_dict.get("world_size", 1)
        if then_processes != world_size() and is_main_process():
            logger.warning(
                "the checkpoint was written by %d process(es), now there are %d: the run goes on with the same batch "
                "size, rates and schedules, but draws other batches than it would have, so it ends with other weights",
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


def _short(value: Any) -> str:
    """A value for an error message: a degradation in words, at most 60 characters of any other value."""
    try:
        return Measurement.from_dict(value).description
    except ValueError:
        text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
