# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The pretrained weights and calibrated intervals of the bundle."""

from __future__ import annotations

from pathlib import Path

from monai_srgan.errors import about

__all__ = ["SCALE", "VARIANTS", "calibrated_intervals", "find_srresnet", "pretrained_weights"]


_WEIGHTS = {
    "srgan": "models/model.pt",
    "srresnet": "models/srresnet/srresnet.pt",
}


VARIANTS = tuple(_WEIGHTS)
"""Names of the bundle's weights, the default first."""

_RETIRED = {
    "srresnet_jitter": "srresnet, which now estimates how an image was measured and does what srresnet_jitter did"
}
"""Names of earlier versions, and what to use instead."""

SCALE = 4
"""Enlargement of the bundle's weights."""


_INTERVALS = {"srgan": "models/trust/srgan.json", "srresnet": "models/trust/srresnet.json"}


def pretrained_weights(bundle_root: str, variant: str) -> str:
    """The file of the bundle's weights.

    Args:
        bundle_root: folder of the bundle.
        variant: "srgan" for sharpness, "srresnet" for fidelity.

    Raises:
        ValueError: `variant` is unknown.
    """
    check_variant(variant)
    return str(Path(bundle_root) / _WEIGHTS[variant])


def calibrated_intervals(
    bundle_root: str, variant: str, blend: float | None = None, consistency: bool = True
) -> str | None:
    """The file of the intervals calibrated for the bundle's weights.

    Args:
        bundle_root: folder of the bundle.
        variant: see :func:`pretrained_weights`.
        blend: share of the variant's weights; None for the variant alone.
        consistency: whether the results are projected to be consistent with the input.

    Returns:
        the file; None for a blend and for results that are not projected, for which nothing was calibrated.

    Raises:
        ValueError: `variant` is unknown.
    """
    check_variant(variant)
    return str(Path(bundle_root) / _INTERVALS[variant]) if blend is None and consistency else None


def check_variant(variant: str) -> None:
    """Raise a ValueError unless `variant` is one of :data:`VARIANTS`."""
    if variant in _RETIRED:
        raise about(ValueError(f"variant {variant!r} is retired: use {_RETIRED[variant]}"), "variant")
    if variant not in _WEIGHTS:
        raise about(ValueError(f"variant must be one of {', '.join(_WEIGHTS)}, got {variant!r}"), "variant")


def find_srresnet(path: str | Path) -> str | None:
    """The SRResNet that an SRGAN was trained from: ``srresnet.pt`` beside its file, or in ``srresnet/`` below it.

    A training run writes both files side by side, and the bundle has them in that layout. They share network and
    patients, so that they can be compared and blended.

    Args:
        path: file of the SRGAN's weights.

    Returns:
        the SRResNet's file; None if there is none, or `path` is that file.
    """
    folder = Path(path).parent
    for file in (folder / "srresnet.pt", folder / "srresnet" / "srresnet.pt"):
        if file.is_file() and file.resolve() != Path(path).resolve():
            return str(file)
    return None
