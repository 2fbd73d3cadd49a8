# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Shift-tolerant AlexNet, the backbone of ST-LPIPS (arXiv 2207.13686): features hardly change when the image shifts."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ShiftTolerantAlexNet", "blur_pool"]

_PAD = 2  # of the blur pooling and the first convolution
_BINOMIAL = (0.25, 0.5, 0.25)
_LAST_TWO = (0.5, 0.5)
_SMALLEST = 21  # smaller images give maps too small for reflection padding
# Name of each convolution in the published file.
_FILE_KEYS = {
    "conv1": "net.slice1.0",
    "conv2": "net.slice2.5",
    "conv3": "net.slice3.9",
    "conv4": "net.slice4.11",
    "conv5": "net.slice5.13",
}


def blur_pool(x: Tensor) -> Tensor:
    """Antialiased downsampling by 2: filter with [1, 2, 1] / 4 along both axes, then take every second value.

    Zhang 2019, "Making convolutional networks shift-invariant again" (https://arxiv.org/abs/1904.11486), section 3. As
    in ST-LPIPS the map is reflection-padded by 2 pixels on each side (the edge pixel is not repeated).

    Args:
        x: `(B, C, H, W)` floating point, H and W at least 3.

    Returns:
        `(B, C, (H + 1) // 2 + 1, (W + 1) // 2 + 1)`; outputs are centered on pixels -1, 1, 3, ...
    """
    for dim in (-1, -2):
        size = x.shape[dim]
        results = (size + 1) // 2 + 1
        head = x.narrow(dim, 1, _PAD).flip(dim)
        tail = x.narrow(dim, size - 1 - _PAD, _PAD).flip(dim)
        padded = torch.cat((head, x, tail), dim)
        first, second, third = (_every_second(padded, dim, start, results) for start in range(3))
        x = torch.add(first, third).add_(second, alpha=2.0).mul_(0.25)
    return x


def _every_second(x: Tensor, dim: int, start: int, count: int) -> Tensor:
    return x[..., start : start + 2 * count - 1 : 2] if dim == -1 else x[..., start : start + 2 * count - 1 : 2, :]


class ShiftTolerantAlexNet(nn.Module):
    """Features after each of AlexNet's five convolutions and its activation, with blur pooling instead of strides.

    Ghildyal & Liu, "Shift-tolerant perceptual similarity metric", ECCV 2022, section 4: the first convolution has
    stride 1 and is followed by blur pooling, then by its activation; each max pooling has stride 1 and is followed by
    blur pooling. Widths and kernel sizes are those of AlexNet.

    The weights are random until :meth:`load_published` loads those of the authors. The network is frozen and in
    ``eval()`` mode.
    """

    mean: Tensor
    std: Tensor

    channels = (64, 192, 384, 256, 256)
    """Channels of the five feature maps."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 11, padding=2)
        self.conv2 = nn.Conv2d(64, 192, 5, padding=2)
        self.conv3 = nn.Conv2d(192, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 256, 3, padding=1)
        self.conv5 = nn.Conv2d(256, 256, 3, padding=1)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Load the convolutions from a state dict in the authors' format.

        Args:
            state: state dict with the keys ``net.slice1.0.weight``, ``net.slice1.0.bias`` ... ``net.slice5.13.bias``;
                other keys are ignored.

        Raises:
            KeyError: a key is missing.
            RuntimeError: a shape is wrong.
        """
        parts = [(f"{own}.{part}", f"{key}.{part}") for own, key in _FILE_KEYS.items() for part in ("weight", "bias")]
        self.load_state_dict({own: state[key] for own, key in parts}, strict=True)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Feature maps of the five convolutions, after their activation.

        Args:
            x: `(B, 3, H, W)` float in [0, 1], or `(B, 1, H, W)` for a gray image, which is repeated to three
                channels; H and W at least 21.

        Returns:
            `(B, 64, h, w)`, `(B, 192, h', w')` and three of `(B, 384 | 256 | 256, h", w")`, with h about H / 2, H / 4
            and H / 8: 254, 127 and 64 for H = 512.

        Raises:
            ValueError: the shape is not one of these.
        """
        if x.ndim != 4 or x.shape[1] not in (1, 3) or min(x.shape[-2:]) < _SMALLEST:
            raise ValueError(
                f"x must be (B, 1, H, W) or (B, 3, H, W) with H and W at least {_SMALLEST}, got {tuple(x.shape)}"
            )
        relu1 = self._first_blurred(x).relu_()
        relu2 = self.conv2(blur_pool(_max_pool(relu1))).relu_()
        relu3 = self.conv3(blur_pool(_max_pool(relu2))).relu_()
        relu4 = self.conv4(relu3).relu_()
        return relu1, relu2, relu3, relu4, self.conv5(relu4).relu_()

    def _first_blurred(self, x: Tensor) -> Tensor:
        """``blur_pool(conv1(x))`` as one convolution with stride 2, five times faster than at full resolution.

        The output of ``conv1`` is mirrored at its borders. So the first row of the blurred map equals the second. The
        last of n rows equals the one before it if n is odd, and uses the mean of the last two rows if n is even. The
        same holds for columns.
        """
        x = F.pad((x - self.mean) / self.std, (_PAD,) * 4)
        odd = [(size - self.conv1.kernel_size[0] + 1) % 2 for size in x.shape[-2:]]
        across = (_BINOMIAL,) if odd[1] else (_BINOMIAL, _LAST_TWO)
        rows = []
        for down in (_BINOMIAL,) if odd[0] else (_BINOMIAL, _LAST_TWO):
            parts = [self._strided(x, down, weights) for weights in across]
            rows.append(torch.cat(parts, dim=-1))
        return F.pad(torch.cat(rows, dim=-2), (1, odd[1], 1, odd[0]), mode="replicate")

    def _strided(self, x: Tensor, down: tuple[float, ...], across: tuple[float, ...]) -> Tensor:
        window = torch.outer(*(torch.tensor(weights).to(self.conv1.weight) for weights in (down, across)))
        weight = self.conv1.weight.flatten(0, 1)[:, None]
        # The windows are symmetric, so correlation equals convolution, and this composes the two filters.
        weight = F.conv2d(weight, window[None, None], padding=(len(down) - 1, len(across) - 1))
        weight = weight.unflatten(0, self.conv1.weight.shape[:2])[:, :, 0]
        if down is _LAST_TWO:
            x = x[..., -weight.shape[-2] :, :]
        if across is _LAST_TWO:
            x = x[..., -weight.shape[-1] :]
        return F.conv2d(x, weight, self.conv1.bias, stride=2)


def _max_pool(x: Tensor) -> Tensor:
    """``max_pool2d(x, 3, stride=1)``, but many times faster on a CPU."""
    for dim in (-1, -2):
        size = x.shape[dim] - 2
        first, second, third = (x.narrow(dim, start, size) for start in range(3))
        x = torch.maximum(torch.maximum(first, second), third)
    return x
