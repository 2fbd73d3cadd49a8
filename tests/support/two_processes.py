# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What test_multi_gpu.py runs in processes that torchrun starts: ``two_processes.py FOLDER PHANTOMS CHECKPOINT``.

Each process writes what it found to ``FOLDER/rank{rank}.pt``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from ignite.engine import Engine
from monai.bundle import ConfigWorkflow
from monai.utils import AdversarialIterationEvents
from torch import nn

from monai_srgan.engines import SRGANTrainer, step_losses
from monai_srgan.engines.data_parallel import bare, data_parallel
from monai_srgan.handlers import IterationStateScheduler, MaskedMetricHandler, Ramp, TrainerState
from monai_srgan.metrics import MaskedPSNRMetric
from monai_srgan.networks import SRGANDiscriminator, SRResNet
from monai_srgan.processes import (
    end_processes,
    gather,
    in_turn,
    on_all_processes,
    rank,
    require_same_on_all,
    start_processes,
    world_size,
)

CONFIGS = Path(__file__).parents[2] / "bundle" / "configs"
SMALL: dict[str, Any] = {
    "bundle_root": str(CONFIGS.parent),
    "epoch_length": 3,
    "pretrain_epochs": 2,
    "adversarial_epochs": 1,
    "val_interval": 3,
    "batch_size": 4,
    "patch_size": 32,
    "amp": False,
    "network_def#num_blocks": 1,
    "network_def#channels": 4,
    "network_def#norm": "batch",
    "discriminator_def#channels": [4, 4, 4, 8, 8],
    "discriminator_def#dense": 8,
}


def workflow(data: Path, out: Path, configs: tuple[str, ...], **overrides: Any) -> ConfigWorkflow:
    """The bundle's configs with networks, crops and epochs small enough for a test."""
    files = [str(CONFIGS / name) for name in configs]
    return ConfigWorkflow(
        config_file=files,
        workflow_type="train",
        logging_file=False,
        **{"dataset_dir": str(data), "output_dir": str(out), **SMALL, **overrides},
    )


def message(call: Callable[[], Any]) -> str:
    """The messages of the exception that a call raises, with its causes."""
    try:
        call()
    except Exception as error:
        texts, current = [], error
        while current is not None:
            texts.append(f"{type(current).__name__}: {current}")
            current = current.__cause__
        return "\n".join(texts)
    return ""


def blur_distance(sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
    return nn.functional.mse_loss(nn.functional.avg_pool2d(sr, 4), nn.functional.avg_pool2d(hr, 4))


def joint_batches(number: int, size: int = 4) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(5)
    return [
        {
            "image": torch.rand(size, 1, 8, 8, generator=generator),
            "label": torch.rand(size, 1, 32, 32, generator=generator),
        }
        for _ in range(number)
    ]


def small_trainer(batches: list[dict[str, torch.Tensor]], **kwargs: Any) -> SRGANTrainer:
    """A trainer without batch norm on this process's part of joint batches."""
    torch.manual_seed(0)
    g = SRResNet(num_blocks=1, channels=4, norm=None)
    d = SRGANDiscriminator(channels=(4, 4, 4, 8, 8), norm=None, dense=8)
    share = len(batches[0]["image"]) // world_size()
    own = slice(rank() * share, (rank() + 1) * share)
    arguments: dict[str, Any] = {"perceptual_loss": blur_distance, "adversarial_weight": 0.25, **kwargs}
    return SRGANTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=[{k: v[own] for k, v in batch.items()} for batch in batches],
        g_network=data_parallel(g),
        g_optimizer=torch.optim.SGD(g.parameters(), lr=0.1),
        d_network=data_parallel(d),
        d_optimizer=torch.optim.SGD(d.parameters(), lr=0.1),
        pixel_loss=nn.L1Loss(),
        **arguments,
    )


def plain_losses(trainer: SRGANTrainer) -> dict[str, float]:
    return {str(name): value for name, value in step_losses(trainer.state.output).items()}


def gradients_of_both_phases() -> dict[str, Any]:
    """Gradients and losses of one step of the SRResNet phase and two of the adversarial phase."""
    handlers = [
        IterationStateScheduler(Ramp(start=1, weight=0.25), "adversarial_weight"),
        IterationStateScheduler(Ramp(start=1, weight=3.0), "perceptual_weight"),
    ]
    trainer = small_trainer(joint_batches(3), train_handlers=handlers)
    found: dict[str, Any] = {"generator": [], "discriminator": [], "losses": []}
    events = AdversarialIterationEvents

    def keep(name: str, network: nn.Module) -> None:
        found[name].append(torch.cat([p.grad.flatten().clone() for p in network.parameters()]))

    trainer.add_event_handler(events.GENERATOR_BACKWARD_COMPLETED, lambda: keep("generator", trainer.state.g_network))
    trainer.add_event_handler(
        events.DISCRIMINATOR_BACKWARD_COMPLETED, lambda: keep("discriminator", trainer.state.d_network)
    )
    trainer.add_event_handler(
        events.GENERATOR_MODEL_COMPLETED,
        lambda: found["losses"].append(plain_losses(trainer)),
    )
    trainer.run()
    found["last_losses"] = plain_losses(trainer)
    return found


def update_of_a_discriminator_near_its_floor() -> dict[str, Any]:
    """Whether the discriminator is updated where the floor lies between the losses of the processes."""
    batch = joint_batches(1)[0]
    batch["label"][:2] = 100.0  # two very different halves
    free = small_trainer([batch])
    local: list[float] = []
    loss_of = free.state.d_loss_function
    free.state.d_loss_function = lambda *logits: local.append(loss_of(*logits)) or local[-1]
    free.run()
    mean = sum(gather(float(local[0]))) / world_size()
    moved = []
    for floor in (mean - 1e-4, mean + 1e-4):
        trainer = small_trainer([batch], d_loss_floor=floor)
        before = [p.detach().clone() for p in trainer.state.d_network.parameters()]
        trainer.run()
        after = list(trainer.state.d_network.parameters())
        moved.append(any(not torch.equal(a, b) for a, b in zip(before, after, strict=True)))
    return {"local": float(local[0]), "moved": moved}


def error_of_a_broken_batch() -> str:
    batch = joint_batches(1)[0]
    batch["label"][-1, 0, 0, 0] = torch.nan  # in the last process's part
    return message(small_trainer([batch]).run)


def random_draws() -> list[list[float]]:
    """What a network with random parts would draw in iterations 1 to 3, and in 3 after a resumption."""
    torch.manual_seed(7)
    draws = []
    for start in (0, 2):
        torch.manual_seed(7)
        torch.rand(start)  # as many draws as it may be
        engine = Engine(lambda _engine, _batch: torch.rand(1).item())
        TrainerState().attach(engine)
        seen: list[float] = []
        engine.add_event_handler("ITERATION_COMPLETED", lambda e, seen=seen: seen.append(e.state.output))
        engine.load_state_dict({"iteration": start, "epoch_length": 3, "max_epochs": 1})
        engine.run(range(3), max_epochs=1)
        draws.append(seen)
    return draws


def gathered_psnr() -> float:
    """A MONAI metric on two slices in the first process and one in each other."""
    slices = joint_batches(1)[0]["label"]
    own = slices[:2] if rank() == 0 else slices[rank() + 1 : rank() + 2]
    engine = Engine(lambda _engine, hr: {"pred": 0.5 * hr[None], "label": hr[None]})
    MaskedMetricHandler(MaskedPSNRMetric(), mask_key=None).attach(engine, "psnr")
    engine.state.metric_details = {}
    return float(engine.run(list(own), max_epochs=1).metrics["psnr"])


def agreement(folder: Path) -> dict[str, Any]:
    def take_turn() -> int:
        log = folder / "turns.txt"
        before = log.read_text() if log.exists() else ""
        time.sleep(0.1 * (world_size() - rank()))
        log.write_text(f"{before}{rank()}")
        return rank()

    def fail_on_the_last() -> None:
        if rank() == world_size() - 1:
            raise FileNotFoundError("no slices here")

    items = [{"image": f"/mount{rank()}/{i}.mat", "patient": f"P{i}"} for i in range(3)]
    return {
        "turn": in_turn(take_turn),
        "turns": on_all_processes((folder / "turns.txt").read_text),
        "failed": message(lambda: on_all_processes(fail_on_the_last)),
        "same": message(lambda: require_same_on_all(training=items, seed=0)),
        "different": message(lambda: require_same_on_all(training=items[: 3 - rank()], seed=0)),
    }


def run_bundle(data: Path, out: Path, max_epochs: int | None = None, **overrides: Any) -> dict[str, Any]:
    flow = workflow(data, out, ("train.json", "multi_gpu_train.json"), **overrides)
    flow.initialize()
    networks = {name: flow.parser.get_parsed_content(name) for name in ("network", "discriminator", "ema_network")}
    if max_epochs is not None:
        flow.trainer.state.max_epochs = max_epochs
    flow.run()
    flow.finalize()
    return {
        "iteration": flow.trainer.state.iteration,
        "training": [item["image"] for item in flow.train_dataset.data],
        "cached": len(flow.train_dataset._cache),
        "validation": [item["image"] for item in flow.val_dataset.data],
        "metrics": dict(flow.evaluator.state.metrics),
        "weights": {name: {k: v.clone() for k, v in n.state_dict().items()} for name, n in networks.items()},
        "wrapped": bare(flow.trainer.state.g_network) is not flow.trainer.state.g_network,
    }


def main(folder: Path, data: Path, checkpoint: Path) -> None:
    dist.init_process_group("gloo", timeout=timedelta(seconds=60))
    start_processes("cpu")
    stopped = folder / "stopped"
    found: dict[str, Any] = {
        "agreement": agreement(folder),
        "gradients": gradients_of_both_phases(),
        "floor": update_of_a_discriminator_near_its_floor(),
        "broken": error_of_a_broken_batch(),
        "draws": random_draws(),
        "psnr": gathered_psnr(),
        "uneven": message(lambda: run_bundle(data, folder / "uneven", batch_size=3)),
        "stopped": run_bundle(data, stopped, max_epochs=2),
        "resumed": run_bundle(data, stopped, ckpt=str(stopped / "checkpoints" / "checkpoint_epoch=2.pt")),
        "from_single": run_bundle(data, folder / "from_single", ckpt=str(checkpoint)),
    }
    torch.save(found, folder / f"rank{rank()}.pt")
    end_processes()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
