# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Label, color and marker of each method, the same everywhere in a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monai_srgan.scores.methods import CONSISTENCY, ESTIMATED, Method, in_table_order

__all__ = ["MethodStyle", "method_styles"]

_LABELS = {"nearest": "Nearest", "bicubic": "Bicubic", "lanczos": "Lanczos", "srresnet": "SRResNet", "srgan": "SRGAN"}
_LABELS |= {"blend": "Blend"}
# After Okabe & Ito (2008), for readers with any color vision; each at least 3:1 against white. Interpolation is gray.
_COLORS = {
    "nearest": "#8a8f94",
    "bicubic": "#4d5358",
    "lanczos": "#94711c",
    "srresnet": "#0072b2",
    "srgan": "#d55e00",
    "blend": "#00875f",
}
_SPARE_COLORS = ("#b0478a", "#5a4fa2", "#2f7f8f", "#8c4a2f", "#5f7a1f")
_COMMON_NOUNS = ("nearest", "bicubic")
_MARKERS = {"nearest": "v", "bicubic": "s", "lanczos": "D", "srresnet": "o", "srgan": "^", "blend": "P"}
_SPARE_MARKERS = ("X", "p", "<", ">", "h")


@dataclass(frozen=True)
class MethodStyle:
    """How a method is shown.

    Attributes:
        method: the method.
        base_label: its base for readers: "SRGAN".
        color: ``#rrggbb``, that of the base.
        marker: matplotlib's marker, that of the base.
    """

    method: Method
    base_label: str
    color: str
    marker: str

    @property
    def label(self) -> str:
        """The method for readers: "SRGAN + consistency"."""
        return f"{self.base_label} {self.additions}".strip()

    @property
    def additions(self) -> str:
        """What was added, "" for nothing: "+ consistency"."""
        return " ".join(f"+ {addition}" for addition in self.method.additions)

    @property
    def dashes(self) -> str:
        """Matplotlib's line style: solid for a base, else dashed, dotted or both."""
        if not self.method.is_variant:
            return "-"
        if self.method.has(ESTIMATED):
            return "-."
        return "--" if self.method.has(CONSISTENCY) else ":"

    @property
    def word(self) -> str:
        """The label within a sentence, where interpolations are common nouns: "bicubic", but "SRGAN"."""
        return self.label.lower() if self.method.base in _COMMON_NOUNS else self.label

    @property
    def hollow(self) -> bool:
        """Whether markers are drawn as outlines, as those of all variants are."""
        return self.method.is_variant


@dataclass(frozen=True)
class _Look:
    """Color and marker of a base."""

    color: str
    marker: str


def method_styles(methods: Iterable[Method]) -> dict[Method, MethodStyle]:
    """Styles of methods, in the order of tables: interpolation first, variants after their base.

    Args:
        methods: in any order; duplicates are one.
    """
    order = in_table_order(methods)
    looks = _looks(list(dict.fromkeys(method.base for method in order)))
    return {
        method: MethodStyle(method, _label(method.base), looks[method.base].color, looks[method.base].marker)
        for method in order
    }


def _looks(bases: list[str]) -> dict[str, _Look]:
    """Color and marker of each base; the first of a kind has the kind's own."""
    taken: set[str] = set()
    looks = {}
    spare = 0
    for base in bases:
        kind = _kind(base)
        if kind in _COLORS and kind not in taken:
            looks[base] = _Look(_COLORS[kind], _MARKERS[kind])
            taken.add(kind)
        else:
            looks[base] = _Look(_SPARE_COLORS[spare % len(_SPARE_COLORS)], _SPARE_MARKERS[spare % len(_SPARE_MARKERS)])
            spare += 1
    return looks


def _kind(base: str) -> str:
    """The kind of a base whose name ends in a number: "blend" for "blend 0.5"."""
    return base.partition(" ")[0]


def _label(base: str) -> str:
    if _kind(base) == "blend":
        return f"Blend {base.partition(' ')[2]}".strip()
    return _LABELS.get(base, base)
