# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluator's step leaves for its handlers: slices with their images, scores and origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from monai.utils.enums import CommonKeys as Keys

__all__ = ["evaluation_items", "evaluation_scores", "slice_source"]


def evaluation_scores(engine: Any) -> list[dict[str, dict[str, dict[str, float]]]]:
    """The scores of the slices of an evaluator's last step, whether or not the engine decollates.

    Args:
        engine: a :class:`SREvaluator` at ``ITERATION_COMPLETED``.

    Returns:
        for every slice ``{method: {region: {metric: float}}}``, in the order of a table.

    Raises:
        ValueError: when the engine's output has no scores.
    """
    output = engine.state.output
    first = output[0] if isinstance(output, list) and output else output
    if not isinstance(first, Mapping) or "scores" not in first:
        raise ValueError("engine.state.output has no 'scores': attach this handler to a SREvaluator")
    if isinstance(output, list):
        return [_floats(item["scores"]) for item in output]
    return [_floats(_item(output["scores"], i)) for i in range(len(output[Keys.PRED]))]


def evaluation_items(engine: Any) -> list[dict[str, Any]]:
    """The slices of an evaluator's last step, one dictionary each, whether or not the engine decollates.

    Args:
        engine: a :class:`SREvaluator` at ``ITERATION_COMPLETED``.

    Returns:
        for every slice: the batch's entries (``patient``, ``tumor_type``, ``source`` ... as far as given) updated
        with the output's; tensors have lost their batch dimension, and ``scores`` are those of
        :func:`evaluation_scores`.

    Raises:
        ValueError: when the engine's output has no scores.
    """
    output, batch = engine.state.output, engine.state.batch
    items = []
    for i, scores in enumerate(evaluation_scores(engine)):
        given = batch[i] if isinstance(batch, list) else _item(batch, i)
        made = output[i] if isinstance(output, list) else _item(output, i)
        items.append({**(given if isinstance(given, Mapping) else {}), **made, "scores": scores})
    return items


def slice_source(item: Mapping[str, Any]) -> str:
    """The file that a slice of :func:`evaluation_items` came from: its entry ``source``, or its target's meta data.

    Args:
        item: a slice; "" is returned where nothing names its file.
    """
    return str(item.get("source") or getattr(item[Keys.LABEL], "meta", {}).get("filename_or_obj", ""))


def _item(value: Any, index: int) -> Any:
    """The part of a collated value that belongs to one slice."""
    if isinstance(value, Mapping):
        return {key: _item(v, index) for key, v in value.items()}
    if isinstance(value, torch.Tensor):
        return value[index] if value.ndim else value
    if isinstance(value, list | tuple) and len(value) > index:
        return value[index]
    return value


def _floats(scores: Any) -> Any:
    return {k: _floats(v) for k, v in scores.items()} if isinstance(scores, Mapping) else float(scores)
