# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The VGG features of SRGAN (arXiv 1609.04802, section 2.2.1), from a local file in torchvision's format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from monai_srgan.networks.weights import read_state_dict

__all__ = ["VGGFeatures"]

# Convolutions per block, and the file of torchvision's IMAGENET1K_V1: its name ends in 8 digits of its sha256.
_ARCHITECTURES: dict[str, tuple[tuple[int, ...], str]] = {
    "vgg16": ((2, 2, 3, 3, 3), "vgg16-397923af.pth"),
    "vgg19": ((2, 2, 4, 4, 4), "vgg19-dcbb9e9d.pth"),
}
_WIDTHS = (64, 128, 256, 512, 512)


class VGGFeatures(nn.Module):
    """phi_i,j: the j-th convolution of block i, after activation and before the block's max pooling.

    The paper's loss is the mean squared error of phi_5,4 of VGG19. It scales the features by 1/12.75, and so the loss
    by about 0.006: set ``feature_scale=1/12.75`` in :class:`~monai_srgan.losses.PerceptualFeatureLoss`, or give the
    term a weight of 0.006.

    Nothing is downloaded and torchvision is not needed: `weights` is the official file, whose sha256 is checked. The
    network ends at the deepest requested layer, and the classifier in the file is ignored. The network is frozen and
    in ``eval()`` mode.

    Args:
        arch: ``"vgg19"`` or ``"vgg16"``.
        layers: names ``"i_j"``; deviation from the paper: several layers are allowed.
        weights: torchvision-format state dict (keys ``features.N.weight`` and ``features.N.bias``).
        sha256: expected sha256 of the file, 8 to 64 hexadecimal digits (a prefix is enough); None expects the official
            file. Give the hash of your own file to use other weights, such as those of a VGG trained on radiographs.

    Raises:
        FileNotFoundError: `weights` does not exist; the message says where to get the official file and what the
            alternatives are.
        ValueError: `arch` or a layer is unknown, the hash is wrong (the message has both), or the file does not fit.
    """

    mean: Tensor
    std: Tensor
    features: nn.Sequential

    def __init__(
        self,
        arch: str = "vgg19",
        layers: Sequence[str] = ("5_4",),
        *,
        weights: str | Path | None = None,
        sha256: str | None = None,
    ) -> None:
        super().__init__()
        if arch not in _ARCHITECTURES:
            raise ValueError(f"arch must be one of {sorted(_ARCHITECTURES)}, got {arch!r}")
        counts, official = _ARCHITECTURES[arch]
        self.layer_names = tuple(f"{i + 1}_{j + 1}" for i, n in enumerate(counts) for j in range(n))
        self.default_layers = self._check(layers)
        depth = max(self.layer_names.index(name) for name in self.default_layers) + 1

        modules: list[nn.Module] = []
        self._ends: dict[str, int] = {}
        channels = 3
        for name in self.layer_names[:depth]:
            block = int(name[0]) - 1
            if name.endswith("_1") and block:
                modules.append(nn.MaxPool2d(2))
            modules += [nn.Conv2d(channels, _WIDTHS[block], 3, padding=1), nn.ReLU()]
            channels = _WIDTHS[block]
            self._ends[name] = len(modules) - 1
        # Each pooling opens the next block, as in torchvision, so that numbers and keys agree.
        self.features = nn.Sequential(*modules)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

        self._load(weights, official, sha256)
        self.requires_grad_(False).eval()

    def extract(self, x: Tensor, layers: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Feature maps of the named layers.

        Args:
            x: `(B, 1, H, W)` or `(B, 3, H, W)` float in [0, 1]; a gray image is repeated, then normalized by the mean
                and standard deviation of ImageNet. H and W must be at least 2**(i-1) for block i.
            layers: names of layers up to the deepest one that the network was built with; None takes the constructor's
                `layers`.

        Returns:
            name to `(B, width, H // 2**(i-1), W // 2**(i-1))`, in the requested order.
        """
        names = self.default_layers if layers is None else self._check(layers)
        missing = [name for name in names if name not in self._ends]
        if missing:
            raise ValueError(
                f"layers {missing} are deeper than the network, which was built for {list(self.default_layers)}"
            )
        if x.ndim != 4 or x.shape[1] not in (1, 3):
            raise ValueError(f"x must be (B, 1, H, W) or (B, 3, H, W), got {tuple(x.shape)}")
        smallest = 2 ** (max(int(name[0]) for name in names) - 1)
        if min(x.shape[-2:]) < smallest:
            raise ValueError(
                f"x must be at least {smallest} pixels wide and high for {list(names)}, got {tuple(x.shape)}"
            )
        y = (x.expand(-1, 3, -1, -1) - self.mean) / self.std
        ends = {self._ends[name]: name for name in names}
        maps: dict[str, Tensor] = {}
        for index, module in enumerate(list(self.features)[: max(ends) + 1]):
            y = module(y)
            if index in ends:
                maps[ends[index]] = y
        return {name: maps[name] for name in names}

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Feature maps of the layers that the network was built with, see :meth:`extract`."""
        return self.extract(x)

    def _check(self, layers: Sequence[str]) -> tuple[str, ...]:
        names = (layers,) if isinstance(layers, str) else tuple(layers)
        if not names or any(name not in self.layer_names for name in names):
            raise ValueError(f"layers must be names among {list(self.layer_names)}, got {list(names)}")
        return names

    def _load(self, weights: str | Path | None, official: str, sha256: str | None) -> None:
        hint = (
            f"Download torchvision's official file from https://download.pytorch.org/models/{official} and give its "
            "path as `weights`. Alternatives are monai_srgan.networks.MRIFeatures (included in the bundle, the "
            "default), monai.losses.PerceptualLoss, and any callable in monai_srgan.losses.PerceptualFeatureLoss."
        )
        if weights is None:
            raise ValueError(f"weights must be a local file, got None. {hint}")
        expected = official.rsplit("-", 1)[1].removesuffix(".pth") if sha256 is None else sha256
        state = read_state_dict(weights, hint=hint, sha256=expected)
        try:
            self.load_state_dict({k: v for k, v in state.items() if k in self.state_dict()}, strict=True)
        except RuntimeError as error:
            raise ValueError(
                f"weights={weights} is not in torchvision's format of {official}: {error}. {hint}"
            ) from error
