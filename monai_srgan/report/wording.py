# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of regions and number formats of a report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from monai_srgan.scores.facts import METRIC_FACTS, MetricFact

__all__ = [
    "REGION_NAMES",
    "counted",
    "fact_of",
    "heading",
    "in_region",
    "minus",
    "ordered_regions",
    "p_text",
    "region_definition",
    "region_name",
    "signed",
]

REGION_NAMES = {
    "head": "Head",
    "inside": "Inside the tumor",
    "rim": "Rim of the tumor",
    "outside": "Outside the tumor",
    "whole": "Whole slice",
}
"""Titles of the regions, in the order of a report: the most relevant first."""

_SHORT = {"head": "Head", "inside": "Inside", "rim": "Rim", "outside": "Outside", "whole": "Whole"}
_IN = {"head": "in the head", "inside": "inside the tumor", "rim": "at the tumor's rim"}
_IN |= {"outside": "outside the tumor", "whole": "on the whole slice"}
_DEFINITIONS = {
    "head": "foreground of the high-resolution slice, tumor included; holes filled",
    "inside": "the tumor mask",
    "rim": "band of {width} high-resolution pixels around the tumor's border, half on each side",
    "outside": "all but the tumor mask; background air included, which every method reproduces",
    "whole": "every pixel; background air included",
}


def ordered_regions(names: Iterable[str]) -> list[str]:
    """Regions in the order of a report; unknown ones last."""
    names = list(dict.fromkeys(names))
    return [name for name in REGION_NAMES if name in names] + [name for name in names if name not in REGION_NAMES]


def region_name(name: str, *, short: bool = False) -> str:
    """Title of a region: "Inside the tumor"; "Inside" where it is short."""
    return (_SHORT if short else REGION_NAMES).get(name, name)


def in_region(name: str) -> str:
    """A region within a sentence: "inside the tumor"."""
    return _IN.get(name, f"in the region {name}")


def region_definition(name: str, settings: Mapping[str, Any]) -> str:
    """Definition of a region; the rim's width is taken from the settings."""
    width = settings.get("rim_width_pixels", 10)
    return _DEFINITIONS.get(name, "").format(width=f"{width:g}" if isinstance(width, int | float) else width)


def fact_of(metric: str) -> MetricFact:
    """Presentation of a metric; an unknown one keeps its name, and none of its values is marked as best."""
    return METRIC_FACTS.get(metric, MetricFact(metric, "", 1.0, ".4g", "high"))


def heading(metric: str, where: str = "", *, arrow: bool = True) -> str:
    """A score as a heading: "PSNR in the head [dB] ↑".

    Args:
        metric: name of the score.
        where: text after the score's name.
        arrow: whether to show the direction of better values.
    """
    fact = fact_of(metric)
    text = fact.heading.replace(" x 1e3", " × 10³").replace(" x 1e6", " × 10⁶")
    text = f"{fact.label} {where}{text[len(fact.label) :]}" if where else text
    text = f"{text[:1].upper()}{text[1:]}" if metric in METRIC_FACTS else text
    return f"{text} {fact.arrow}".rstrip() if arrow and metric in METRIC_FACTS else text


def minus(text: str) -> str:
    """The text with true minus signs."""
    return text.replace("-", "−")


def signed(fact: MetricFact, value: float | None) -> str:
    """A difference with its sign, "" where there is none: "+3.21"."""
    if value is None or not math.isfinite(value):
        return ""
    text = fact.text(abs(value)).lstrip("+")
    if not text.strip("0."):
        return f"±{text}"
    return f"{'−' if value < 0 else '+'}{text}"


def p_text(p_value: float | None) -> str:
    """A p-value with three digits, "" where there is none: "p = 0.012", "p < 0.001"."""
    if p_value is None or not math.isfinite(p_value):
        return ""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 slice", "30 slices"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
