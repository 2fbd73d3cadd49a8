# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation engine: what it predicts, scores and puts into its output."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from torch import nn
from torch.nn import functional as F

from monai_srgan.data.tumor_types import TUMOR_TYPES
from monai_srgan.engines import SREvaluator
from monai_srgan.metrics import REGIONS, masked_bias, masked_psnr, masked_ssim, region_masks
from monai_srgan.physics import ConsistencyProjection, KSpaceDownsample
from monai_srgan.scores import CSV_COLUMNS, Method, ScoredSlice, scored_slices

MODEL, BICUBIC = Method("model"), Method("bicubic")


class Brighter(nn.Module):
    """Nearest enlargement plus a learned offset; counts its calls and remembers their circumstances."""

    def __init__(self, scale: int = 4, offset: float = 0.5) -> None:
        super().__init__()
        self.scale = scale
        self.offset = nn.Parameter(torch.tensor(offset))
        self.seen: list[tuple[bool, bool, torch.dtype]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append((self.training, torch.is_grad_enabled(), torch.get_autocast_dtype("cpu")))
        return F.interpolate(x, scale_factor=self.scale, mode="nearest") + self.offset


def sample(size: tuple[int, int] = (64, 48), seed: int = 0, *, tumor: bool = True) -> dict[str, Any]:
    """One slice as the transforms of this package give it."""
    generator = torch.Generator().manual_seed(seed)
    hr = torch.zeros(1, *size)
    hr[:, 8:-8, 6:-6] = 0.3 + 0.3 * torch.rand(1, size[0] - 16, size[1] - 12, generator=generator)
    mask = torch.zeros(1, *size, dtype=torch.uint8)
    if tumor:
        mask[:, 20:37, 15:30] = 1
    meta = {"filename_or_obj": f"folder/{seed}.mat"}
    return {
        "image": MetaTensor(F.avg_pool2d(hr, 4), meta=meta),
        "label": MetaTensor(hr, meta=meta),
        "mask": MetaTensor(mask, meta=meta),
        "patient": f"P{seed}",
        "tumor_type": 1 + seed % 3,
        "source": f"folder/{seed}.mat",
    }


def loader(samples: list[dict[str, Any]], batch_size: int = 1) -> DataLoader:
    return DataLoader(Dataset(samples), batch_size=batch_size)


def outputs(evaluator: SREvaluator) -> list[list[ScoredSlice]]:
    """Run, and collect the slices of every step as handlers see them."""
    from ignite.engine import Events

    steps: list[list[ScoredSlice]] = []
    evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: steps.append(scored_slices(engine)))
    evaluator.run()
    return steps


def names(methods: Any) -> list[str]:
    return [str(method) for method in methods]


def value(item: ScoredSlice, method: Method | str, region: str, metric: str, degradation: str = "") -> float:
    """A score, looked up in the rows."""
    method = Method.parse(method)
    [found] = [
        row.value
        for row in item.scores.rows
        if (row.method, row.region, row.metric, row.degradation) == (method, region, metric, degradation)
    ]
    return found


def pixels(item: ScoredSlice, region: str) -> int:
    [found] = {row.pixels for row in item.scores.rows if row.region == region}
    return found


def test_every_method_is_scored_on_every_region_like_the_functions() -> None:
    data = sample()
    evaluator = SREvaluator("cpu", loader([data]), Brighter(), name="brighter")
    [[item]] = outputs(evaluator)
    hr, mask = (data[k].as_tensor()[None] for k in ("label", "mask"))
    lr = data["image"].as_tensor()[None]
    preds = {
        "brighter": F.interpolate(lr, scale_factor=4, mode="nearest") + 0.5,
        "bicubic": F.interpolate(lr, scale_factor=4, mode="bicubic", align_corners=False),
    }
    regions = region_masks(mask, hr)
    assert names(item.scores.methods()) == ["bicubic", "brighter"]
    for method, pred in preds.items():
        assert tuple(item.scores.regions(Method(method))) == REGIONS
        for region, where in regions.items():
            assert value(item, method, region, "psnr") == pytest.approx(masked_psnr(pred, hr, where).item())
            assert value(item, method, region, "ssim") == pytest.approx(masked_ssim(pred, hr, where).item(), abs=1e-12)
            assert value(item, method, region, "bias") == pytest.approx(masked_bias(pred, hr, where).item())
            assert pixels(item, region) == where.sum().item()


def test_rows_are_in_the_order_of_the_table_and_name_their_slice() -> None:
    darker = {"half": lambda hr: 0.5 * F.avg_pool2d(hr, 4)}
    evaluator = SREvaluator("cpu", loader([sample(seed=1)]), Brighter(), regions=("rim", "whole"), degradations=darker)
    [[item]] = outputs(evaluator)
    order = [(r.degradation, str(r.method), r.region, r.metric) for r in item.scores.rows]
    assert order == [
        (degradation, method, region, metric)
        for degradation in ("", "half")
        for method in ("bicubic", "model")
        for region in ("rim", "whole")
        for metric in ("psnr", "ssim", "mse", "bias")
    ]
    assert {(r.source, r.patient, r.tumor_type) for r in item.scores.rows} == {("folder/1.mat", "P1", "glioma")}
    assert list(item.scores.rows[0].to_csv()) == list(CSV_COLUMNS)


def test_a_slice_without_source_is_named_by_its_meta_data_or_its_place() -> None:
    data = {k: v for k, v in sample().items() if k != "source"}
    bare = {**data, **{k: data[k].as_tensor() for k in ("image", "label", "mask")}}
    assert outputs(SREvaluator("cpu", loader([data]), Brighter()))[0][0].file == "0.mat"
    assert [s.source for s in outputs(SREvaluator("cpu", loader([bare, bare], 2), Brighter()))[0]] == [
        "slice_0_1_0",
        "slice_0_1_1",
    ]


def test_the_output_holds_images_mask_and_the_pictures_of_all_methods() -> None:
    data = sample()
    evaluator = SREvaluator("cpu", [next(iter(loader([data])))], Brighter())
    evaluator.run()
    output = evaluator.state.output
    assert output["image"].shape == (1, 1, 16, 12)
    assert torch.equal(output["label"].as_tensor()[0], data["label"].as_tensor())
    [scored] = evaluator.state.slices
    assert output["pred"].shape == (1, 1, 64, 48)
    assert torch.equal(scored.predictions[MODEL], output["pred"][0])
    assert scored.predictions[BICUBIC].shape == (1, 64, 48)
    assert torch.equal(output["mask"][0].bool(), data["mask"].as_tensor().bool())
    assert not output["pred"].requires_grad


def test_predictions_are_not_clamped_before_scoring() -> None:
    data = sample()
    evaluator = SREvaluator("cpu", loader([data]), Brighter(offset=5.0), baselines={})
    [[item]] = outputs(evaluator)
    assert value(item, MODEL, "whole", "bias") == pytest.approx(5.0, abs=1e-5)
    assert item.predictions[MODEL].max() > 5


def test_the_network_runs_in_eval_mode_without_gradients_and_is_put_back() -> None:
    network = Brighter().train()
    SREvaluator("cpu", loader([sample()]), network).run()
    assert network.seen[0][:2] == (False, False)
    assert network.training


def test_mixed_precision_follows_the_device_and_scores_stay_exact() -> None:
    class Convolution(nn.Conv2d):
        dtypes: tuple[torch.dtype, ...] = ()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = super().forward(F.interpolate(x, scale_factor=4))
            self.dtypes = (*self.dtypes, y.dtype)
            return y

    network = Convolution(1, 1, 1)
    SREvaluator("cpu", loader([sample()]), network).run()
    evaluator = SREvaluator("cpu", loader([sample()]), network, amp=True)
    evaluator.run()
    assert network.dtypes == (torch.float32, torch.bfloat16)
    assert evaluator.state.output["pred"].dtype == torch.float32
    pred, hr = evaluator.state.output["pred"], sample()["label"].as_tensor()[None]
    assert value(evaluator.state.slices[0], MODEL, "whole", "psnr") == masked_psnr(pred, hr).item()


def test_slices_of_different_sizes_are_evaluated_one_by_one() -> None:
    evaluator = SREvaluator("cpu", loader([sample((64, 48)), sample((52, 60), 1)]), Brighter())
    steps = outputs(evaluator)
    assert [item.label.shape[-2:] for [item] in steps] == [(64, 48), (52, 60)]


@pytest.mark.parametrize("decollate", [False, True])
def test_a_batch_is_the_same_as_its_slices_with_and_without_decollation(decollate: bool) -> None:
    samples = [sample(seed=0), sample(seed=1, tumor=False), sample(seed=2)]
    [items] = outputs(SREvaluator("cpu", loader(samples, 3), Brighter(), decollate=decollate))
    singles = [item for [item] in outputs(SREvaluator("cpu", loader(samples), Brighter()))]
    assert [item.patient for item in items] == ["P0", "P1", "P2"]
    assert [item.tumor_type for item in items] == [TUMOR_TYPES[number] for number in (1, 2, 3)]
    for item, single in zip(items, singles, strict=True):
        assert item.source == single.source
        assert item.predictions[MODEL].shape == item.predictions[BICUBIC].shape == (1, 64, 48)
        for row, expected in zip(item.scores.rows, single.scores.rows, strict=True):
            assert replace(row, value=0.0) == replace(expected, value=0.0)
            assert row.value == pytest.approx(expected.value, nan_ok=True)


def test_a_slice_without_tumor_is_not_measured_inside() -> None:
    [[item]] = outputs(SREvaluator("cpu", loader([sample(tumor=False)]), Brighter()))
    assert pixels(item, "inside") == 0
    assert all(math.isnan(row.value) for row in item.scores.rows if row.region == "inside")
    assert value(item, MODEL, "whole", "psnr") == value(item, MODEL, "outside", "psnr")


def test_baselines_and_regions_are_chosen_by_the_caller() -> None:
    evaluator = SREvaluator(
        "cpu",
        loader([sample()]),
        Brighter(),
        baselines={"nearest": nn.Upsample(scale_factor=4)},
        regions=("rim", "whole"),
        rim_width=4,
    )
    [[item]] = outputs(evaluator)
    assert names(item.scores.methods()) == ["nearest", "model"]
    assert item.scores.regions(Method("nearest")) == ["rim", "whole"]
    rim = region_masks(item.mask[None], regions=("rim",), rim_width=4)["rim"]
    assert pixels(item, "rim") == rim.sum().item()


def test_data_range_reaches_the_scores() -> None:
    [[one]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter()))
    [[ten]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter(), data_range=10.0))
    assert value(ten, MODEL, "head", "psnr") == pytest.approx(value(one, MODEL, "head", "psnr") + 20)


def test_another_scale_needs_no_other_code() -> None:
    data = sample()
    data["image"] = MetaTensor(F.avg_pool2d(data["label"].as_tensor(), 2))
    [[item]] = outputs(SREvaluator("cpu", loader([data]), Brighter(2), scale=2))
    assert item.predictions[BICUBIC].shape == (1, 64, 48)


class Towards:
    """Stands for a projection: half way to the enlarged LR image."""

    def __call__(self, pred: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        return 0.5 * (pred + F.interpolate(image, scale_factor=4))


def test_every_method_is_scored_without_and_with_the_projection() -> None:
    data = sample()
    [[item]] = outputs(SREvaluator("cpu", loader([data]), Brighter(), projection=Towards()))
    assert names(item.scores.methods()) == ["bicubic", "bicubic + consistency", "model", "model + consistency"]
    assert list(item.predictions) == item.scores.methods()
    alone, projected = (value(item, method, "whole", "bias") for method in ("model", "model + consistency"))
    assert alone - projected == pytest.approx(0.25, abs=1e-6)  # half of the offset 0.5


def test_an_ensemble_is_scored_on_its_mean_spread_and_intervals() -> None:
    class Ensemble:
        def __call__(self, image: torch.Tensor, network: nn.Module) -> torch.Tensor:
            mean = network(image) - 0.5
            half_width = torch.full_like(mean, 0.05)
            return torch.cat([mean, 2 * mean, half_width], dim=1)

    data = sample()
    [[item]] = outputs(SREvaluator("cpu", loader([data]), Brighter(), name="net", ensemble=Ensemble()))
    hr, lr = data["label"].as_tensor(), data["image"].as_tensor()
    mean = F.interpolate(lr[None], scale_factor=4)[0]
    assert item.spread is not None
    assert item.half_width is not None
    torch.testing.assert_close(item.predictions[Method("net", ("ensemble",))], mean)
    torch.testing.assert_close(item.spread, 2 * mean)
    assert item.half_width.unique().item() == pytest.approx(0.05)
    where = data["mask"].as_tensor() > 0
    covered = value(item, "net + ensemble", "inside", "coverage")
    assert covered == pytest.approx(((hr - mean).abs() <= 0.05)[where].double().mean().item())
    assert value(item, "net + ensemble", "inside", "interval_width") == pytest.approx(0.1)
    assert "coverage" not in item.scores.metrics(Method("net"), "inside")


def test_an_ensemble_without_intervals_has_no_coverage() -> None:
    def ensemble(image: torch.Tensor, network: nn.Module) -> torch.Tensor:
        return torch.cat([network(image), network(image)], dim=1)

    [[item]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter(), ensemble=ensemble))
    assert item.half_width is None
    assert "coverage" not in item.scores.metrics(MODEL.with_("ensemble"), "inside")


def test_further_scores_are_taken_of_every_method_and_may_leave_regions_out() -> None:
    def brightest(pred, target, masks, image):
        assert image.shape == (1, 1, 16, 12)
        assert set(masks) == set(REGIONS)
        return {("whole", "hfen"): (pred - target).amax((1, 2, 3)).double()}

    [[item]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter(), scores=[brightest]))
    for method, pred in item.predictions.items():
        assert value(item, method, "whole", "hfen") == pytest.approx((pred - item.label).max().item())
        assert "hfen" not in item.scores.metrics(method, "head")


def test_a_score_on_a_region_that_is_not_evaluated_is_left_out() -> None:
    def on_the_whole(pred, *_others):
        return {("whole", "hfen"): torch.ones(len(pred))}

    [[item]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter(), regions=("head",), scores=[on_the_whole]))
    assert {row.region for row in item.scores.rows} == {"head"}


def test_other_degradations_are_made_from_the_target_and_scored_apart() -> None:
    darker = {"half": lambda hr: 0.5 * F.avg_pool2d(hr, 4), "same": lambda hr: F.avg_pool2d(hr, 4)}
    evaluator = SREvaluator("cpu", loader([sample()]), Brighter(), degradations=darker, projection=Towards())
    [[item]] = outputs(evaluator)
    rows = item.scores.rows
    assert list(dict.fromkeys(row.degradation for row in rows)) == ["", "half", "same"]
    assert names(dict.fromkeys(row.method for row in rows if row.degradation == "half")) == ["bicubic", "model"]
    same = [row.value for row in rows if (row.degradation, row.method) == ("same", MODEL)]
    assert same == pytest.approx([row.value for row in rows if (row.degradation, row.method) == ("", MODEL)])
    mean = item.label.mean().item()
    biases = [value(item, MODEL, "whole", "bias", name) for name in ("half", "same")]
    assert biases == pytest.approx([0.5 - mean / 2, 0.5], abs=1e-6)


def test_another_degradation_is_projected_by_its_own_operator() -> None:
    kspace = KSpaceDownsample(4)
    data = loader([sample()])
    evaluator = SREvaluator("cpu", data, Brighter(), degradations={"k-space": kspace}, projection=Towards())
    [[item]] = outputs(evaluator)
    methods = dict.fromkeys(row.method for row in item.scores.rows if row.degradation == "k-space")
    assert names(methods) == ["bicubic", "bicubic + consistency", "model", "model + consistency"]
    hr = item.label[None]
    lr = kspace(hr)
    pred = ConsistencyProjection(kspace)(F.interpolate(lr, scale_factor=4) + 0.5, lr)
    found = value(item, "model + consistency", "whole", "psnr", "k-space")
    assert found == pytest.approx(masked_psnr(pred, hr).item())


def test_without_a_mask_whole_and_head_can_still_be_scored() -> None:
    data = sample()
    del data["mask"]
    [[item]] = outputs(SREvaluator("cpu", loader([data]), Brighter(), regions=("whole", "head")))
    assert item.scores.regions(MODEL) == ["whole", "head"]


def run_one(data: dict[str, Any], network: nn.Module, **kwargs: Any) -> None:
    """Run without ignite's log of the exception."""
    evaluator = SREvaluator("cpu", loader([data]), network, **kwargs)
    evaluator.logger.disabled = True
    evaluator.run()


def test_missing_parts_and_wrong_sizes_are_named() -> None:
    data = sample()
    without = {k: v for k, v in data.items() if k != "mask"}
    with pytest.raises(KeyError, match=r"'mask' for the regions \['inside', 'outside', 'rim'\]"):
        run_one(without, Brighter())
    with pytest.raises(ValueError, match="must hold the HR target under"):
        run_one({k: v for k, v in data.items() if k != "label"}, Brighter())
    with pytest.raises(ValueError, match=r"model gave \(1, 1, 32, 24\) for HR images of \(1, 1, 64, 48\)"):
        run_one(data, Brighter(2))
    with pytest.raises(ValueError, match="bicubic gave"):
        run_one(data, Brighter(), scale=2)
    with pytest.raises(ValueError, match=r"regions must be .* got \('brain',\)"):
        run_one(data, Brighter(), regions=("brain",))
    with pytest.raises(ValueError, match="'bicubic' is a baseline's"):
        run_one(data, Brighter(), name="bicubic")


def test_a_network_that_gives_nan_stops_the_evaluation() -> None:
    with pytest.raises(ValueError, match="pred has NaN"):
        run_one(sample(), Brighter(offset=float("nan")))


def test_scores_of_another_engine_are_refused() -> None:
    from monai.engines import SupervisedEvaluator

    evaluator = SupervisedEvaluator("cpu", loader([sample()]), network=Brighter(), decollate=False)
    evaluator.run()
    with pytest.raises(ValueError, match="attach this handler to a SREvaluator"):
        scored_slices(evaluator)
