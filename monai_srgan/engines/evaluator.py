# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation engine: a network beside any set of other methods, scored per slice and region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from monai.engines import SupervisedEvaluator
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys as Keys

from monai_srgan.metrics import REGIONS, interval_scores, region_masks, region_scores
from monai_srgan.physics import BicubicUpsample, ConsistencyProjection
from monai_srgan.precision import autocast, plain
from monai_srgan.scores.methods import CONSISTENCY, ENSEMBLE, variant_name
from monai_srgan.scores.scored_slices import evaluation_items

__all__ = ["SREvaluator"]

_NEED_MASK = ("inside", "outside", "rim")

Images = dict[str, torch.Tensor]
Masks = Mapping[str, torch.Tensor]
Method = Callable[[torch.Tensor], torch.Tensor]
Projection = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Score = Callable[[torch.Tensor, torch.Tensor, Masks, torch.Tensor], Mapping[str, Masks]]


class SREvaluator(SupervisedEvaluator):
    """Super-resolve, score on regions, and score other methods on the same slices.

    A batch holds the LR image ``image`` ``(B, C, h, w)``, the HR target ``label`` ``(B, C, H, W)`` in [0,
    ``data_range``] and the tumour mask ``(B, 1, H, W)`` of {0, 1}. Predictions are scored as they are: never clamped,
    never rescaled.

    ``engine.state.output`` after a step: ``image``, ``label``, ``mask`` as given, ``pred`` ``(B, C, H, W)`` float32 of
    the network, ``preds`` ``{method: (B, C, H, W)}`` of all methods, and ``scores`` ``{method: {region: {"psnr" |
    "ssim" | "mse" | "bias" | "pixels" | ...: (B,) float64 on the CPU}}}``. Methods come in the order of a table: the
    baselines, then the network, each with its ``"<name> + consistency"`` behind it, then ``"<name> + ensemble"`` (or
    ``"<name> + consistency + ensemble"``, where the ensemble's results are projected). NaN is *not measured*: the
    region is empty in that slice. With ``ensemble`` there are also ``spread`` and, where it is
    calibrated, ``half_width``; with ``degradations``, ``degraded_scores`` ``{degradation: scores}``. Slices of
    different sizes are evaluated one by one (``batch_size=1``).

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
        projection: callable ``(pred, image)`` that makes a prediction consistent with its LR image, such as
            :class:`monai_srgan.physics.ConsistencyProjection`: every method is scored without and with it.
        ensemble: inferer ``(image, network)`` whose channels are mean, spread and, where calibrated, half width, such
            as :class:`monai_srgan.inferers.SelfEnsembleInferer`: scored on the network, with coverage and width of the
            intervals, on the loader's own degradation alone.
        scores: further scores, callables ``(pred, target, masks, image)`` giving ``{metric: {region: (B,)}}``, such as
            :class:`monai_srgan.metrics.HFEN`.
        degradations: name to callable of HR images giving LR images: baselines and network are scored, by PSNR, SSIM,
            MSE and bias, on these too; with a `projection`, also after that of the degradation's own operator, where
            it has an adjoint.
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
        baselines: Mapping[str, Method] | None = None,
        scale: int = 4,
        regions: Sequence[str] = REGIONS,
        rim_width: float = 10.0,
        data_range: float = 1.0,
        mask_key: str = "mask",
        projection: Projection | None = None,
        ensemble: Callable[..., torch.Tensor] | None = None,
        scores: Sequence[Score] = (),
        degradations: Mapping[str, Method] | None = None,
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
        self.extra_scores = tuple(scores)
        self.degradations = dict(degradations or {})
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

        output[Keys.PRED] = engine._run(engine.inferer, lr, *args, **kwargs)
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)

        with torch.no_grad():
            masks = region_masks(mask, hr, engine.regions, engine.rim_width)
            preds = {name: method(lr.float()) for name, method in engine.baselines.items()}
            preds[engine.name] = output[Keys.PRED]
            output["preds"] = dict(engine._with_consistent(preds, lr.float(), engine.projection))
            output["scores"] = {
                name: engine._scores(name, pred, hr, masks, lr) for name, pred in output["preds"].items()
            }
            if engine.ensemble is not None:
                engine._add_ensemble(output, engine._run(engine.ensemble, lr, *args, **kwargs), hr, masks, lr)
            if engine.degradations:
                output["degraded_scores"] = {
                    name: engine._degraded_scores(degrade, hr, masks, args, kwargs)
                    for name, degrade in engine.degradations.items()
                }
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output  # a list of slices when a handler of the event has decollated it

    def examine(self, batchdata: dict[str, Any]) -> list[dict[str, Any]]:
        """Predict and score one batch outside a run, such as a slice to be shown.

        Args:
            batchdata: a batch as the loader gives it.

        Returns:
            its slices, see :func:`evaluation_items`; ``state.batch`` and ``state.output`` are those of this batch.
        """
        self.state.batch = batchdata
        self.state.output = self._iteration(self, batchdata)
        return evaluation_items(self)

    def _run(self, inferer: Callable[..., torch.Tensor], lr: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """The network's images, float32."""
        with self.mode(self.network), autocast(self.state.device, self.amp, self.amp_kwargs):
            return plain(inferer(lr, self.network, *args, **kwargs)).float()

    @staticmethod
    def _with_consistent(
        preds: Images, lr: torch.Tensor, projection: Projection | None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        for name, pred in preds.items():
            yield name, pred
            if projection is not None:
                yield variant_name(name, CONSISTENCY), projection(pred, lr)

    def _add_ensemble(
        self, output: dict[str, Any], maps: torch.Tensor, hr: torch.Tensor, masks: Masks, lr: torch.Tensor
    ) -> None:
        """Score the ensemble's mean, and its intervals where there are some."""
        mean, output["spread"], *half_width = maps.split(hr.shape[1], dim=1)
        base = variant_name(self.name, CONSISTENCY) if getattr(self.ensemble, "consistent", False) else self.name
        name = variant_name(base, ENSEMBLE)
        output["preds"][name] = mean
        output["scores"][name] = self._scores(name, mean, hr, masks, lr)
        if half_width:
            output["half_width"] = half_width[0]
            found = interval_scores(mean, half_width[0], hr.float(), masks)
            self._merge(output["scores"][name], found)

    def _degraded_scores(self, degrade: Method, hr: torch.Tensor, masks: Masks, args: Any, kwargs: Any) -> Any:
        lr = degrade(hr.float())
        # what a user would have who knows the operator, and a network that does not
        own = self.projection is not None and hasattr(degrade, "adjoint")
        projection = ConsistencyProjection(degrade) if own else None
        preds = {name: method(lr) for name, method in self.baselines.items()}
        preds[self.name] = self._run(self.inferer, lr, *args, **kwargs)
        preds = dict(self._with_consistent(preds, lr, projection))
        return {name: self._plain_scores(name, pred, hr, masks) for name, pred in preds.items()}

    def _tumour_mask(self, batchdata: Any, label: torch.Tensor) -> torch.Tensor:
        mask = batchdata.get(self.mask_key) if isinstance(batchdata, Mapping) else None
        if mask is not None:
            return plain(mask).to(self.state.device)
        needed = [region for region in self.regions if region in _NEED_MASK]
        if needed:
            raise KeyError(f"a batch must hold {self.mask_key!r} for the regions {needed}: set mask_key or regions")
        return torch.zeros_like(plain(label)[:, :1], dtype=torch.bool)

    def _scores(
        self, name: str, pred: torch.Tensor, hr: torch.Tensor, masks: Masks, lr: torch.Tensor
    ) -> dict[str, dict[str, torch.Tensor]]:
        scores = self._plain_scores(name, pred, hr, masks)
        for score in self.extra_scores:
            self._merge(scores, score(pred, hr.float(), masks, lr.float()))
        return scores

    def _plain_scores(
        self, name: str, pred: torch.Tensor, hr: torch.Tensor, masks: Masks
    ) -> dict[str, dict[str, torch.Tensor]]:
        if pred.shape != hr.shape:
            raise ValueError(f"{name} gave {tuple(pred.shape)} for HR images of {tuple(hr.shape)}: check its scale")
        scores = region_scores(pred, hr.float(), masks, self.data_range)
        return {region: {k: v.cpu() for k, v in values.items()} for region, values in scores.items()}

    @staticmethod
    def _merge(scores: dict[str, dict[str, torch.Tensor]], found: Mapping[str, Masks]) -> None:
        for metric, regions in found.items():
            for region, values in regions.items():
                if region in scores:  # a score may know one region alone, which is not asked for
                    scores[region][metric] = values.cpu()
