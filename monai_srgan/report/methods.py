# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How a method is named and coloured, the same everywhere in a report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from monai_srgan.scores.methods import CONSISTENCY, SEPARATOR

__all__ = ["MethodStyle", "method_styles"]

_LABELS = {"nearest": "Nearest", "bicubic": "Bicubic", "lanczos": "Lanczos", "srresnet": "SRResNet", "srgan": "SRGAN"}
_LABELS |= {"srresnet_jitter": "SRResNet, jitter", "blend": "Blend"}
# After Okabe & Ito (2008), for readers with any colour vision; each at least 3:1 against white. Interpolation is grey.
_COLOURS = {
    "nearest": "#8a8f94",
    "bicubic": "#4d5358",
    "lanczos": "#94711c",
    "srresnet": "#0072b2",
    "srresnet_jitter": "#3a8fc8",
    "srgan": "#d55e00",
    "blend": "#00875f",
}
_SPARE_COLOURS = ("#b0478a", "#5a4fa2", "#2f7f8f", "#8c4a2f", "#5f7a1f")
_COMMON_NOUNS = ("nearest", "bicubic")
_MARKERS = {"nearest": "v", "bicubic": "s", "lanczos": "D", "srresnet": "o", "srgan": "^", "blend": "P"}
_MARKERS |= {"srresnet_jitter": "8"}
_SPARE_MARKERS = ("X", "p", "<", ">", "h")


class MethodStyle(NamedTuple):
    """How a method is shown.

    Attributes:
        name: as in the rows, such as "srgan + consistency".
        label: for readers: "SRGAN + consistency".
        base: the method that this one is a variant of, its own name for none: "srgan".
        variant: what was added, "" for nothing: "+ consistency".
        colour: ``#rrggbb``, that of the base.
        marker: matplotlib's sign, that of the base.
        dashes: of lines, matplotlib's style: solid for a base, else dashed or dotted.
    """

    name: str
    label: str
    base: str
    variant: str
    colour: str
    marker: str
    dashes: str

    @property
    def word(self) -> str:
        """The label within a sentence, where interpolations are common nouns: "bicubic", but "SRGAN"."""
        return self.label.lower() if self.base in _COMMON_NOUNS else self.label

    @property
    def hollow(self) -> bool:
        """Whether signs are drawn as outlines, as those of all variants are."""
        return bool(self.variant)


def method_styles(names: Iterable[str]) -> dict[str, MethodStyle]:
    """Styles of methods by name, in the order of tables: interpolation first, variants after their base.

    Args:
        names: methods in any order; duplicates are one.
    """
    names = list(dict.fromkeys(names))
    bases = list(dict.fromkeys(name.split(SEPARATOR)[0] for name in names))
    known = ("nearest", "bicubic", "lanczos")
    bases.sort(key=lambda base: known.index(base) if base in known else len(known))
    looks = _looks(bases)
    order = sorted(names, key=lambda name: (bases.index(name.split(SEPARATOR)[0]), name.count(SEPARATOR)))
    styles = {}
    for name in order:
        base, *added = name.split(SEPARATOR)
        colour, marker = looks[base]
        variant = name.removeprefix(base).strip()
        dashes = "-" if not added else "--" if CONSISTENCY in added else ":"
        label = f"{_label(base)} {variant}".strip()
        styles[name] = MethodStyle(name, label, base, variant, colour, marker, dashes)
    return styles


def _looks(bases: list[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each base; a kind's own for the first of its kind."""
    taken: set[str] = set()
    looks = {}
    spare = 0
    for base in bases:
        kind = base.split(" ")[0]
        if kind in _COLOURS and kind not in taken:
            looks[base] = (_COLOURS[kind], _MARKERS[kind])
            taken.add(kind)
        else:
            looks[base] = (_SPARE_COLOURS[spare % len(_SPARE_COLOURS)], _SPARE_MARKERS[spare % len(_SPARE_MARKERS)])
            spare += 1
    return looks


def _label(base: str) -> str:
    if base.startswith("blend "):
        return f"Blend {base.removeprefix('blend ')}"
    return _LABELS.get(base, base)
