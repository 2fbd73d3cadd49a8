# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Feature matching: the distance between two images in the discriminator's own feature maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

__all__ = ["FeatureMatchingLoss"]


class FeatureMatchingLoss:
    r"""Mean absolute difference of a discriminator's feature maps, averaged over its layers.

    .. math:: L = \frac{1}{n} \sum_l \overline{|D_l(SR) - D_l(HR)|}

    (Salimans et al., arXiv 1606.03498, section 3.1, compare the means of one layer; Wang et al., arXiv 1711.11585,
    equation 4, the maps of all layers, as here.) The features are trained with the discriminator, so no other network
    is needed, and they give the generator more information than the single number of the adversarial loss. Only
    `fake` receives a gradient.

    Args:
        layers: module types whose outputs are compared.

    Example::

        loss = FeatureMatchingLoss()
        with loss.maps_of(discriminator) as real:
            discriminator(hr)
        with loss.maps_of(discriminator) as fake:
            discriminator(sr)
        loss(fake, real)
    """

    def __init__(self, layers: tuple[type[nn.Module], ...] = (nn.LeakyReLU,)) -> None:
        self.layers = tuple(layers)

    @contextmanager
    def maps_of(self, network: nn.Module) -> Iterator[list[Tensor]]:
        """Collect the outputs of a network's `layers` while it runs, in order of computation.

        Raises:
            ValueError: the network has no layer of these types.
        """
        maps: list[Tensor] = []

        def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:  # noqa: ARG001 - torch passes all three
            maps.append(output)

        found = [module for module in network.modules() if isinstance(module, self.layers)]
        if not found:
            names = ", ".join(layer.__name__ for layer in self.layers)
            raise ValueError(f"network must have layers of type {names}, got {type(network).__name__} with none")
        hooks = [module.register_forward_hook(keep) for module in found]
        try:
            yield maps
        finally:
            for hook in hooks:
                hook.remove()

    def __call__(self, fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
        """The loss, a float32 scalar.

        Args:
            fake: maps of SR images, with gradient.
            real: maps of the HR images, of the same shapes; detached here.

        Raises:
            ValueError: the shapes differ, or there are no maps.
        """
        shapes = [[tuple(m.shape) for m in maps] for maps in (fake, real)]
        if shapes[0] != shapes[1] or not fake:
            raise ValueError(f"fake and real must have the same feature maps, got shapes {shapes[0]} and {shapes[1]}")
        terms = [(x.float() - y.detach().float()).abs().mean() for x, y in zip(fake, real, strict=True)]
        return sum(terms[1:], terms[0]) / len(terms)
