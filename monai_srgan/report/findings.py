# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The main results of a report in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping

from monai_srgan.report.methods import method_styles
from monai_srgan.report.tables import Roles, headline_metrics, headline_regions, likeness_metric
from monai_srgan.report.wording import counted, fact_of, in_region, minus, p_text, signed
from monai_srgan.scores import CONSISTENCY, METRIC_FACTS, Method, ScoreSummary, SummaryTable

__all__ = ["findings"]

_SIGNIFICANCE = 0.05  # above this p-value the number of patients is given

Labels = Mapping[Method, str]


def findings(scores: SummaryTable, degradations: Mapping[str, SummaryTable], roles: Roles) -> list[str]:
    """Sentences on the method that the report is about, as many as the measured scores allow.

    Args:
        scores: summary of all slices.
        degradations: summaries by further degradation.
        roles: the method, and what it is compared with.
    """
    styles = method_styles([*scores.methods(), roles.key_method, roles.reference])
    labels = {method: style.word for method, style in styles.items()}
    regions = headline_regions(scores)
    sentences = [
        *(_fidelity(scores, region, roles, labels) for region in regions),
        _likeness(scores, regions, roles, labels),
        _leaders(scores, regions[:1], labels),
        _resolution(scores, roles, labels),
        _consistency(scores, roles.key_method, labels),
        _null_space(scores, roles.key_method, labels),
        _coverage(scores, labels),
        _others(degradations, regions[:1], roles, labels),
    ]
    return [_capital(sentence) for sentence in sentences if sentence]


def _fidelity(scores: SummaryTable, region: str, roles: Roles, labels: Labels) -> str:
    entry = scores.measured(roles.key_method, region, "psnr")
    if entry is None or entry.mean is None:
        return ""
    text = f"{in_region(region)}, {labels[roles.key_method]} reaches a mean PSNR of {_value(entry, 'psnr')}"
    if entry.low is not None and entry.high is not None:
        fact = fact_of("psnr")
        text += f" (95 % interval {minus(fact.text(entry.low))} to {minus(fact.text(entry.high))})"
    if roles.key_method != roles.reference and entry.difference is not None:
        amount = _text(abs(entry.difference), "psnr")
        text += f", {amount} {'above' if entry.difference >= 0 else 'below'} {labels[roles.reference]}"
        text += _evidence(entry)
    return f"{text}."


def _likeness(scores: SummaryTable, regions: list[str], roles: Roles, labels: Labels) -> str:
    if roles.key_method == roles.reference:
        return ""
    for region in regions:
        metric = likeness_metric(scores, region)
        if metric is None:
            continue
        entry = scores.measured(roles.key_method, region, metric)
        other = scores.measured(roles.reference, region, metric)
        if not entry or not other or entry.mean is None or not other.mean:
            continue
        share = 100 * (entry.mean / other.mean - 1)
        compared = f"{abs(share):.0f} % {'lower' if share < 0 else 'higher'}" if round(share) else "nearly the same"
        return (
            f"the {fact_of(metric).label} of {labels[roles.key_method]} {in_region(region)} (lower is better) is "
            f"{_value(entry, metric)}, compared with {_value(other, metric)} of {labels[roles.reference]}: "
            f"{compared}{_evidence(entry)}."
        )
    return ""


def _leaders(scores: SummaryTable, regions: list[str], labels: Labels) -> str:
    parts = []
    for region in regions:
        for metric in headline_metrics(scores, region):
            entries = {m: scores.measured(m, region, metric) for m in scores.methods()}
            means = {m: entry.mean for m, entry in entries.items() if entry and entry.mean is not None}
            if metric == "ssim" or metric not in METRIC_FACTS or len(means) < 2:
                continue
            high = METRIC_FACTS[metric].better == "high"
            best = max(means, key=lambda m: means[m]) if high else min(means, key=lambda m: means[m])
            word = "highest" if high else "lowest"
            parts.append(f"{labels[best]} has the {word} {fact_of(metric).label} ({_text(means[best], metric)})")
    return f"of all methods, {in_region(regions[0])}, {' and '.join(parts)}." if parts else ""


def _consistency(scores: SummaryTable, method: Method, labels: Labels) -> str:
    base = method.without(CONSISTENCY)
    without, projected = (scores.measured(m, "whole", "redegraded_psnr") for m in (base, base.with_(CONSISTENCY)))
    if without is None or projected is None or without.mean is None or projected.mean is None:
        return ""
    return (
        f"degraded again, the output of {labels.get(base, str(base))} matches its input with a PSNR of "
        f"{_value(without, 'redegraded_psnr')}, and of {_value(projected, 'redegraded_psnr')} after the projection "
        "onto the measurement."
    )


def _resolution(scores: SummaryTable, roles: Roles, labels: Labels) -> str:
    methods = [roles.key_method] if roles.key_method == roles.reference else [roles.key_method, roles.reference]
    entries = {method: scores.measured(method, "whole", "resolution_half") for method in methods}
    parts = [
        f"{labels[method]} up to {_text(entry.mean, 'resolution_half')}"
        for method, entry in entries.items()
        if entry and entry.mean is not None
    ]
    if not parts:
        return ""
    return f"detail agrees with HR (Fourier ring correlation of at least 0.5) in {_listed(parts)}."


def _null_space(scores: SummaryTable, method: Method, labels: Labels) -> str:
    entry = scores.measured(method, "whole", "null_share")
    if entry is None or entry.mean is None:
        return ""
    return (
        f"{_text(entry.mean, 'null_share')} of the squared error of {labels[method]} is in detail about which the "
        "low-resolution slice says nothing."
    )


def _coverage(scores: SummaryTable, labels: Labels) -> str:
    for method in scores.methods():
        found = {region: scores.measured(method, region, "coverage") for region in ("inside", "outside", "head")}
        shares = {r: e.mean if e.patient_mean is None else e.patient_mean for r, e in found.items() if e}
        texts = {r: _text(share, "coverage") for r, share in shares.items() if share is not None}
        parts = [f"{text} of the pixels {in_region(region)}" for region, text in texts.items()]
        if parts:
            return f"the intervals around {labels[method]} contain the true value in {_listed(parts)}."
    return ""


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _others(degradations: Mapping[str, SummaryTable], regions: list[str], roles: Roles, labels: Labels) -> str:
    """The difference between the method and the reference under each further degradation."""
    parts = []
    for name, scores in degradations.items():
        for region in regions:
            entry = scores.measured(roles.key_method, region, "psnr")
            if entry is not None and entry.difference is not None:
                parts.append(f"{name} {signed(fact_of('psnr'), entry.difference)} dB")
    if not parts:
        return ""
    return (
        f"under other degradations, the PSNR of {labels[roles.key_method]} {in_region(regions[0])} differs from that "
        f"of {labels[roles.reference]} by: {'; '.join(parts)}."
    )


def _evidence(entry: ScoreSummary) -> str:
    text = p_text(entry.p_value)
    if entry.p_value is None or not text:
        return f" ({counted(entry.patients, 'patient')}: too few for a test)" if entry.patients else ""
    uncertain = entry.p_value > _SIGNIFICANCE
    return f" ({text}: {entry.patients} patients do not establish a difference)" if uncertain else f" ({text})"


def _value(entry: ScoreSummary, metric: str) -> str:
    return "identical" if entry.mean is None else _text(entry.mean, metric)


def _text(value: float, metric: str) -> str:
    fact = fact_of(metric)
    return f"{minus(fact.text(value))} {fact.unit}".strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
