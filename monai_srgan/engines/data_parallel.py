# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Distributed data parallel training of SRGAN: DDP, and batch norm statistics shared between processes."""

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
    """Convert batch norm on GPUs to ``SyncBatchNorm``, whose statistics are those of the whole batch.

    torch has no such layer for the CPU: there, batch norm uses its own process's part of the batch, and
    :func:`average_batch_norm` keeps the running statistics equal. Keys and shapes of the state dict do not change.

    Args:
        network: network on its device, changed in place.

    Returns:
        The network.
    """
    if world_size() == 1 or not any(isinstance(layer, _BatchNorm) for layer in network.modules()):
        return network
    if next(network.parameters()).device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    logger.info("batch norm of %s uses each process's own part of the batch: CPU", type(network).__name__)
    return network


def data_parallel(network: nn.Module, *, channels_last: bool = False) -> nn.Module:
    """Wrap a network in DDP, which averages gradients over the processes; in a single process return it as it is.

    Save, average (EMA) and evaluate the network itself, not the wrapper, so that state dicts have no ``module.``
    prefix. Buffers are not broadcast before each forward pass, because the discriminator has two of them before one
    backward pass; :func:`average_batch_norm` keeps the buffers equal after each step.

    Args:
        network: network on its device; all processes start from the weights of rank 0.
        channels_last: convert to the channels-last memory format first, because DDP copies the layout of the weights.
    """
    if world_size() == 1:
        return network
    if channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    return DistributedDataParallel(network, broadcast_buffers=False)


def bare(network: nn.Module) -> nn.Module:
    """The network inside a DDP wrapper; any other network unchanged."""
    return network.module if isinstance(network, DistributedDataParallel) else network


def average_batch_norm(network: nn.Module) -> None:
    """Average the running statistics of batch norm over the processes, so that all have the same network.

    Networks without DDP are left alone, as are ``SyncBatchNorm`` layers, whose statistics are already the same.

    Args:
        network: network after an optimizer step.
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
