# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks that learn from the batches of all processes of a job: DDP with what SRGAN needs of it."""

from __future__ import annotations

import logging

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from monai_srgan.processes import world_size

__all__ = ["average_batch_norm", "bare", "data_parallel", "sync_batch_norm"]

logger = logging.getLogger(__name__)


def sync_batch_norm(network: nn.Module) -> nn.Module:
    """Let batch norm on GPUs take its statistics from the batches of all processes.

    Batch norm on the CPU, where torch has no such layer, sees the part of the batch of its own process, and
    :func:`average_batch_norm` keeps the running statistics equal. Names and shapes in the state dict do not change.

    Args:
        network: network on its device, changed in place.

    Returns:
        the network.
    """
    if world_size() == 1 or not any(isinstance(layer, _BatchNorm) for layer in network.modules()):
        return network
    if next(network.parameters()).device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    logger.info("batch norm of %s sees the batch of its own process: on the CPU", type(network).__name__)
    return network


def data_parallel(network: nn.Module, *, channels_last: bool = False) -> nn.Module:
    """A network whose gradients are averaged over the processes: DDP, or the network itself in a single process.

    The wrapped network stays the one to save, to average (EMA) and to evaluate, so that state dicts hold no
    ``module.``. Buffers are not broadcast before each forward pass, of which the discriminator has two before one
    backward pass: :func:`average_batch_norm` keeps them equal after each step.

    Args:
        network: network on its device, with the same weights on all processes; those of rank 0 are taken.
        channels_last: lay its weights out in channels-last order first, since DDP copies their layout.
    """
    if world_size() == 1:
        return network
    if channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    parallel = DistributedDataParallel(network, broadcast_buffers=False)
    if next(network.parameters()).device.type == "cpu":
        # torch refuses hooks whose annotations are strings, which those of this file are: a lambda has none
        parallel.register_comm_hook(None, lambda _, bucket: _average_in_order(bucket))
    return parallel


def _average_in_order(bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """Average gradients in the order of ranks.

    In gloo's own sum of three or more terms their order depends on the place in the bucket, and DDP sorts its buckets
    anew after its first step: a resumed run would not end with the same bits.
    """
    own = bucket.buffer()
    parts = [torch.empty_like(own) for _ in range(world_size())]
    gathered = dist.all_gather(parts, own, async_op=True)

    def average(_: torch.futures.Future) -> torch.Tensor:
        total = parts[0]
        for part in parts[1:]:
            total = total.add_(part)
        return own.copy_(total.div_(len(parts)))

    return gathered.get_future().then(average)


def bare(network: nn.Module) -> nn.Module:
    """The network inside DDP; any other one as it is."""
    return network.module if isinstance(network, DistributedDataParallel) else network


def average_batch_norm(network: nn.Module) -> None:
    """Average the running statistics of batch norm over the processes, so that all hold the same network.

    Nothing is done without DDP, and for layers of ``SyncBatchNorm``, whose statistics agree already.

    Args:
        network: network after a step.
    """
    if not isinstance(network, DistributedDataParallel):
        return
    statistics = [
        buffer
        for layer in network.modules()
        if isinstance(layer, _BatchNorm) and not isinstance(layer, nn.SyncBatchNorm)
        for buffer in layer.buffers(recurse=False)
        if buffer.is_floating_point()
    ]
    if not statistics:
        return
    joint = torch.cat([buffer.flatten() for buffer in statistics])
    dist.all_reduce(joint)
    joint /= world_size()
    for buffer, mean in zip(statistics, joint.split([b.numel() for b in statistics]), strict=True):
        buffer.copy_(mean.view_as(buffer))
