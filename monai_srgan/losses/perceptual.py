# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Perceptual loss: the distance between two images in the feature maps of a frozen network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from monai.data import MetaTensor
from torch import Tensor, nn

__all__ = ["PerceptualFeatureLoss"]

_CRITERIA: dict[str, Callable[[Tensor], Tensor]] = {"mse": Tensor.square, "l1": Tensor.abs}


class PerceptualFeatureLoss(nn.Module):
    r"""Feature loss of SRGAN (arXiv 1609.04802, equation 5), with any feature network and any number of layers.

    .. math:: L = \sum_l w_l \, \overline{c(\phi_l(SR) - \phi_l(HR))} \, / \, n_l

    where c is the square or the absolute value, the bar is the mean over batch, channels and pixels, and n_l is the
    layer's ``mean(c(phi_l(HR)))`` over the batch if `normalize` is True, else 1. With normalization each layer measures
    the error as a fraction of the features' energy, which makes weights comparable across layers and networks.
    ``normalize=False`` is the form of the paper.

    Only `sr` receives a gradient, never the feature network. The network is frozen (``requires_grad_(False)``, in
    place), kept in ``eval()`` mode, follows the device of the input, and is not a submodule, so that no checkpoint,
    optimizer or EMA includes it. The same holds for the network behind a bound method (``network.encode``) or a
    `functools.partial`, including its arguments. A network inside a lambda, a function or another object cannot be
    found: freeze it, set it to ``eval()`` mode and move it to the device yourself. The HR branch builds no graph. Under
    autocast the features run in low precision and the criterion in float32.

    `monai.losses.PerceptualLoss` and other losses called as ``loss(sr, hr)`` need no wrapper: pass them to the trainer
    directly.

    Args:
        features: a network with ``extract(x, layers) -> dict`` such as :class:`~monai_srgan.networks.MRIFeatures` or
            :class:`~monai_srgan.networks.VGGFeatures`, or any callable from an image to a tensor, a sequence of
            tensors, or a dictionary of tensors; prefer a network, a bound method or a partial to a lambda, see above.
        layers: names of the layers to compare; None takes the network's ``default_layers``, or everything that the
            callable returns. Must be None for a callable that does not return a dictionary.
        layer_weights: one weight >= 0 per layer, in the same order; None averages the layers (1 / number of layers
            each).
        criterion: ``"mse"`` or ``"l1"``.
        normalize: divide each layer by the energy of its HR features.
        feature_scale: factor on all features, 1/12.75 for VGG in the paper; only with ``normalize=False``, since it
            cancels out otherwise.

    Raises:
        ValueError: an argument is out of range (the message names it), or the images differ in shape.
        TypeError: the callable returned something other than tensors.
    """

    def __init__(
        self,
        features: Callable[..., Any],
        layers: Sequence[str] | None = None,
        layer_weights: Sequence[float] | None = None,
        criterion: str = "mse",
        *,
        normalize: bool = True,
        feature_scale: float = 1.0,
    ) -> None:
        super().__init__()
        if not callable(features):
            raise ValueError(f"features must be a network or a callable, got {type(features).__name__}")
        if criterion not in _CRITERIA:
            raise ValueError(f"criterion must be one of {sorted(_CRITERIA)}, got {criterion!r}")
        if layers is not None and (isinstance(layers, str) or not layers):
            raise ValueError(f"layers must be a non-empty sequence of names or None, got {layers!r}")
        if layer_weights is not None and (not layer_weights or min(layer_weights) < 0 or sum(layer_weights) == 0):
            raise ValueError(f"layer_weights must be >= 0 and not all 0, got {layer_weights!r}")
        if feature_scale <= 0 or (normalize and feature_scale != 1):
            raise ValueError(
                f"feature_scale must be > 0, and 1 where normalize=True (it would cancel out), got {feature_scale}: "
                "set normalize=False for the paper's form"
            )
        for network in _networks_of(features):
            network.requires_grad_(False)
        # The tuple keeps nn.Module from registering the network, which would put it into every checkpoint.
        self._features = (features,)
        self.layers = None if layers is None else tuple(layers)
        self.layer_weights = None if layer_weights is None else tuple(float(w) for w in layer_weights)
        self.criterion = criterion
        self.normalize = normalize
        self.feature_scale = float(feature_scale)
        names: Any = self.layers or getattr(features, "default_layers", None)
        known: Any = getattr(features, "layer_names", names)
        if names is not None and not set(names) <= set(known):
            raise ValueError(f"layers must be names among {list(known)}, got {list(names)}")
        if names is not None:
            self._weights_for(names)

    @property
    def features(self) -> Callable[..., Any]:
        """The frozen feature network."""
        return self._features[0]

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """The loss, a float32 scalar (float64 for float64 features).

        Args:
            sr: `(B, C, H, W)` output of the network, about [0, 1]; receives the gradient.
            hr: `(B, C, H, W)` target in [0, 1].
        """
        if sr.shape != hr.shape:
            raise ValueError(f"sr and hr must have the same shape, got {tuple(sr.shape)} and {tuple(hr.shape)}")
        self._prepare_networks(sr.device)
        with torch.no_grad():
            target = self._maps(hr)
        maps = self._maps(sr)
        if maps.keys() != target.keys():
            raise ValueError(
                f"features must return the same names for all images, got {list(maps)} for sr, {list(target)} for hr"
            )
        cost = _CRITERIA[self.criterion]
        total = torch.zeros((), device=sr.device)
        for weight, name in zip(self._weights_for(tuple(maps)), maps, strict=True):
            x, y = (m[name].to(torch.promote_types(m[name].dtype, torch.float32)) for m in (maps, target))
            term = cost((x - y) * self.feature_scale).mean()
            if self.normalize:
                term = term / cost(y).mean().clamp_min(1e-8)
            total = total + weight * term
        return total

    def _prepare_networks(self, device: torch.device) -> None:
        """Move the feature network to the images' device, in eval mode: `.to()` and `.train()` do not reach it."""
        for network in _networks_of(self.features):
            if any(p.device != device for p in network.parameters()):
                network.to(device)
            if any(module.training for module in network.modules()):
                network.eval()

    def _weights_for(self, names: Sequence[Any]) -> tuple[float, ...]:
        if self.layer_weights is None:
            return (1.0 / len(names),) * len(names)
        if len(self.layer_weights) != len(names):
            raise ValueError(
                f"layer_weights must have one weight for each of {list(names)}, got {list(self.layer_weights)}"
            )
        return self.layer_weights

    def _maps(self, x: Tensor) -> dict[Any, Tensor]:
        plain = x.as_tensor() if isinstance(x, MetaTensor) else x
        extract = getattr(self.features, "extract", None)
        found = self.features(plain) if extract is None else extract(plain, self.layers)
        if isinstance(found, Tensor):
            found = (found,)
        if not isinstance(found, Mapping):
            if self.layers is not None:
                raise ValueError(
                    f"layers must be None when features does not return a dictionary, got {list(self.layers)}"
                )
            found = dict(enumerate(found))
        if self.layers is not None:
            missing = [name for name in self.layers if name not in found]
            if missing:
                raise ValueError(f"layers must be names among {list(found)}, got {missing}")
            found = {name: found[name] for name in self.layers}
        wrong = [type(v).__name__ for v in found.values() if not isinstance(v, Tensor)]
        if wrong or not found:
            raise TypeError(f"features must return tensors, got {wrong or 'nothing'}")
        return dict(found)


def _networks_of(features: Any) -> Iterator[nn.Module]:
    """The modules in a callable: itself, the object of a bound method, or what a partial binds."""
    if isinstance(features, nn.Module):
        yield features
    elif isinstance(features, partial):
        for part in (features.func, *features.args, *features.keywords.values()):
            yield from _networks_of(part)
    elif isinstance(getattr(features, "__self__", None), nn.Module):
        yield features.__self__
