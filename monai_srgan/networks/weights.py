# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""State dicts from local files: read, verified, matched to a network and interpolated."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from monai_srgan.errors import about
from monai_srgan.networks.generator import SRResNet

__all__ = ["blend_state_dicts", "load_weights", "read_network_weights", "read_state_dict"]

_NETWORK_HINT = "Train the network first, or give a file with its state dict."


def read_state_dict(path: str | Path, *, hint: str, sha256: str | None = None) -> dict[str, Tensor]:
    """Read a plain state dict onto the CPU. Only tensors are unpickled.

    Args:
        path: file written by ``torch.save(network.state_dict(), path)``.
        hint: last sentence of each error message: what the caller can do about it.
        sha256: expected sha256 of the file, 8 to 64 hexadecimal digits (a prefix is enough); None skips the check.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: `sha256` is malformed or not that of the file, or the file is not a state dict: it is damaged, or
            holds a pickled network, a dictionary of something else, or sparse, complex, quantized or empty ("meta")
            tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"weights file {path} does not exist. {hint}")
    if sha256 is not None:
        _check_sha256(path, sha256, hint)
    try:
        _check_archive(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle may raise any
        raise ValueError(
            f"weights file {path} ({path.stat().st_size} bytes) is damaged or holds more than tensors "
            f"({type(error).__name__}). {hint}"
        ) from error
    if not isinstance(state, Mapping) or not state or not all(_is_entry(k, v) for k, v in state.items()):
        kind = (
            f"a dictionary with keys {sorted(map(str, state))[:4]}"
            if isinstance(state, Mapping)
            else type(state).__name__
        )
        raise ValueError(f"weights file {path} must hold a state dict (names to tensors), got {kind}. {hint}")
    for name, value in state.items():
        unusual = _unusual(value)
        if unusual is not None:
            raise ValueError(
                f"weights file {path} must hold dense tensors of real numbers, {name} is {unusual}. {hint}"
            )
    return dict(state)


def read_network_weights(
    network: nn.Module,
    path: str | Path,
    *,
    blend: float | None = None,
    blend_path: str | Path | None = None,
) -> dict[str, Tensor]:
    """Read a state dict that fits a network, from one file or interpolated between two. The network is not changed.

    Args:
        network: network that the weights are for.
        path: file with a state dict of this network.
        blend: share in [0, 1] of the weights in `path`; the rest comes from `blend_path`. None reads `path` alone.
        blend_path: file with another state dict of this network, the result at ``blend=0``.

    Raises:
        FileNotFoundError: a file does not exist.
        ValueError: a file is not a state dict or does not fit the network, `blend` is out of range, or `blend_path` is
            missing or the same file as `path`.
    """
    state = _read_fitting(network, Path(path), "ckpt_path")
    if blend is None:
        return state
    if isinstance(blend, bool) or not isinstance(blend, int | float) or not 0 <= blend <= 1:
        raise about(
            ValueError(f"blend must be a number in [0, 1], 0 for {blend_path} and 1 for {path}, got {blend!r}"), "blend"
        )
    if blend_path is None or Path(blend_path).resolve() == Path(path).resolve():
        raise about(
            ValueError(
                "blend_path must be the weights of the SRResNet from which the SRGAN was trained, another file than "
                f"path={path}, got {blend_path}"
            ),
            "srresnet_path",
        )
    return blend_state_dicts(_read_fitting(network, Path(blend_path), "srresnet_path"), state, blend)


def load_weights(network: nn.Module, path: str | Path | None) -> nn.Module:
    """Load the weights in a file into a network, and return the network.

    The weights of an unconditioned generator also fit a conditioned one, whose modulation then keeps its initial values
    and, if it is untrained, does nothing: training goes on from there.

    Args:
        network: network to load into, on any device.
        path: file with a state dict of this network; None leaves the network as it is.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is not a state dict, or does not fit the network.
    """
    if path is not None:
        film = network.film if isinstance(network, SRResNet) else None
        own = {} if film is None else {f"film.{name}": value for name, value in film.state_dict().items()}
        network.load_state_dict(_read_fitting(network, Path(path), "init_weights", own))
    return network


def blend_state_dicts(first: Mapping[str, Tensor], second: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Interpolate between the weights of two networks: ``(1 - share) * first + share * second``.

    When one network was fine-tuned from the other, both lie in one basin of the loss, and interpolation trades the
    fidelity of one for the sharpness of the other (Wang et al., ESRGAN, arXiv 1809.00219, section 3.4).

    Args:
        first: state dict, the result at ``share=0``.
        second: state dict with the same names, the result at ``share=1``.
        share: in [0, 1]. Integer tensors, such as counters, are taken from `second`.
    """
    return {
        name: torch.lerp(first[name].to(value), value, share) if value.is_floating_point() else value
        for name, value in second.items()
    }


def _check_sha256(path: Path, sha256: str, hint: str) -> None:
    expected = sha256.lower()
    if not re.fullmatch(r"[0-9a-f]{8,64}", expected):
        raise ValueError(f"sha256 must be 8 to 64 hexadecimal digits, got {sha256!r}")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    found = digest.hexdigest()
    if not found.startswith(expected):
        raise ValueError(
            f"the sha256 of weights file {path} is {found}, expected {expected}{'...' if len(expected) < 64 else ''}. "
            f"Set sha256 to use other weights. {hint}"
        )


def _check_archive(path: Path) -> None:
    """Refuse an archive with compressed members, which torch never writes: they may inflate to any size."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise zipfile.BadZipFile("compressed members")


def _is_entry(name: object, value: object) -> bool:
    return isinstance(name, str) and name.isprintable() and isinstance(value, Tensor)


def _unusual(value: Tensor) -> str | None:
    """What keeps a tensor from being weights; None if nothing does."""
    kinds = {
        "without values (on the device 'meta')": value.is_meta,
        "nested": value.is_nested,
        "sparse": value.layout != torch.strided,
        "quantized": value.is_quantized,
        "complex": value.is_complex(),
    }
    return next((name for name, found in kinds.items() if found), None)


def _read_fitting(
    network: nn.Module, path: Path, argument: str, optional: Mapping[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """Read a state dict and compare it with the network; `argument` is the option that errors are about.

    If all tensors of `optional` are missing, they are added.
    """
    try:
        state = read_state_dict(path, hint=_NETWORK_HINT)
    except (FileNotFoundError, ValueError) as error:
        about(error, argument)
        raise
    if optional and not optional.keys() & state.keys():
        state |= optional
    own = network.state_dict()
    missing = sorted(own.keys() - state.keys())
    unknown = sorted(state.keys() - own.keys())
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in sorted(own.keys() & state.keys())
        if state[name].shape != own[name].shape
    ]
    kinds = [
        f"{name} {state[name].dtype} instead of {own[name].dtype}"
        for name in sorted(own.keys() & state.keys())
        if state[name].is_floating_point() != own[name].is_floating_point()
    ]
    faults = [
        f"{len(names)} {what} (such as {names[0]})"
        for what, names in (
            ("missing", missing),
            ("unknown", unknown),
            ("of another shape", shapes),
            ("of another kind of number", kinds),
        )
        if names
    ]
    if faults:
        raise about(
            ValueError(
                f"weights file {path} does not fit the network ({type(network).__name__}): tensors "
                f"{', '.join(faults)}. Build the network with the arguments that the weights were trained with."
            ),
            "network_def",
        )
    return state
