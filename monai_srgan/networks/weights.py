# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""State dicts in local files: read, checked against a network, blended; errors say what is wrong with the file."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

__all__ = ["blend_state_dicts", "read_network_weights", "read_state_dict", "with_weights"]

_HINT = "Train first, or pass --ckpt_path FILE with a state dict of network_def."


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


def read_network_weights(
    network: nn.Module,
    path: str | Path,
    *,
    blend: float | None = None,
    blend_path: str | Path | None = None,
) -> dict[str, Tensor]:
    """Read the weights of one file, or of two blended, that fit a network; the network is left as it is.

    Args:
        network: network that the weights are for.
        path: file with a state dict of this very network.
        blend: share in [0, 1] of the weights of `path`; the rest is taken from `blend_path`. None reads `path` alone.
        blend_path: file with a state dict of the same network, the result at ``blend=0``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is no state dict or that of a network of another shape; `blend` is out of range, or the two
            files are one.
    """
    state = _fitting(network, Path(path))
    if blend is None:
        return state
    if isinstance(blend, bool) or not isinstance(blend, int | float) or not 0 <= blend <= 1:
        raise ValueError(f"blend must be a number in [0, 1], 0 for {blend_path} and 1 for {path}, got {blend!r}")
    if blend_path is None or Path(blend_path).resolve() == Path(path).resolve():
        raise ValueError(
            "blend mixes the weights of an SRGAN with those of the SRResNet that it was trained from, and beside "
            f"{path} there is none (got {blend_path}): pass --srresnet_path FILE, or the SRGAN's weights"
        )
    return blend_state_dicts(_fitting(network, Path(blend_path)), state, blend)


def with_weights(network: nn.Module, path: str | Path | None) -> nn.Module:
    """The network itself, filled with the weights of a file.

    Args:
        network: network to fill, on any device.
        path: file with a state dict of this very network; None leaves the network as it is.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no state dict, or that of a network of another shape.
    """
    if path is not None:
        network.load_state_dict(read_network_weights(network, path))
    return network


def blend_state_dicts(first: Mapping[str, Tensor], second: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Interpolate two networks' weights: ``(1 - share) * first + share * second``.

    Networks of which one was trained further from the other lie in one basin, where the interpolation trades one's
    fidelity for the other's sharpness (Wang et al., ESRGAN, arXiv 1809.00219, section 3.4).

    Args:
        first: state dict, the result at ``share=0``.
        second: state dict of the same names, the result at ``share=1``.
        share: in [0, 1]. Integer tensors, such as counters, are taken from `second`.
    """
    return {
        name: torch.lerp(first[name].to(value), value, share) if value.is_floating_point() else value
        for name, value in second.items()
    }


def _fitting(network: nn.Module, path: Path) -> dict[str, Tensor]:
    state = read_state_dict(path, hint=_HINT)
    own = network.state_dict()
    missing = sorted(own.keys() - state.keys())
    unknown = sorted(state.keys() - own.keys())
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in sorted(own.keys() & state.keys())
        if state[name].shape != own[name].shape
    ]
    faults = [
        f"{len(names)} {what} (such as {names[0]})"
        for what, names in (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        if names
    ]
    if faults:
        raise ValueError(
            f"weights: {path} does not fit network_def ({type(network).__name__}): tensors "
            f"{', '.join(faults)}. Give network_def the arguments that the weights were trained with."
        )
    return state
