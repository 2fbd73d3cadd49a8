# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation engine: a network beside any set of other methods, scored per slice and region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from monai.engines import SupervisedEvaluator
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.data.tumor_types import tumor_type_name
from monai_srgan.metrics import (
    REGIONS,
    FourierRings,
    RegionValues,
    RingComparison,
    interval_scores,
    region_masks,
    region_scores,
)
from monai_srgan.physics import BicubicUpsample, ConsistencyProjection
from monai_srgan.precision import autocast, plain
from monai_srgan.processes import rank
from monai_srgan.scores import CONSISTENCY, ENSEMBLE, Method, RingCurve, ScoredSlice, ScoreRow, SliceScores
from monai_srgan.uncertainty import TrustMaps

__all__ = ["SREvaluator"]

_NEED_MASK = ("inside", "outside", "rim")

Masks = Mapping[str, torch.Tensor]
Predictions = dict[Method, torch.Tensor]
Degrade = Callable[[torch.Tensor], torch.Tensor]
Enlarge = Callable[[torch.Tensor], torch.Tensor]
Projection = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Score = Callable[[torch.Tensor, torch.Tensor, Masks, torch.Tensor], RegionValues]


@dataclass(frozen=True)
class _Batch:
    """One batch, checked and on the device."""

    lr: torch.Tensor
    hr: torch.Tensor
    mask: torch.Tensor
    masks: Masks
    args: Sequence[Any]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class _MethodScores:
    """The scores of one method on one batch."""

    degradation: str
    method: Method
    values: RegionValues
    rings: RingComparison | None = None

    def curves(self, source: str, index: int) -> list[RingCurve]:
        """The curves of one slice of the batch: one, or none where they are not measured."""
        if self.rings is None:
            return []
        frequency, power, coherence = self.rings.frequency, self.rings.power[index], self.rings.coherence[index]
        return [RingCurve(source, self.method, *(tuple(values.tolist()) for values in (frequency, power, coherence)))]


@dataclass(frozen=True)
class _Ensemble:
    """The self-ensemble as a method, and its maps ``(B, C, H, W)``."""

    method: Method
    maps: TrustMaps[torch.Tensor]


class SREvaluator(SupervisedEvaluator):
    """Super-resolve, score on regions, and score other methods on the same slices.

    A batch holds the LR image ``image`` ``(B, C, h, w)``, the HR target ``label`` ``(B, C, H, W)`` in [0,
    ``data_range``] and the tumor mask ``(B, 1, H, W)`` of {0, 1}. Predictions are scored as they are: never clamped,
    never rescaled. Slices of different sizes are evaluated one by one (``batch_size=1``).

    After a step, ``engine.state.output`` holds what MONAI's handlers expect: ``image``, ``label`` and the mask as
    given, and ``pred`` ``(B, C, H, W)`` float32 of the network. ``engine.state.slices`` holds a
    :class:`~monai_srgan.scores.ScoredSlice` for every slice of the batch, with the predictions of all methods and a
    :class:`~monai_srgan.scores.ScoreRow` for every degradation, method, region and metric; handlers read it by
    :func:`monai_srgan.scores.scored_slices`.

    Methods are in the order of tables: the baselines, then the network, each followed by ``<name> + consistency`` where
    there is a `projection`; last ``<name> + ensemble``, or ``<name> + consistency + ensemble`` where the ensemble's
    results are projected. NaN means *not measured*: the region is empty in that slice.

    Deviations from MONAI's ``SupervisedEvaluator``: mixed precision follows the device, and ``decollate`` is off by
    default, since scoring needs no postprocessing; the handlers of this package work with either.

    Args:
        device: device of the evaluation.
        val_data_loader: batches as above; a loader or a plain list.
        network: any module that enlarges ``image`` to the size of ``label``.
        name: the network's name in tables.
        baselines: name to callable of LR images giving HR images; None is ``{"bicubic": BicubicUpsample(scale)}`` and
            an empty dictionary none.
        scale: enlargement of the default baseline.
        regions: names from ``monai_srgan.metrics.REGIONS``.
        rim_width: total width of the region ``rim`` in HR pixels.
        data_range: range of the images for PSNR and SSIM.
        mask_key: key of the tumor mask in a batch; may be absent when the regions are only ``whole`` and ``head``.
        projection: callable ``(pred, image)`` that makes a prediction consistent with its LR image, such as
            :class:`monai_srgan.physics.ConsistencyProjection`: every method is scored without and with it.
        ensemble: inferer ``(image, network)`` whose channels are mean, spread and, where calibrated, half-width, such
            as :class:`monai_srgan.inferers.SelfEnsembleInferer`. The network's ensemble is scored, with coverage and
            width of its intervals, on the loader's own degradation only.
        scores: further scores, callables ``(pred, target, masks, image)`` giving ``{(region, metric): (B,)}``, such as
            :class:`monai_srgan.metrics.HFEN`.
        rings: measures power and coherence by frequency, kept in ``engine.state.slices``, and the effective resolution
            of every method, on the loader's own degradation only.
        degradations: name to callable of HR images giving LR images: baselines and network are also scored on these, by
            PSNR, SSIM, MSE and bias; with a `projection`, also after the projection of the degradation's own operator,
            where it has an adjoint.
        amp: mixed precision of the network, bfloat16 on CPUs and on GPUs that support it; scores are never computed in
            it.
        decollate: see MONAI's ``Workflow``.
        kwargs: further arguments of ``SupervisedEvaluator``, such as ``inferer``, ``key_val_metric``, ``val_handlers``.

    Raises:
        ValueError: if a region is unknown, or a baseline has the network's name.
    """

    def __init__(
        self,
        device: torch.device | str,
        val_data_loader: Iterable,
        network: torch.nn.Module,
        *,
        name: str = "model",
        baselines: Mapping[str, Enlarge] | None = None,
        scale: int = 4,
        regions: Sequence[str] = REGIONS,
        rim_width: float = 10.0,
        data_range: float = 1.0,
        mask_key: str = "mask",
        projection: Projection | None = None,
        ensemble: Callable[..., torch.Tensor] | None = None,
        scores: Sequence[Score] = (),
        rings: FourierRings | None = None,
        degradations: Mapping[str, Degrade] | None = None,
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
        self.projection = projection
        self.ensemble = ensemble
        self.scores = tuple(scores)
        self.rings = rings
        self.degradations = dict(degradations or {})
        super().__init__(
            device=device, val_data_loader=val_data_loader, network=network, amp=amp, decollate=decollate, **kwargs
        )

    @property
    def method(self) -> Method:
        """The network as a method of the tables."""
        return Method.parse(self.name)

    def _iteration(self, engine: Any, batchdata: dict[str, Any]) -> dict[str, Any]:
        """Predict and score one batch.

        Raises:
            KeyError: if a region needs the tumor mask and the batch has none.
            ValueError: if there is no batch or target, or the size of an image is not the target's.
        """
        if batchdata is None:
            raise ValueError("batchdata must be a batch of LR and HR images, got None")
        prepared = self.prepare_batch(batchdata, self.state.device, self.non_blocking, **self.to_kwargs)
        image, label, args, kwargs = prepared if len(prepared) == 4 else (*prepared, (), {})
        if label is None:
            raise ValueError(f"a batch must hold the HR target under {Keys.LABEL!r} to be scored, it has none")
        mask = self._tumor_mask(batchdata, label)
        output: dict[str, Any] = {Keys.IMAGE: image, Keys.LABEL: label, self.mask_key: mask}
        self.state.output = output
        output[Keys.PRED] = self._run(self.inferer, plain(image), *args, **kwargs)
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        with torch.no_grad():
            masks = region_masks(mask, plain(label), self.regions, self.rim_width)
            batch = _Batch(plain(image), plain(label), mask, masks, args, kwargs)
            self.state.slices = self._scored_slices(batch, output[Keys.PRED], batchdata, label)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return self.state.output  # a list of slices where a handler of the event has decollated it

    def _run(self, inferer: Callable[..., torch.Tensor], lr: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """The network's images, float32."""
        with self.mode(self.network), autocast(self.state.device, self.amp, self.amp_kwargs):
            return plain(inferer(lr, self.network, *args, **kwargs)).float()

    def _tumor_mask(self, batchdata: Any, label: torch.Tensor) -> torch.Tensor:
        mask = batchdata.get(self.mask_key) if isinstance(batchdata, Mapping) else None
        if mask is not None:
            return plain(mask).to(self.state.device)
        needed = [region for region in self.regions if region in _NEED_MASK]
        if needed:
            raise KeyError(f"a batch must hold {self.mask_key!r} for the regions {needed}: set mask_key or regions")
        return torch.zeros_like(plain(label)[:, :1], dtype=torch.bool)

    def _scored_slices(
        self, batch: _Batch, pred: torch.Tensor, batchdata: Any, label: torch.Tensor
    ) -> list[ScoredSlice]:
        """Score all methods on a batch and collect the results by slice."""
        predictions = self._predictions(batch.lr.float(), pred, self.projection)
        scores = [self._all_scores(m, p, batch) for m, p in predictions.items()]
        ensemble = None if self.ensemble is None else self._ensemble_maps(self.ensemble, batch)
        if ensemble is not None:
            predictions[ensemble.method] = ensemble.maps.mean
            scores.append(self._ensemble_scores(ensemble, batch))
        half_width = None if ensemble is None else ensemble.maps.half_width
        for name, degrade in self.degradations.items():
            scores += self._degraded_scores(name, degrade, batch)

        slices = []
        for i in range(len(batch.hr)):
            source = self._source(batchdata, label, i)
            patient = str(_entry(batchdata, "patient", i, ""))
            tumor_type = tumor_type_name(_entry(batchdata, "tumor_type", i))
            slices.append(
                ScoredSlice(
                    source=source,
                    patient=patient,
                    tumor_type=tumor_type,
                    image=batch.lr[i],
                    label=batch.hr[i],
                    mask=batch.mask[i],
                    predictions={method: images[i] for method, images in predictions.items()},
                    scores=SliceScores.of(
                        ScoreRow(
                            source=source,
                            patient=patient,
                            tumor_type=tumor_type,
                            degradation=found.degradation,
                            method=found.method,
                            region=region,
                            metric=metric,
                            value=float(values[i]),
                            pixels=int(found.values[region, "pixels"][i]),
                        )
                        for found in scores
                        for (region, metric), values in found.values.items()
                        if metric != "pixels"
                    ),
                    spread=None if ensemble is None else ensemble.maps.spread[i],
                    half_width=None if half_width is None else half_width[i],
                    rings=tuple(curve for found in scores for curve in found.curves(source, i)),
                )
            )
        return slices

    def _source(self, batchdata: Any, label: torch.Tensor, index: int) -> str:
        """The slice's file: its entry ``source``, or that of its target's metadata; else its place in the run."""
        source = _entry(batchdata, "source", index) or getattr(label[index], "meta", {}).get("filename_or_obj")
        return str(source or f"slice_{rank()}_{self.state.iteration}_{index}")

    def _predictions(self, lr: torch.Tensor, pred: torch.Tensor, projection: Projection | None) -> Predictions:
        """Images of all methods, each followed by its projection."""
        images = {Method.parse(name): enlarge(lr) for name, enlarge in self.baselines.items()}
        images[self.method] = pred
        predictions: Predictions = {}
        for method, image in images.items():
            predictions[method] = image
            if projection is not None:
                predictions[method.with_(CONSISTENCY)] = projection(image, lr)
        return predictions

    def _ensemble_maps(self, ensemble: Callable[..., torch.Tensor], batch: _Batch) -> _Ensemble:
        maps = TrustMaps.split(self._run(ensemble, batch.lr, *batch.args, **batch.kwargs), batch.hr.shape[1])
        base = self.method.with_(CONSISTENCY) if getattr(ensemble, "consistent", False) else self.method
        return _Ensemble(base.with_(ENSEMBLE), maps)

    def _ensemble_scores(self, ensemble: _Ensemble, batch: _Batch) -> _MethodScores:
        maps = ensemble.maps
        scores = self._all_scores(ensemble.method, maps.mean, batch)
        if maps.half_width is None:
            return scores
        intervals = interval_scores(maps.mean, maps.half_width, batch.hr.float(), batch.masks)
        return replace(scores, values=self._by_region(scores.values | intervals))

    def _degraded_scores(self, name: str, degrade: Degrade, batch: _Batch) -> list[_MethodScores]:
        lr = degrade(batch.hr.float())
        # the degradation's own operator: what a user has who knows it, while the network does not
        own = self.projection is not None and hasattr(degrade, "adjoint")
        projection = ConsistencyProjection(degrade) if own else None
        pred = self._run(self.inferer, lr, *batch.args, **batch.kwargs)
        predictions = self._predictions(lr, pred, projection)
        return [_MethodScores(name, m, self._fidelity(m, p, batch)) for m, p in predictions.items()]

    def _all_scores(self, method: Method, pred: torch.Tensor, batch: _Batch) -> _MethodScores:
        scores = self._fidelity(method, pred, batch)
        for score in self.scores:
            scores |= score(pred, batch.hr.float(), batch.masks, batch.lr.float())
        rings = None
        if self.rings is not None:
            rings = self.rings.compare(pred, batch.hr.float())
            scores |= self.rings.scores(rings)
        return _MethodScores("", method, self._by_region(scores), rings)

    def _fidelity(self, method: Method, pred: torch.Tensor, batch: _Batch) -> RegionValues:
        if pred.shape != batch.hr.shape:
            shapes = f"{tuple(pred.shape)} for HR images of {tuple(batch.hr.shape)}"
            raise ValueError(f"{method} gave {shapes}: check its scale")
        scores = region_scores(pred, batch.hr.float(), batch.masks, self.data_range)
        return {key: values.cpu() for key, values in scores.items()}

    def _by_region(self, scores: RegionValues) -> RegionValues:
        """The scores of the evaluator's regions, region by region."""
        return {
            (region, metric): values.cpu()
            for wanted in self.regions
            for (region, metric), values in scores.items()
            if region == wanted  # a score may be defined on a region that is not evaluated
        }


def _entry(batchdata: Any, key: str, index: int, default: Any = None) -> Any:
    """One slice's part of an entry of a collated batch."""
    value = batchdata.get(key, default) if isinstance(batchdata, Mapping) else default
    if isinstance(value, torch.Tensor):
        return value[index] if value.ndim else value
    return value[index] if isinstance(value, list | tuple) else value
