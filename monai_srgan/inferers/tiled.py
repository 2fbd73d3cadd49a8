# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Super-resolution of slices and volumes of any size, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type
from torch import nn
from torch.nn.modules.instancenorm import _InstanceNorm
from tqdm import tqdm

from monai_srgan.errors import about
from monai_srgan.inferers.accelerated import PRECISIONS, AcceleratedNetwork, Precision, accelerate
from monai_srgan.precision import plain

__all__ = ["TiledSRInferer"]


@dataclass(frozen=True)
class _Span:
    """A tile along one axis in LR pixels: without context, and with it."""

    begin: int
    end: int
    left: int
    right: int

    def in_tile(self, scale: int) -> slice:
        """The span without context, in SR pixels of the tile with context."""
        return slice(scale * (self.begin - self.left), scale * (self.end - self.left))

    def in_image(self, scale: int) -> slice:
        """The span without context, in SR pixels of the image."""
        return slice(scale * self.begin, scale * self.end)


@dataclass(frozen=True, eq=False)
class _AcceleratedCopy:
    """A network, its weights when it was copied, and the copy."""

    network: nn.Module
    state: list[torch.Tensor]
    accelerated: AcceleratedNetwork

    def is_current(self, network: nn.Module, state: list[torch.Tensor]) -> bool:
        """Whether the copy is of this network with these weights."""
        return self.network is network and _same(self.state, state)


class TiledSRInferer(Inferer):
    """Enlarge every slice of an image in plane with an accelerated copy of the network, in tiles if it is large.

    The network sees each tile with ``context`` LR pixels of the image on each side, and only the tile itself is kept.
    If the context is at least the network's receptive radius (39.5 LR pixels for the paper's generator), no value
    depends on the tiling: there are no seams, and nothing is blended. At the border of the image the network pads as
    usual. A network with instance norm depends on the whole image and raises an error if the image needs tiles. In
    contrast, MONAI's ``sliding_window_inference`` averages overlapping windows, each of which is wrong near its edge.

    Args:
        tile: longest side of a tile in LR pixels, without context; None disables tiling.
        context: LR pixels around a tile, at least the network's receptive radius for exact results.
        batch_size: number of slices of a volume enlarged together.
        precision: "fp32", "bf16" or "fp16", see :func:`~monai_srgan.inferers.accelerate`; None runs the network itself,
            and is required for callables that are not modules.
        compile: run the accelerated copy through ``torch.compile``.
        device: device of the result, such as "cpu" for volumes larger than a GPU's memory; None takes that of the
            input.
        progress: show a progress bar over tiles or slices on a terminal if they take longer than two seconds.

    Raises:
        ValueError: an argument is out of range; the message names it.
    """

    def __init__(
        self,
        *,
        tile: int | None = 512,
        context: int = 40,
        batch_size: int = 1,
        precision: Precision | None = "fp32",
        compile: bool = False,
        device: torch.device | str | None = None,
        progress: bool = True,
    ) -> None:
        super().__init__()
        if tile is not None and (not isinstance(tile, int) or tile < 1):
            raise ValueError(f"tile must be at least 1 LR pixel, or None for no tiling, got {tile!r}")
        if not isinstance(context, int) or context < 0:
            raise ValueError(f"context must be a number of LR pixels >= 0, got {context!r}")
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be at least 1 slice, got {batch_size!r}")
        if precision is not None and precision not in PRECISIONS:
            message = f"precision must be one of {', '.join(PRECISIONS)} or None, got {precision!r}"
            raise about(ValueError(message), "precision")
        if compile and precision is None:
            raise ValueError("compile=True needs a precision, got precision=None: compile the network yourself")
        self.tile = tile
        self.context = context
        self.batch_size = batch_size
        self.precision: Precision | None = precision
        self.compile = compile
        self.device = None if device is None else torch.device(device)
        self.progress = progress
        self._copied: _AcceleratedCopy | None = None

    def __call__(
        self,
        inputs: torch.Tensor,
        network: Callable[..., torch.Tensor],
        *args: Any,
        condition: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Enlarge a batch of slices or volumes.

        Args:
            inputs: ``(B, C, X, Y)``, or ``(B, C, X, Y, D)`` with slices along D.
            network: enlarges ``(b, C, x, y)`` by the same integer s along both axes, for any x and y.
            condition: ``(B, n)`` or ``(1, n)``, passed to the network as `condition`, the same for all slices of a
                volume; None to leave it out.
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``(B, C', s * X, s * Y[, D])`` float32, with the metadata of ``inputs`` if it is a MetaTensor.

        Raises:
            ValueError: ``inputs`` has another number of dimensions or no pixels, the network does not enlarge both axes
                by the same integer, or it has instance norm and the image is larger than a tile.
            TypeError: the network is not a module and ``precision`` is not None.
        """
        if inputs.ndim not in (4, 5):
            raise ValueError(f"inputs must have shape (B, C, X, Y) or (B, C, X, Y, D), got {tuple(inputs.shape)}")
        if inputs.numel() == 0:
            raise ValueError(f"inputs must have pixels, got shape {tuple(inputs.shape)}")
        images = plain(inputs)
        volumes = images if images.ndim == 5 else images.unsqueeze(-1)
        # slices of all volumes, (B * D, C, X, Y)
        slices = volumes.movedim(-1, 1).flatten(0, 1)
        if self.tile is not None and max(slices.shape[2:]) > self.tile and _has_instance_norm(network):
            raise ValueError(
                f"tile must be None for a network with instance norm, whose statistics would be those of a tile, got "
                f"{self.tile} for an image of {tuple(slices.shape[2:])} LR pixels"
            )
        conditions = None if condition is None else _per_slice(condition, len(slices), volumes.shape[-1])
        enlarged = self._enlarge(slices, self._ready(network), conditions, *args, **kwargs)
        result = enlarged.unflatten(0, (volumes.shape[0], volumes.shape[-1])).movedim(1, -1)
        result = result.squeeze(-1) if images.ndim == 4 else result
        if isinstance(inputs, MetaTensor):
            return convert_to_dst_type(result, inputs, device=result.device, dtype=result.dtype)[0]
        return result

    def _enlarge(
        self,
        slices: torch.Tensor,
        network: Callable[..., torch.Tensor],
        conditions: torch.Tensor | None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """``(N, C, X, Y)`` with conditions ``(N, n)`` to ``(N, C', s * X, s * Y)``."""
        spans = [list(self._spans(size)) for size in slices.shape[2:]]
        pieces = [(n, x, y) for n in range(0, len(slices), self.batch_size) for x in spans[0] for y in spans[1]]
        result: torch.Tensor | None = None
        desc = "tiles" if len(spans[0]) * len(spans[1]) > 1 else "slices"
        hidden = None if self.progress and len(pieces) > 1 else True  # None hides the bar without a terminal
        for n, x, y in tqdm(pieces, desc=desc, delay=2.0, leave=False, disable=hidden):
            piece = slices[n : n + self.batch_size, :, x.left : x.right, y.left : y.right]
            told = {} if conditions is None else {"condition": conditions[n : n + self.batch_size]}
            with torch.no_grad():
                sr = network(piece, *args, **told, **kwargs)
            scale = sr.shape[-1] // piece.shape[-1]
            if scale < 1 or sr.shape[-2:] != (scale * piece.shape[-2], scale * piece.shape[-1]):
                raise ValueError(
                    f"network must enlarge both axes by the same integer, got {tuple(sr.shape)} for LR images of shape "
                    f"{tuple(piece.shape)}"
                )
            sr = sr[:, :, x.in_tile(scale), y.in_tile(scale)].float()
            if len(pieces) == 1:
                return sr.to(self.device or sr.device)
            if result is None:
                shape = (len(slices), sr.shape[1], *(scale * size for size in slices.shape[2:]))
                result = torch.empty(shape, dtype=torch.float32, device=self.device or slices.device)
            result[n : n + self.batch_size, :, x.in_image(scale), y.in_image(scale)] = sr
        return result

    def _spans(self, size: int) -> Iterator[_Span]:
        """Tiles of nearly equal lengths along an axis."""
        count = 1 if self.tile is None else -(-size // self.tile)
        for i in range(count):
            begin, end = size * i // count, size * (i + 1) // count
            yield _Span(begin, end, left=max(0, begin - self.context), right=min(size, end + self.context))

    def _ready(self, network: Any) -> Callable[..., torch.Tensor]:
        """The accelerated copy of a network, renewed when the weights have changed."""
        if self.precision is None or isinstance(network, AcceleratedNetwork):
            return network
        if not isinstance(network, nn.Module):
            raise TypeError(
                f"network must be a torch.nn.Module to be accelerated, got {type(network).__name__}: set precision=None"
            )
        # Compare values: fused optimizers and writes to .data do not change version counters.
        state = [tensor.detach() for tensor in (*network.parameters(), *network.buffers())]
        copied = self._copied  # a single read and write, so that threads can share an inferer
        if copied is None or not copied.is_current(network, state):
            copied = _AcceleratedCopy(
                network,
                [tensor.clone() for tensor in state],
                accelerate(network, precision=self.precision, compile=self.compile),
            )
            self._copied = copied
        return copied.accelerated


def _per_slice(condition: torch.Tensor, slices: int, depth: int) -> torch.Tensor:
    """Conditions ``(N, n)`` of all slices from those of their volumes."""
    rows = condition.expand(slices, -1) if len(condition) == 1 else condition.repeat_interleave(depth, dim=0)
    if len(rows) != slices:
        raise ValueError(f"condition must have 1 row or one per image, {slices // depth}, got {tuple(condition.shape)}")
    return rows


def _has_instance_norm(network: Any) -> bool:
    return isinstance(network, nn.Module) and any(isinstance(m, _InstanceNorm) for m in network.modules())


def _same(before: list[torch.Tensor], now: list[torch.Tensor]) -> bool:
    return len(before) == len(now) and all(
        a.dtype == b.dtype and a.device == b.device and torch.equal(a, b) for a, b in zip(before, now, strict=True)
    )
