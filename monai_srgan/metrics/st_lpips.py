# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
r"""ST-LPIPS, the shift-tolerant perceptual distance, of an image and of its regions.

Ghildyal & Liu, "Shift-tolerant perceptual similarity metric", ECCV 2022 (https://arxiv.org/abs/2207.13686). With the
features :math:`f_k` of layer k of five, divided at each position by their norm over channels, and learned
non-negative channel weights :math:`w_k`::

    d_k = sum over channels of w_k (f_k(p) - f_k(t))^2          ST-LPIPS = sum over k of mean(d_k)

The trunk is the paper's AlexNet; inputs in [0, 1] are shifted and scaled as in the authors' code. ST-LPIPS is not
LPIPS, and the values of the two must not be compared. It was fitted to people's judgment of photographs, not to
radiologists' judgment of MRI.

Regions (not in the paper): each :math:`d_k` is enlarged bilinearly to the image's size, and the region's value is the
mean over its pixels of the sum over k. This is the authors' ``spatial=True`` up to a factor near 1 for each row and
column of the small map, which gives every value the same weight as in the mean over the small map. The region of all
pixels therefore has the paper's value, and regions that partition the image add up:
``n_in * x_in + n_out * x_out = n * x_whole``. The receptive field of the deepest features extends up to 50 pixels, so a
region's value also depends on its surroundings.

The weights (BSD-2-Clause) are in the package stlpips-pytorch on PyPI. Its weight file is read; its code is never
imported.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import torch
from torch.nn import functional as F

from monai_srgan.metrics.checks import check_floating
from monai_srgan.metrics.functional import RegionValues, masked_mean
from monai_srgan.networks.shift_tolerant_alexnet import ShiftTolerantAlexNet
from monai_srgan.networks.weights import read_state_dict
from monai_srgan.precision import autocast

__all__ = ["STLPIPS", "st_lpips_is_installed"]

_PACKAGE = "stlpips_pytorch"
_FILE = Path("weights", "vST0.0", "alex_shift_tolerant.pth")
_SHA256 = "b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee"
_EPSILON = 1e-10  # added to the features' norm
_HINT = (
    'The weights are in the package stlpips-pytorch: pip install "monai-srgan[perceptual]" (it has no dependencies and '
    "none of its code is run), or give the path of its alex_shift_tolerant.pth as `weights`."
)


def st_lpips_is_installed() -> bool:
    """Whether :class:`STLPIPS` finds its weights without a path: the package stlpips-pytorch is installed."""
    return importlib.util.find_spec(_PACKAGE) is not None


class STLPIPS:
    """ST-LPIPS (AlexNet) of every region, a score for :class:`~monai_srgan.engines.SREvaluator`.

    The features of the last target are cached, so that each method compared on a batch costs one pass of the network
    (about 45 MB of memory for a 512x512 slice).

    Example::

        SREvaluator(..., scores=[STLPIPS()])

    Args:
        weights: path of the authors' ``alex_shift_tolerant.pth``; None takes it from the installed package
            stlpips-pytorch, which is not imported.
        sha256: the file's expected sha256; None expects the published file (version 0.0.2 of the package). Give
            the sha256 of your own file to use other weights.

    Raises:
        ModuleNotFoundError: `weights` is None and the package is not installed.
        FileNotFoundError: there is no such file.
        ValueError: the file has another sha256, or does not fit the network.
    """

    def __init__(self, weights: str | Path | None = None, *, sha256: str | None = None) -> None:
        path = _installed_weights() if weights is None else Path(weights)
        state = read_state_dict(path, hint=_HINT, sha256=_SHA256 if sha256 is None else sha256)
        self.network = ShiftTolerantAlexNet()
        try:
            self.network.load_published(state)
            self._weights = [
                state[f"lin{k}.model.1.weight"].view(1, width, 1, 1) for k, width in enumerate(self.network.channels)
            ]
        except (KeyError, RuntimeError) as error:
            raise ValueError(f"weights: {path} is not in the authors' format: {error}. {_HINT}") from error
        self._last: tuple[torch.Tensor, list[torch.Tensor]] | None = None

    def __call__(
        self,
        pred: torch.Tensor,
        target: torch.Tensor,
        masks: Mapping[str, torch.Tensor],
        image: torch.Tensor | None = None,  # noqa: ARG002 - other scores compare with the LR input
    ) -> RegionValues:
        """Score a batch.

        Args:
            pred: prediction, ``(B, 1, H, W)`` or ``(B, 3, H, W)`` floating point in [0, 1], H and W at least 21; not
                clamped.
            target: reference of the same shape.
            masks: region name to mask, ``(B, 1, H, W)``, bool or of values 0 and 1.
            image: not used.

        Returns:
            ``{(region, "st_lpips"): (B,) float64 on the CPU}``, 0 for identical images, NaN where the region is empty.

        Raises:
            TypeError: if an image is not a floating point tensor.
            ValueError: if a shape is wrong, a value is not finite, or a mask has values beside 0 and 1.
        """
        distance = self.distance_map(pred, target)
        return {(region, "st_lpips"): masked_mean(distance, mask.cpu()) for region, mask in masks.items()}

    @torch.no_grad()
    def distance_map(self, pred: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Map of the distance; its mean is ST-LPIPS.

        Args:
            pred: as in a call.
            target: as in a call.

        Returns:
            ``(B, 1, H, W)`` float64 on the CPU, 0 or more.

        Raises:
            TypeError: as in a call.
            ValueError: as in a call.
        """
        pred, target = _checked(pred, "pred"), _checked(target, "target").to(pred.device)
        if pred.shape != target.shape:
            raise ValueError(
                f"pred and target must have the same shape, got {tuple(pred.shape)} and {tuple(target.shape)}"
            )
        result = torch.zeros(len(pred), 1, *pred.shape[-2:], dtype=torch.float64)
        for weights, p, t in zip(self._weights, self._features(pred), self._target_features(target), strict=True):
            small = (p - t).square_().mul_(weights.to(p)).sum(dim=1, keepdim=True).cpu().double()
            down, across = (_enlargement(*sizes) for sizes in zip(small.shape[-2:], pred.shape[-2:], strict=True))
            result += down @ small @ across.T
        return result

    def _target_features(self, target: torch.Tensor) -> list[torch.Tensor]:
        if self._last is not None:
            image, features = self._last
            if image.device == target.device and torch.equal(image, target):
                return features
        features = self._features(target)
        self._last = target.clone(), features
        return features

    def _features(self, image: torch.Tensor) -> list[torch.Tensor]:
        self.network.to(image.device)
        cudnn = torch.backends.cudnn
        exact = cudnn.flags(cudnn.enabled, cudnn.benchmark, deterministic=cudnn.deterministic, allow_tf32=False)
        with autocast(image.device, enabled=False), exact:
            maps = self.network(image)
        return [x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + _EPSILON) for x in maps]


@functools.lru_cache(maxsize=32)
def _enlargement(cells: int, pixels: int) -> torch.Tensor:
    """Bilinear enlargement of an axis, a matrix ``(pixels, cells)`` whose columns have equal sums."""
    matrix = F.interpolate(torch.eye(cells, dtype=torch.float64)[None], size=pixels, mode="linear")[0].T
    return matrix * (pixels / cells / matrix.sum(dim=0))


def _checked(image: torch.Tensor, name: str) -> torch.Tensor:
    check_floating(image, name)
    if image.ndim != 4 or image.shape[1] not in (1, 3):
        raise ValueError(f"{name} must have shape (B, 1, H, W) or (B, 3, H, W), got {tuple(image.shape)}")
    image = image.as_subclass(torch.Tensor).detach().float()
    if not bool(torch.isfinite(image).all()):
        raise ValueError(f"{name} has NaN or infinite values, and a NaN score is reserved for empty regions")
    return image


def _installed_weights() -> Path:
    """The file of weights in the installed package, which is located without running any of its code."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"weights: the package stlpips-pytorch is not installed. {_HINT}", name=_PACKAGE)
    return Path(next(iter(spec.submodule_search_locations)), _FILE)
