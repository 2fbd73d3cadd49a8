# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""MRI-native features: a small network trained on MRI slices to segment and classify tumors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monai_srgan.networks.weights import read_state_dict

__all__ = ["MRIFeatures"]

_HINT = (
    "The bundle includes models/features/mri_features.pt for the default arguments. Train others with "
    "`python -m monai.bundle run training --config_file bundle/configs/train_features.json`."
)


class _ConvBlock(nn.Sequential):
    """Two 3x3 convolutions, each with batch norm and SiLU; `(B, in, H, W)` to `(B, out, H, W)`."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.SiLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.SiLU(),
        )


class MRIFeatures(nn.Module):
    """U-Net with a tumor-mask head and a tumor-class head, whose encoder is a perceptual feature network.

    Levels are named ``enc1`` (full resolution), ``enc2`` (1/2), ``enc3`` (1/4), ... and are taken after activation,
    before pooling. Average pooling and SiLU keep the distance free of aliasing and of dead zones. In ``eval()`` mode
    the batch norm is frozen: the features of a pixel depend only on its neighborhood, so a 96x96 crop and a whole
    512x512 slice give the same features away from the border. Any image size works.

    The class head pools the deepest level twice, over the whole image and weighted by the predicted tumor probability
    (detached), so that it treats crops and whole slices alike.

    Args:
        in_channels: input channels, 1 for MRI.
        channels: width of each level, finest first; at least two levels.
        num_classes: tumor classes, 3 in the figshare set (meningioma, glioma, pituitary tumor).
        weights: file with a state dict to load, strictly; None starts from random weights.

    Raises:
        FileNotFoundError: `weights` does not exist.
        ValueError: `weights` is unreadable or does not fit these arguments, or an argument is out of range.
    """

    def __init__(
        self,
        in_channels: int = 1,
        channels: Sequence[int] = (16, 32, 64, 128, 128),
        num_classes: int = 3,
        *,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        if len(channels) < 2 or min(channels) < 1:
            raise ValueError(f"channels must give at least two positive widths, got {tuple(channels)}")
        widths = [in_channels, *channels]
        self.encoder = nn.ModuleList(_ConvBlock(i, o) for i, o in pairwise(widths))
        self.decoder = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(deep + skip, skip, 3, padding=1, bias=False),
                nn.BatchNorm2d(skip),
                nn.SiLU(),
            )
            for skip, deep in pairwise(channels)
        )
        self.mask_head = nn.Conv2d(channels[0], 1, 1)
        self.class_head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * channels[-1], num_classes))
        if weights is not None:
            self._load(weights)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Layer names for :meth:`extract`, finest level first."""
        return tuple(f"enc{i + 1}" for i in range(len(self.encoder)))

    @property
    def default_layers(self) -> tuple[str, ...]:
        """Levels for a perceptual loss: all but the deepest, whose cells (16 pixels) say nothing about sharpness."""
        return self.layer_names[:-1]

    def extract(self, x: Tensor, layers: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Feature maps of the named levels; the network runs no deeper than the deepest of them.

        Args:
            x: `(B, in_channels, H, W)` float in [0, 1].
            layers: names among `layer_names`; None takes `default_layers`.

        Returns:
            name to `(B, channels[i], ceil(H / 2**i), ceil(W / 2**i))`, in the requested order.
        """
        names = self.default_layers if layers is None else tuple(layers)
        unknown = [name for name in names if name not in self.layer_names]
        if unknown or not names:
            raise ValueError(f"layers must be names among {list(self.layer_names)}, got {list(names)}")
        depth = max(self.layer_names.index(name) for name in names) + 1
        maps = dict(zip(self.layer_names, self._encode(x, depth), strict=False))
        return {name: maps[name] for name in names}

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Both predictions, for training.

        Args:
            x: `(B, in_channels, H, W)` float in [0, 1].

        Returns:
            ``mask``: tumor logits `(B, 1, H, W)`; ``tumor_class``: class logits `(B, num_classes)`.
        """
        maps = self._encode(x, len(self.encoder))
        deepest = y = maps[-1]
        for skip, block in zip(reversed(maps[:-1]), reversed(self.decoder), strict=True):
            y = F.interpolate(y, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            y = block(torch.cat([y, skip], dim=1))
        mask = self.mask_head(y)
        weight = F.adaptive_avg_pool2d(mask.detach().sigmoid(), (deepest.shape[-2], deepest.shape[-1]))
        tumor = (deepest * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-3)
        return {"mask": mask, "tumor_class": self.class_head(torch.cat([deepest.mean((2, 3)), tumor], dim=1))}

    def _encode(self, x: Tensor, depth: int) -> list[Tensor]:
        maps: list[Tensor] = []
        for level in range(depth):
            if level:
                # ceil_mode keeps the last row and column of odd sizes, averaged over the pixels that exist
                x = F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
            x = self.encoder[level](x)
            maps.append(x)
        return maps

    def _load(self, weights: str | Path) -> None:
        state = read_state_dict(weights, hint=_HINT)
        try:
            self.load_state_dict(state, strict=True)
        except RuntimeError as error:
            raise ValueError(
                f"weights={weights} does not fit MRIFeatures with these channels and num_classes: {error}. {_HINT}"
            ) from error
