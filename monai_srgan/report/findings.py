# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a report say, in plain sentences made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai_srgan.report.cells import Scores, entry_of
from monai_srgan.report.methods import method_styles
from monai_srgan.report.tables import headline_metrics, headline_regions
from monai_srgan.report.wording import counted, fact_of, in_region, minus, p_text, signed
from monai_srgan.scores.facts import METRIC_FACTS
from monai_srgan.scores.methods import CONSISTENCY, variant_name

__all__ = ["findings"]

_DOUBT = 0.05  # a p-value above it is told together with the number of patients


def findings(scores: Scores, degradations: Mapping[str, Scores], *, key_method: str, reference: str) -> list[str]:
    """Sentences on the method that the report is about; as many as the measured scores allow.

    Args:
        scores: summary of all slices.
        degradations: summaries by further degradation.
        key_method: the method.
        reference: what it is compared with.
    """
    labels = {name: style.word for name, style in method_styles([*scores, key_method, reference]).items()}
    places = headline_regions(scores)
    sentences = [
        *(_fidelity(scores, region, key_method, reference, labels) for region in places),
        _likeness(scores, places, key_method, reference, labels),
        _leaders(scores, places[:1], labels),
        _consistency(scores, key_method, labels),
        _coverage(scores, labels),
        _others(degradations, places[:1], key_method, reference, labels),
    ]
    return [_capital(sentence) for sentence in sentences if sentence]


def _fidelity(scores: Scores, region: str, method: str, reference: str, labels: Mapping[str, str]) -> str:
    entry = entry_of(scores, method, region, "psnr")
    if entry is None or entry["mean"] is None:
        return ""
    text = f"{in_region(region)}, {labels[method]} reaches a mean PSNR of {_value(entry, 'psnr')}"
    if entry.get("low") is not None:
        fact = fact_of("psnr")
        text += f" (95 % interval {minus(fact.text(entry['low']))} to {minus(fact.text(entry['high']))})"
    difference = entry.get("difference")
    if method != reference and difference is not None:
        text += f", {_amount(difference, 'psnr')} {_above(difference)} {labels[reference]}"
        text += _evidence(entry)
    return f"{text}."


def _likeness(scores: Scores, regions: list[str], method: str, reference: str, labels: Mapping[str, str]) -> str:
    for region in regions:
        metric = next((m for m in headline_metrics(scores, region) if m in ("st_lpips", "hfen")), None)
        entry = metric and entry_of(scores, method, region, metric)
        other = metric and entry_of(scores, reference, region, metric)
        if not metric or not entry or not other or method == reference or entry["mean"] is None or not other["mean"]:
            continue
        share = 100 * (entry["mean"] / other["mean"] - 1)
        compared = f"{abs(share):.0f} % {'lower' if share < 0 else 'higher'}" if round(share) else "as good as the same"
        return (
            f"the {fact_of(metric).label} of {labels[method]} {in_region(region)} (lower is better) is "
            f"{_value(entry, metric)} against {_value(other, metric)} of {labels[reference]}, "
            f"{compared}{_evidence(entry)}."
        )
    return ""


def _leaders(scores: Scores, regions: list[str], labels: Mapping[str, str]) -> str:
    parts = []
    for region in regions:
        for metric in headline_metrics(scores, region):
            entries = {m: entry_of(scores, m, region, metric) for m in scores}
            means = {m: float(e["mean"]) for m, e in entries.items() if e and e["mean"] is not None}
            if metric == "ssim" or metric not in METRIC_FACTS or len(means) < 2:
                continue
            high = METRIC_FACTS[metric].better == "high"
            best = max(means, key=lambda m: means[m]) if high else min(means, key=lambda m: means[m])
            word = "highest" if high else "lowest"
            parts.append(f"the {word} {fact_of(metric).label} is that of {labels[best]} ({_text(means[best], metric)})")
    return f"of all methods, {in_region(regions[0])}, {' and '.join(parts)}." if parts else ""


def _consistency(scores: Scores, method: str, labels: Mapping[str, str]) -> str:
    base = method.removesuffix(variant_name("", CONSISTENCY))
    entries = [entry_of(scores, m, "whole", "redegraded_psnr") for m in (base, variant_name(base, CONSISTENCY))]
    if not all(entry and entry["mean"] is not None for entry in entries):
        return ""
    without, projected = (_value(entry, "redegraded_psnr") for entry in entries if entry)
    return (
        f"degraded again, the output of {labels.get(base, base)} agrees with its input to {without}, "
        f"and to {projected} after the projection onto the measurement."
    )


def _coverage(scores: Scores, labels: Mapping[str, str]) -> str:
    for method in scores:
        found = {r: entry_of(scores, method, r, "coverage") for r in ("inside", "outside", "head")}
        shares = {r: e if e.get("patient_mean") is None else {"mean": e["patient_mean"]} for r, e in found.items() if e}
        parts = [f"{_value(share, 'coverage')} of the pixels {in_region(r)}" for r, share in shares.items()]
        if parts:
            return f"the intervals around {labels[method]} contain the truth in {_listed(parts)}."
    return ""


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _others(
    degradations: Mapping[str, Scores], regions: list[str], method: str, reference: str, labels: Mapping[str, str]
) -> str:
    """By how much the method is above or below the reference under each further degradation."""
    parts = []
    for name, scores in degradations.items():
        for region in regions:
            difference = (entry_of(scores, method, region, "psnr") or {}).get("difference")
            if difference is not None:
                parts.append(f"{name} {signed(fact_of('psnr'), difference)} dB")
    if not parts:
        return ""
    return (
        f"under other degradations the PSNR of {labels[method]} {in_region(regions[0])}, against that of "
        f"{labels[reference]}, is: {'; '.join(parts)}."
    )


def _evidence(entry: Mapping[str, Any]) -> str:
    text = p_text(entry.get("p_value"))
    if not text:
        return f" ({counted(int(entry['patients']), 'patient')}: too few for a test)" if entry.get("patients") else ""
    doubt = entry["p_value"] > _DOUBT
    return f" ({text}: {entry.get('patients')} patients do not establish a difference)" if doubt else f" ({text})"


def _value(entry: Mapping[str, Any], metric: str) -> str:
    return "identical" if entry["mean"] is None else _text(entry["mean"], metric)


def _text(value: float, metric: str) -> str:
    fact = fact_of(metric)
    return f"{minus(fact.text(value))} {fact.unit}".strip()


def _amount(difference: float, metric: str) -> str:
    return _text(abs(difference), metric)


def _above(difference: float) -> str:
    return "above" if difference >= 0 else "below"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
