# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation engine: the network beside its baselines, scored per slice and region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from monai.engines import SupervisedEvaluator
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.metrics import REGIONS, region_masks, region_scores
from monai_srgan.physics.operators import BicubicUpsample
from monai_srgan.precision import autocast, plain

__all__ = ["SREvaluator", "evaluation_items", "evaluation_scores", "slice_source"]

_NEED_MASK = ("inside", "outside", "rim")


class SREvaluator(SupervisedEvaluator):
    """Super-resolve, score on regions, and score the baselines on the same slices.

    A batch holds the LR image ``image`` ``(B, C, h, w)``, the HR target ``label`` ``(B, C, H, W)`` in [0,
    ``data_range``] and the tumour mask ``(B, 1, H, W)`` of {0, 1}. Predictions are scored as they are: never clamped,
    never rescaled.

    ``engine.state.output`` after a step: ``image``, ``label``, ``mask`` as given, ``pred`` ``(B, C, H, W)`` float32,
    ``baselines`` ``{name: (B, C, H, W)}`` and ``scores`` ``{method: {region: {"psnr" | "ssim" | "mse" | "bias" |
    "pixels": (B,) float64 on the CPU}}}``, the network first. NaN is *not measured*: the region is empty in that
    slice. Slices of different sizes are evaluated one by one (``batch_size=1``).

    Deviations from MONAI's ``SupervisedEvaluator``: mixed precision follows the device, and ``decollate`` is off by
    default, since nothing has to be post-processed before scoring; switched on, the handlers of this package still
    work.

    Args:
        device: where to evaluate.
        val_data_loader: batches as above; a loader or a plain list.
        network: any module that enlarges ``image`` to the size of ``label``.
        name: the network's name in tables.
        baselines: name to callable of LR images giving HR images; None is ``{"bicubic": BicubicUpsample(scale)}`` and
            an empty dictionary none.
        scale: enlargement of the default baseline.
        regions: names out of ``monai_srgan.metrics.REGIONS``.
        rim_width: total width of the region ``rim`` in HR pixels.
        data_range: range of the images for PSNR and SSIM.
        mask_key: key of the tumour mask in a batch; may be absent when the regions are only ``whole`` and ``head``.
        amp: mixed precision of the network, bfloat16 on CPUs and where a GPU has it; scores are never computed in it.
        decollate: see MONAI's ``Workflow``.
        kwargs: further arguments of ``SupervisedEvaluator``, such as ``inferer``, ``key_val_metric``, ``val_handlers``.

    Raises:
        ValueError: when a region is unknown, or a baseline has the network's name.
    """

    def __init__(
        self,
        device: torch.device | str,
        val_data_loader: Iterable,
        network: torch.nn.Module,
        *,
        name: str = "model",
        baselines: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] | None = None,
        scale: int = 4,
        regions: Sequence[str] = REGIONS,
        rim_width: float = 10.0,
        data_range: float = 1.0,
        mask_key: str = "mask",
        amp: bool = False,
        decollate: bool = False,
        **kwargs: Any,
    ) -> None:
        unknown = [region for region in regions if region not in REGIONS]
        if unknown or not regions:
            raise ValueError(f"regions must be one or more names out of {REGIONS}, got {tuple(regions)}")
        self.baselines = {"bicubic": BicubicUpsample(scale)} if baselines is None else dict(baselines)
        if name in self.baselines:
            raise ValueError(f"name is the network's in tables and {name!r} is a baseline's: choose another")
        self.name = name
        self.regions = tuple(regions)
        self.rim_width = rim_width
        self.data_range = data_range
        self.mask_key = mask_key
        super().__init__(
            device=device, val_data_loader=val_data_loader, network=network, amp=amp, decollate=decollate, **kwargs
        )

    def _iteration(self, engine: Any, batchdata: dict[str, Any]) -> dict[str, Any]:
        """Predict and score one batch.

        Raises:
            KeyError: when a region needs the tumour mask and the batch has none.
            ValueError: when there is no batch or target, or an image's size is not the target's.
        """
        if batchdata is None:
            raise ValueError("batchdata must be a batch of LR and HR images, got None")
        prepared = engine.prepare_batch(batchdata, engine.state.device, engine.non_blocking, **engine.to_kwargs)
        image, label, args, kwargs = prepared if len(prepared) == 4 else (*prepared, (), {})
        if label is None:
            raise ValueError(f"a batch must hold the HR target under {Keys.LABEL!r} to be scored, it has none")
        lr, hr, mask = plain(image), plain(label), engine._tumour_mask(batchdata, label)
        output: dict[str, Any] = {Keys.IMAGE: image, Keys.LABEL: label, engine.mask_key: mask}
        engine.state.output = output

        with engine.mode(engine.network), autocast(engine.state.device, engine.amp, engine.amp_kwargs):
            output[Keys.PRED] = plain(engine.inferer(lr, engine.network, *args, **kwargs)).float()
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)

        with torch.no_grad():
            output["baselines"] = {name: baseline(lr.float()) for name, baseline in engine.baselines.items()}
            masks = region_masks(mask, hr, engine.regions, engine.rim_width)
            output["scores"] = {
                name: engine._scores(name, pred, hr, masks)
                for name, pred in {engine.name: output[Keys.PRED], **output["baselines"]}.items()
            }
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output  # a list of slices when a handler of the event has decollated it

    def _tumour_mask(self, batchdata: Any, label: torch.Tensor) -> torch.Tensor:
        mask = batchdata.get(self.mask_key) if isinstance(batchdata, Mapping) else None
        if mask is not None:
            return plain(mask).to(self.state.device)
        needed = [region for region in self.regions if region in _NEED_MASK]
        if needed:
            raise KeyError(f"a batch must hold {self.mask_key!r} for the regions {needed}: set mask_key or regions")
        return torch.zeros_like(plain(label)[:, :1], dtype=torch.bool)

    def _scores(
        self, name: str, pred: torch.Tensor, hr: torch.Tensor, masks: dict[str, torch.Tensor]
    ) -> dict[str, dict[str, torch.Tensor]]:
        if pred.shape != hr.shape:
            raise ValueError(f"{name} gave {tuple(pred.shape)} for HR images of {tuple(hr.shape)}: check its scale")
        scores = region_scores(pred, hr.float(), masks, self.data_range)
        return {region: {k: v.cpu() for k, v in values.items()} for region, values in scores.items()}


def evaluation_scores(engine: Any) -> list[dict[str, dict[str, dict[str, float]]]]:
    """The scores of the slices of an evaluator's last step, whether or not the engine decollates.

    Args:
        engine: a :class:`SREvaluator` at ``ITERATION_COMPLETED``.

    Returns:
        for every slice ``{method: {region: {metric: float}}}``, the network first.

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
