# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Read a state dict from a local file, with errors that say what is wrong with the file."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

__all__ = ["read_state_dict"]


def read_state_dict(path: str | Path, *, hint: str) -> dict[str, Tensor]:
    """Read a plain state dict onto the CPU; nothing but tensors is ever unpickled.

    Args:
        path: file written by ``torch.save(network.state_dict(), path)``.
        hint: what the reader of an error can do, the last sentence of each message.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no state dict: damaged, a pickled network, or a dictionary of something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"weights: there is no file {path}. {hint}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError) as error:
        raise ValueError(
            f"weights: {path} ({path.stat().st_size} bytes) is damaged or holds more than tensors "
            f"({type(error).__name__}). {hint}"
        ) from error
    if not isinstance(state, Mapping) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        kind = (
            f"a dictionary of keys {sorted(map(str, state))[:4]}"
            if isinstance(state, Mapping)
            else type(state).__name__
        )
        raise ValueError(f"weights: {path} must hold a state dict (names to tensors), got {kind}. {hint}")
    return dict(state)
