# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Loading of a checkpoint to resume a run, with the hyperparameters that the run is given now."""

from __future__ import annotations

import logging
from typing import Any

from monai.handlers import CheckpointLoader
from torch.optim import Optimizer

from monai_srgan.processes import is_main_process
from monai_srgan.settings import differences

__all__ = ["ResumeLoader"]

logger = logging.getLogger(__name__)

_SCHEDULED = ("params", "lr", "initial_lr")


class ResumeLoader(CheckpointLoader):
    """MONAI's ``CheckpointLoader`` that keeps an optimizer's own hyperparameters and logs those that have changed.

    The state of an optimizer holds its betas, momentum and weight decay; loading it would replace the values that the
    resumed run was given, without a word. The learning rate is left to its schedule.

    Arguments are those of MONAI's ``CheckpointLoader``.
    """

    def __call__(self, engine: Any) -> None:
        """Load the checkpoint."""
        optimizers = {name: o for name, o in self.load_dict.items() if isinstance(o, Optimizer)}
        given = {name: [_hyperparameters(group) for group in o.param_groups] for name, o in optimizers.items()}
        super().__call__(engine)
        for name, optimizer in optimizers.items():
            for group, now in zip(optimizer.param_groups, given[name], strict=True):
                then = {key: value for key, value in _hyperparameters(group).items() if key in now}
                changed = [f"{d.name} {d.first}, now {d.second}" for d in differences(then, now)]
                if changed and is_main_process():
                    logger.warning("resuming with another %s: %s", name, "; ".join(changed))
                group.update(now)


def _hyperparameters(group: dict[str, Any]) -> dict[str, Any]:
    """Values of a parameter group; sequences as tuples, since a config has lists."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in group.items() if k not in _SCHEDULED}
