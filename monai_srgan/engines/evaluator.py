# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation engine: a network beside any set of other methods, scored per slice and region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from monai.engines import SupervisedEvaluator
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.data.tumor_types import tumor_type_name
from monai_srgan.engines.method_scores import Batch, MethodScorer, MethodScores, Score
from monai_srgan.engines.predictions import (
    Degradation,
    Degrade,
    Enlarge,
    Enlarger,
    Estimate,
    Estimates,
    LRImages,
    Prediction,
    Projection,
    predict,
    takes_condition,
)
from monai_srgan.inferers import MeasuredInferer
from monai_srgan.metrics import REGIONS, FourierRings, region_masks
from monai_srgan.physics import BicubicUpsample, Measurement
from monai_srgan.precision import autocast, plain
from monai_srgan.processes import rank
from monai_srgan.scores import CONSISTENCY, ENSEMBLE, ESTIMATED, Method, ScoredSlice, ScoreRow, SliceScores
from monai_srgan.uncertainty import TrustMaps

__all__ = ["SREvaluator"]

_NEED_MASK = ("inside", "outside", "rim")


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

    A network or baseline with a true attribute ``takes_condition`` is *conditioned*: it is told how the LR images were
    measured (keyword `condition`), and with `estimate` also scored without being told, as ``<name> + estimated``. That
    is the result of ``monai-srgan upscale`` for a file of the LR image: each image is scaled by its own percentile, its
    measurement is estimated, and :class:`~monai_srgan.inferers.MeasuredInferer` enlarges it, by bicubic interpolation
    where the estimate is declined. The score ``declined`` is then 1, else 0; it stands in the region ``whole``.

    Methods are in the order of tables: the baselines, then the network, each followed by ``<name> + consistency`` where
    there is a `projection`, and by ``<name> + estimated``; last ``<name> + ensemble``, or ``<name> + consistency +
    ensemble`` where the ensemble's results are projected. NaN means *not measured*: the region is empty in that slice.

    Deviations from MONAI's ``SupervisedEvaluator``: mixed precision follows the device, and ``decollate`` is off by
    default, since scoring needs no postprocessing; the handlers of this package work with either.

    Args:
        device: device of the evaluation.
        val_data_loader: batches as above; a loader or a plain list.
        network: any module that enlarges ``image`` to the size of ``label``.
        name: the network's name in tables.
        baselines: name to callable of LR images giving HR images, such as :class:`~monai_srgan.inferers.Predictor`;
            None is ``{"bicubic": BicubicUpsample(scale)}`` and an empty dictionary none.
        scale: enlargement of the default baseline, and of images whose estimate is declined.
        regions: names from ``monai_srgan.metrics.REGIONS``.
        rim_width: total width of the region ``rim`` in HR pixels.
        data_range: range of the images for PSNR and SSIM.
        mask_key: key of the tumor mask in a batch; may be absent when the regions are only ``whole`` and ``head``.
        projection: callable ``(pred, image)`` that makes a prediction consistent with its LR image, such as
            :class:`monai_srgan.physics.ConsistencyProjection`: every method is scored without and with it.
        ensemble: inferer ``(image, network)`` whose channels are mean, spread and, where calibrated, half-width, such
            as :class:`monai_srgan.inferers.SelfEnsembleInferer`; around a ``MeasuredInferer`` it goes by the estimates,
            as ``<name> + estimated + ensemble``. The network's ensemble is scored, with coverage and width of its
            intervals; on `degradations` too where it goes by the estimates and has intervals.
        scores: further scores, callables ``(pred, target, masks, image)`` giving ``{(region, metric): (B,)}``, such as
            :class:`monai_srgan.metrics.HFEN`.
        rings: measures power and coherence by frequency, kept in ``engine.state.slices``, and the effective resolution
            of every method, on the loader's own degradation only.
        degradations: further degradations by name, each a :class:`~monai_srgan.physics.Measurement`, or a callable of
            HR images giving LR images, about which conditioned methods are told nothing. Baselines and network are also
            scored on these, by PSNR, SSIM, MSE and bias; with a `projection`, also after the projection of the
            degradation's own operator, where it has an adjoint, weighted by the record's noise. The noise is drawn from
            the HR image, so that it is the same in every run.
        measurement: how the loader's LR images were measured, which conditioned methods are told; None where it is not
            known, and then they assume their default. A batch whose `prepare_batch` gives a keyword ``condition``
            overrides it.
        estimate: callable from an LR image ``(X, Y)`` to an :class:`~monai_srgan.estimation.AssumedMeasurement`, such
            as :func:`~monai_srgan.estimation.assume_measurement`; None scores no method as estimated.
        amp: mixed precision of the network, bfloat16 on CPUs and on GPUs that support it; scores are never computed in
            it.
        decollate: see MONAI's ``Workflow``.
        kwargs: further arguments of ``SupervisedEvaluator``, such as ``inferer``, ``key_val_metric``, ``val_handlers``.

    Raises:
        TypeError: if `estimate` is given and the inferer is not a ``monai.inferers.Inferer``.
        ValueError: if a region is unknown, a baseline has the network's name, a record of `degradations` depends on the
            tumor mask, or there is an `estimate` and no conditioned method.
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
        degradations: Mapping[str, Measurement | Degrade] | None = None,
        measurement: Measurement | None = None,
        estimate: Estimate | None = None,
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
        self.measurement = measurement
        self.estimate = estimate
        conditioned = any(map(takes_condition, (network, *self.baselines.values())))
        if estimate is not None and not conditioned:
            raise ValueError("estimate needs a network that takes a condition, and no method does: set estimate=None")
        super().__init__(
            device=device, val_data_loader=val_data_loader, network=network, amp=amp, decollate=decollate, **kwargs
        )
        self._measured = None if estimate is None else MeasuredInferer(self.inferer, scale=scale)
        self._scorer = MethodScorer(self.regions, data_range, self.scores, rings)
        self._told = measurement.condition()[None] if measurement is not None and conditioned else None
        self._further = [
            Degradation.of(title, given, tell=conditioned, project=projection is not None)
            for title, given in self.degradations.items()
        ]

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
        kwargs = dict(kwargs)
        condition = kwargs.pop("condition", self._told) if takes_condition(self.network) else self._told
        network = self._network(self.inferer, args, kwargs)
        output[Keys.PRED] = network.told(LRImages(plain(image), condition))
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        with torch.no_grad():
            masks = region_masks(mask, plain(label), self.regions, self.rim_width)
            batch = Batch(plain(image), plain(label), mask, masks)
            lr = self._lr_images(batch.lr.float(), condition, self.projection)
            predictions = predict(self._methods(network), lr, {self.method: output[Keys.PRED]})
            scores = [self._scorer.all_scores(m, p, batch) for m, p in predictions.items()]
            maps = None
            ensemble = None
            if self.ensemble is not None:
                ensemble = self._network(self.ensemble, args, kwargs, measured=self.ensemble)
                maps = self._ensemble_maps(ensemble, lr)
                predictions[self._ensemble_method] = Prediction(maps.mean)
                scores.append(self._scorer.all_scores(self._ensemble_method, Prediction(maps.mean), batch, maps))
            for degradation in self._further:
                scores += self._degraded_scores(degradation, network, ensemble, batch)
            self.state.slices = self._scored_slices(batch, predictions, scores, maps, batchdata, label)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return self.state.output  # a list of slices where a handler of the event has decollated it

    def _ensemble_maps(self, ensemble: Enlarger, lr: LRImages) -> TrustMaps[torch.Tensor]:
        """The maps of the self-ensemble: as estimated if its inferer goes by records, else as told."""
        channels = lr.images.shape[1]
        if not self._ensemble_estimates or lr.estimates is None:
            return TrustMaps.split(ensemble.told(lr), channels)
        images = lr.estimates.images
        maps = [TrustMaps.split(ensemble.enlarge(i.scaled, measurements=[i.record]), channels) for i in images]
        restored = [image.restored_maps(found).joined() for image, found in zip(images, maps, strict=True)]
        return TrustMaps.split(torch.cat(restored), channels)

    def _network(
        self,
        inferer: Callable[..., torch.Tensor],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        measured: Callable[..., torch.Tensor] | None = None,
    ) -> Enlarger:
        """The network as a method, run by an inferer, or by another one if records are given."""
        by_record = self._measured if measured is None else measured

        def enlarge(lr: torch.Tensor, **known: Any) -> torch.Tensor:
            runner = by_record if by_record is not None and "measurements" in known else inferer
            with self.mode(self.network), autocast(self.state.device, self.amp, self.amp_kwargs):
                return plain(runner(lr, self.network, *args, **kwargs, **known)).float()

        return Enlarger(self.method, enlarge, takes_condition(self.network))

    def _methods(self, network: Enlarger) -> list[Enlarger]:
        """The baselines, and the network."""
        baselines = [
            Enlarger(Method.parse(n), enlarge, takes_condition(enlarge)) for n, enlarge in self.baselines.items()
        ]
        return [*baselines, network]

    def _lr_images(
        self, images: torch.Tensor, condition: torch.Tensor | None, projection: Projection | None
    ) -> LRImages:
        estimates = None if self.estimate is None else Estimates.of(images, self.estimate)
        return LRImages(images, condition, projection, estimates)

    def _degraded_scores(
        self, degradation: Degradation, network: Enlarger, ensemble: Enlarger | None, batch: Batch
    ) -> list[MethodScores]:
        images = degradation.degrade(batch.hr.float())
        lr = self._lr_images(images, degradation.condition, degradation.projection)
        predictions = predict(self._methods(network), lr)
        scores = [self._scorer.fidelity(degradation.name, m, p, batch) for m, p in predictions.items()]
        if ensemble is not None and self._has_intervals_by_record:
            maps = self._ensemble_maps(ensemble, lr)
            mean = Prediction(maps.mean)
            scores.append(self._scorer.fidelity(degradation.name, self._ensemble_method, mean, batch, maps))
        return scores

    @property
    def _ensemble_method(self) -> Method:
        if self._ensemble_estimates:
            return self.method.with_(ESTIMATED).with_(ENSEMBLE)
        consistent = getattr(self.ensemble, "consistent", False)
        return (self.method.with_(CONSISTENCY) if consistent else self.method).with_(ENSEMBLE)

    @property
    def _ensemble_estimates(self) -> bool:
        """Whether the self-ensemble goes by the estimated measurement."""
        return self.estimate is not None and isinstance(getattr(self.ensemble, "inferer", None), MeasuredInferer)

    @property
    def _has_intervals_by_record(self) -> bool:
        """Whether the self-ensemble gives intervals that hold for other degradations than the loader's."""
        return self._ensemble_estimates and getattr(self.ensemble, "intervals", None) is not None

    def _tumor_mask(self, batchdata: Any, label: torch.Tensor) -> torch.Tensor:
        mask = batchdata.get(self.mask_key) if isinstance(batchdata, Mapping) else None
        if mask is not None:
            return plain(mask).to(self.state.device)
        needed = [region for region in self.regions if region in _NEED_MASK]
        if needed:
            raise KeyError(f"a batch must hold {self.mask_key!r} for the regions {needed}: set mask_key or regions")
        return torch.zeros_like(plain(label)[:, :1], dtype=torch.bool)

    def _scored_slices(
        self,
        batch: Batch,
        predictions: Mapping[Method, Prediction],
        scores: Sequence[MethodScores],
        maps: TrustMaps[torch.Tensor] | None,
        batchdata: Any,
        label: torch.Tensor,
    ) -> list[ScoredSlice]:
        """The results of a batch by slice."""
        half_width = None if maps is None else maps.half_width
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
                    predictions={method: found.images[i] for method, found in predictions.items()},
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
                    spread=None if maps is None else maps.spread[i],
                    half_width=None if half_width is None or bool(half_width[i].isnan().all()) else half_width[i],
                    rings=tuple(curve for found in scores for curve in found.curves(source, i)),
                )
            )
        return slices

    def _source(self, batchdata: Any, label: torch.Tensor, index: int) -> str:
        """The slice's file: its entry ``source``, or that of its target's metadata; else its place in the run."""
        source = _entry(batchdata, "source", index) or getattr(label[index], "meta", {}).get("filename_or_obj")
        return str(source or f"slice_{rank()}_{self.state.iteration}_{index}")


def _entry(batchdata: Any, key: str, index: int, default: Any = None) -> Any:
    """One slice's part of an entry of a collated batch."""
    value = batchdata.get(key, default) if isinstance(batchdata, Mapping) else default
    if isinstance(value, torch.Tensor):
        return value[index] if value.ndim else value
    return value[index] if isinstance(value, list | tuple) else value
