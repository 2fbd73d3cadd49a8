# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a config's options, made before a run starts."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Mapping
from pathlib import Path

from monai_srgan.errors import about

__all__ = ["require_checkpoint", "require_crop_size", "require_enabled"]


def require_crop_size(size: int, scale: int) -> None:
    """Check that the side length of training crops in HR pixels is a whole number of LR pixels.

    Args:
        size: side length in HR pixels.
        scale: ratio of the two grids.

    Raises:
        ValueError: the length is not a positive multiple of the scale.
    """
    if size < 1 or size % scale:
        raise ValueError(f"patch_size must be a positive multiple of the scale {scale}, got {size}")


def require_checkpoint(path: str | Path, parts: Collection[str]) -> None:
    """Check, before anything is built or written, that a file is a checkpoint that a run can resume from.

    Args:
        path: file in ``checkpoints/`` of an earlier run.
        parts: names that the checkpoint must hold, such as "trainer" and "generator".

    Raises:
        FileNotFoundError: the file does not exist; the message lists the checkpoints in its folder.
        ValueError: the file is not a checkpoint, such as the weights of one network.
    """
    import torch  # here, so that the command's --help need not load it

    path = Path(path)
    if not path.is_file():
        found = ", ".join(sorted(p.name for p in path.parent.glob("*.pt"))) or "no checkpoint"
        raise about(FileNotFoundError(f"ckpt {path} does not exist; {path.parent} holds {found}"), "ckpt")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise about(ValueError(f"ckpt {path} cannot be read ({error})"), "ckpt") from error
    missing = sorted(set(parts) - set(content)) if isinstance(content, Mapping) else sorted(parts)
    if missing:
        raise about(
            ValueError(
                f"ckpt {path} is not a checkpoint of a training run, it lacks {', '.join(missing)} (the weights of one "
                "network, such as model.pt, are not a checkpoint): choose a file in checkpoints/"
            ),
            "ckpt",
        )


def require_enabled(switch: str, enabled: bool, **options: object) -> None:
    """Check that options that depend on a switch are set only with it; otherwise they would be ignored silently.

    Args:
        switch: name of the switch.
        enabled: its value.
        options: options that depend on it, by name; false values count as not set.

    Raises:
        ValueError: an option is set, and the switch is off.
    """
    given = [name for name, value in options.items() if value]
    if given and not enabled:
        verb = "needs" if len(given) == 1 else "need"
        raise about(ValueError(f"{' and '.join(given)} {verb} {switch}: set {switch}=True"), switch)
