# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the bundle lies, seen from the folder in which a command is given, and what it ships."""

from __future__ import annotations

from pathlib import Path

__all__ = ["VARIANTS", "find_bundle_root", "installed_bundle", "shipped_intervals", "shipped_weights"]

_WEIGHTS = {
    "srgan": "models/model.pt",
    "srresnet": "models/srresnet/srresnet.pt",
    "srresnet_jitter": "models/srresnet_jitter/srresnet_jitter.pt",
}
VARIANTS = tuple(_WEIGHTS)
"""Names of the bundle's weights, the default first."""

_INTERVALS = {"srgan": "models/trust/srgan", "srresnet": "models/trust/srresnet"}  # intervals hold for one degradation


def find_bundle_root() -> str:
    """The bundle's folder: the working folder, or ``bundle/`` in it.

    A config does not know its own path. Its commands are given inside the bundle (``configs/train.json``) or beside it
    (``bundle/configs/train.json``); from anywhere else MONAI's bundles take ``--bundle_root FOLDER``.

    Raises:
        FileNotFoundError: neither folder holds ``configs/metadata.json``.
    """
    for folder in (Path(), Path("bundle")):
        if _is_bundle(folder):
            return str(folder.resolve())
    raise FileNotFoundError(
        f"no bundle in {Path.cwd()} or its folder bundle/ (there is no configs/metadata.json): "
        "pass --bundle_root FOLDER with the folder of the bundle"
    )


def installed_bundle() -> Path:
    """The bundle that came with this package: inside it, or beside it in a checkout.

    Raises:
        FileNotFoundError: there is none.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "bundle", package.parent / "bundle"):
        if _is_bundle(folder):
            return folder
    raise FileNotFoundError(f"no bundle came with {package}: install the package again, or name a copy of the bundle")


def _is_bundle(folder: Path) -> bool:
    return (folder / "configs" / "metadata.json").is_file()


def shipped_weights(bundle_root: str, variant: str) -> str:
    """The file of the bundle's weights.

    Args:
        bundle_root: folder of the bundle.
        variant: "srgan" for sharpness, "srresnet" for fidelity, "srresnet_jitter" for fidelity where the degradation
            is not the default one.

    Raises:
        ValueError: `variant` is another one.
    """
    _check_variant(variant)
    return str(Path(bundle_root) / _WEIGHTS[variant])


def shipped_intervals(
    bundle_root: str, variant: str, blend: float | None = None, consistency: bool = False
) -> str | None:
    """The file of the intervals calibrated for the bundle's weights.

    Args:
        bundle_root: folder of the bundle.
        variant: see :func:`shipped_weights`.
        blend: share of the variant's weights; None for the variant alone.
        consistency: whether the results are projected onto what was measured.

    Returns:
        the file; None where there is none: for a blend, and for "srresnet_jitter", which is made for many degradations.

    Raises:
        ValueError: `variant` is unknown.
    """
    _check_variant(variant)
    if blend is not None or variant not in _INTERVALS:
        return None
    return str(Path(bundle_root) / (_INTERVALS[variant] + ("_consistent.json" if consistency else ".json")))


def _check_variant(variant: str) -> None:
    if variant not in _WEIGHTS:
        raise ValueError(f"variant must be one of {', '.join(_WEIGHTS)}, got {variant!r}")
