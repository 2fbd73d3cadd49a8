# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of the methods that an evaluation compares: a base method and what was added to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["CONSISTENCY", "ENSEMBLE", "ESTIMATED", "Method", "in_table_order"]

CONSISTENCY = "consistency"
"""Addition: the result is projected onto the measurement, see :class:`monai_srgan.physics.ConsistencyProjection`."""

ENSEMBLE = "ensemble"
"""Addition: the mean over flips and rotations, see :class:`monai_srgan.inferers.SelfEnsembleInferer`."""

ESTIMATED = "estimated"
"""Addition: nothing is told, and the measurement is estimated from the LR image: the result of ``monai-srgan upscale``,
see :class:`monai_srgan.inferers.MeasuredInferer`."""

_SEPARATOR = " + "
_INTERPOLATIONS = ("nearest", "bicubic", "lanczos")


@dataclass(frozen=True)
class Method:
    """A method of an evaluation.

    Attributes:
        base: name of the network or baseline, such as "srgan".
        additions: what was added to it, in order, such as ``("consistency",)``.

    Example:
        >>> method = Method("srgan").with_(CONSISTENCY)
        >>> str(method), method.has(CONSISTENCY)
        ('srgan + consistency', True)
        >>> Method.parse("srgan + consistency") == method
        True
    """

    base: str
    additions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.additions, str):
            raise ValueError(f"additions must be a sequence of names, got the text {self.additions!r}")
        object.__setattr__(self, "additions", tuple(self.additions))

    def __str__(self) -> str:
        """The name in tables and files: "srgan + consistency"."""
        return _SEPARATOR.join((self.base, *self.additions))

    @classmethod
    def parse(cls, name: str | Method) -> Method:
        """The method of a name as it stands in tables and files; a method is returned as it is."""
        if isinstance(name, Method):
            return name
        base, *additions = name.split(_SEPARATOR)
        return cls(base, tuple(additions))

    def has(self, addition: str) -> bool:
        """Whether something was added, such as :data:`CONSISTENCY`."""
        return addition in self.additions

    def with_(self, addition: str) -> Method:
        """This method with something added."""
        return Method(self.base, (*self.additions, addition))

    def without(self, addition: str) -> Method:
        """This method without an addition; itself where it does not have it."""
        return Method(self.base, tuple(a for a in self.additions if a != addition))

    @property
    def is_variant(self) -> bool:
        """Whether anything was added to the base."""
        return bool(self.additions)


def in_table_order(methods: Iterable[Method]) -> list[Method]:
    """Methods in the order of tables: interpolations, then the others as given, each followed by its variants.

    Args:
        methods: in any order; duplicates are one.
    """
    methods = list(dict.fromkeys(methods))
    bases = list(dict.fromkeys(method.base for method in methods))
    bases.sort(key=lambda base: _INTERPOLATIONS.index(base) if base in _INTERPOLATIONS else len(_INTERPOLATIONS))
    return sorted(methods, key=lambda method: (bases.index(method.base), len(method.additions)))
