# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a config's options, made before a run starts."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Mapping
from pathlib import Path

import torch

__all__ = ["require_checkpoint", "require_crop_size", "require_with"]


def require_crop_size(size: int, scale: int, name: str = "patch_size", least: int = 1) -> None:
    """See that a number of HR pixels along the side of training crops makes whole LR pixels.

    Args:
        size: the number.
        scale: ratio of the two grids.
        name: what it is called, for the error.
        least: its least value.

    Raises:
        ValueError: when it is less, or the scale does not divide it.
    """
    if size < least or size % scale:
        raise ValueError(f"{name} must be a multiple of the scale {scale}, at least {least}, got {size}")


def require_checkpoint(path: str | Path, parts: Collection[str]) -> None:
    """See, before anything is built or written, that a file is a checkpoint from which a run can go on.

    Args:
        path: file of ``checkpoints/`` of an earlier run.
        parts: names that the checkpoint must hold, such as "trainer" and "generator".

    Raises:
        FileNotFoundError: there is no such file; the message lists the checkpoints in its folder.
        ValueError: the file is something else, such as the weights of one network.
    """
    path = Path(path)
    if not path.is_file():
        there = ", ".join(sorted(p.name for p in path.parent.glob("*.pt"))) or "no checkpoint"
        raise FileNotFoundError(f"ckpt {path} does not exist; {path.parent} holds {there}")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise ValueError(f"ckpt {path} cannot be read ({error}): take another file of checkpoints/") from error
    missing = sorted(set(parts) - set(found)) if isinstance(found, Mapping) else sorted(parts)
    if missing:
        raise ValueError(
            f"ckpt {path} is no checkpoint of a training run, it lacks {', '.join(missing)} (weights of one network, "
            "such as model.pt, are no checkpoint): give a file of checkpoints/"
        )


def require_with(switch: str, on: bool, **options: object) -> None:
    """See that nothing is asked for that only a switch gives a meaning to: it would be passed over without a word.

    Args:
        switch: name of the switch.
        on: whether it is on.
        options: options that need it, by name; what counts as false is not asked for.

    Raises:
        ValueError: one is asked for, and the switch is off.
    """
    asked = [name for name, value in options.items() if value]
    if asked and not on:
        raise ValueError(f"{' and '.join(asked)} need {switch}: pass --{switch} True, or leave them out")
