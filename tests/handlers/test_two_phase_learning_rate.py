# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
from ignite.engine import Engine, Events

from monai_srgan.handlers import TwoPhaseLearningRate


def rates(iterations: int, start: int = 0, **kwargs) -> list[float]:
    """Rates that an engine sees, begun at an iteration as after loading a checkpoint."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    seen: list[float] = []
    engine = Engine(lambda _engine, _batch: seen.append(optimizer.param_groups[0]["lr"]))
    TwoPhaseLearningRate(optimizer, **kwargs).attach(engine)
    engine.add_event_handler(Events.STARTED, lambda: setattr(engine.state, "iteration", start))
    engine.run(range(iterations), max_epochs=1)
    return seen


def test_rates_equal_the_closed_form_in_both_phases():
    seen = rates(16, pretrain_iterations=10, warmup=2, final_fraction=0.1, adversarial_lr=0.03, drop_after=3)
    cosine = [0.4 * (0.1 + 0.9 * (1 + math.cos(math.pi * j / 8)) / 2) for j in range(8)]
    assert seen == pytest.approx([0.2, 0.4, *cosine, 0.03, 0.03, 0.03, 0.003, 0.003, 0.003])


def test_the_papers_schedule_is_constant_and_then_drops_once():
    assert rates(8, pretrain_iterations=4, drop_after=2) == pytest.approx([0.4] * 6 + [0.04] * 2)


def test_a_resumed_run_sees_the_rates_of_an_uninterrupted_one():
    settings = {"pretrain_iterations": 10, "warmup": 2, "final_fraction": 0.0}
    assert rates(12, start=5, **settings) == pytest.approx(rates(12, **settings)[5:])


@pytest.mark.parametrize(
    ("arguments", "message"), [({"warmup": 11}, "warmup must be"), ({"final_fraction": 1.5}, "final_fraction must be")]
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        rates(1, pretrain_iterations=10, **arguments)
