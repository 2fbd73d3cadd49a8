# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Arguments of the metrics, checked and in the form that these compute with."""

from __future__ import annotations

import math

import torch

__all__ = ["as_bool", "as_data_range", "as_image", "as_pair", "as_region", "check_floating", "working_precision"]


def check_floating(image: object, name: str) -> None:
    """Check that an image is a floating point tensor.

    Args:
        image: the image.
        name: name of the argument, for the error.

    Raises:
        TypeError: if it is not.
    """
    if not isinstance(image, torch.Tensor) or not image.is_floating_point():
        found = image.dtype if isinstance(image, torch.Tensor) else type(image).__name__
        raise TypeError(f"{name} must be a floating point tensor, got {found}: convert it with .float()")


def as_image(image: torch.Tensor, name: str) -> torch.Tensor:
    """A batch of images as a plain tensor: MetaTensor's bookkeeping costs more than the arithmetic.

    Args:
        image: ``(B, C, H, W)`` floating point.
        name: name of the argument, for the error.

    Raises:
        TypeError: if it is not a floating point tensor.
        ValueError: if it does not have four dimensions.
    """
    check_floating(image, name)
    if image.ndim != 4:
        raise ValueError(
            f"{name} must have shape (B, C, H, W), got {tuple(image.shape)}: add the batch dimension with [None]"
        )
    return image.as_subclass(torch.Tensor).resolve_neg()


def as_pair(pred: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Prediction and target of the same shape as plain tensors on the prediction's device.

    Raises:
        TypeError: as :func:`as_image`.
        ValueError: as :func:`as_image`, or if the shapes differ.
    """
    pred, target = as_image(pred, "pred"), as_image(target, "target")
    if pred.shape != target.shape:
        raise ValueError(f"pred and target must have the same shape, got {tuple(pred.shape)} and {tuple(target.shape)}")
    return pred, target.to(pred.device)


def working_precision(image: torch.Tensor, name: str) -> torch.Tensor:
    """The image in float64, or float32 on devices without float64.

    Raises:
        ValueError: if a value is not finite.
    """
    image = image.to(torch.float32 if image.device.type == "mps" else torch.float64)  # MPS has no float64
    if not bool(torch.isfinite(image).all()):
        raise ValueError(f"{name} has NaN or infinite values, and a NaN score is reserved for empty regions")
    return image


def as_region(mask: torch.Tensor | None, image: torch.Tensor, name: str = "mask") -> torch.Tensor:
    """A region as bool, of the image's shape and on its device.

    Args:
        mask: ``(B, 1, H, W)`` or ``(B, C, H, W)``, bool or of values 0 and 1. None is the whole image.
        image: ``(B, C, H, W)``.
        name: name of the argument, for the error.

    Raises:
        TypeError: if the mask is not a tensor.
        ValueError: if its shape does not match, or it has other values than 0 and 1.
    """
    if mask is None:
        return torch.ones(image.shape, dtype=torch.bool, device=image.device)
    if not isinstance(mask, torch.Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(mask).__name__}: convert it with torch.as_tensor")
    mask = mask.as_subclass(torch.Tensor).to(image.device)
    b, c, h, w = image.shape
    if tuple(mask.shape) not in ((b, 1, h, w), (b, c, h, w)):
        raise ValueError(
            f"{name} must have shape {(b, 1, h, w)} or {(b, c, h, w)} to match the images, got {tuple(mask.shape)}"
        )
    return as_bool(mask, name).expand(image.shape)


def as_bool(mask: torch.Tensor, name: str = "mask") -> torch.Tensor:
    """A mask of any shape as bool.

    Raises:
        ValueError: if it has other values than 0 and 1.
    """
    if mask.dtype == torch.bool:
        return mask
    if not bool(((mask == 0) | (mask == 1)).all()):
        raise ValueError(f"{name} must be bool or hold only 0 and 1: threshold a soft mask first, e.g. mask >= 0.5")
    return mask == 1


def as_data_range(data_range: float) -> float:
    """The range of the images as a float.

    Raises:
        ValueError: if it is not positive and finite.
    """
    if not 0 < data_range < math.inf:
        raise ValueError(f"data_range must be positive and finite, got {data_range}: it is 1 for images in [0, 1]")
    return float(data_range)
