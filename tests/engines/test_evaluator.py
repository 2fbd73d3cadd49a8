# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation engine: what it predicts, scores and puts into its output."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from torch import nn
from torch.nn import functional as F

from monai_srgan.engines import SREvaluator
from monai_srgan.metrics import REGIONS, masked_bias, masked_psnr, masked_ssim, region_masks
from monai_srgan.physics import ConsistencyProjection, KSpaceDownsample
from monai_srgan.scores import evaluation_items, evaluation_scores


class Brighter(nn.Module):
    """Nearest enlargement plus a learnt offset; counts its calls and remembers their circumstances."""

    def __init__(self, scale: int = 4, offset: float = 0.5) -> None:
        super().__init__()
        self.scale = scale
        self.offset = nn.Parameter(torch.tensor(offset))
        self.seen: list[tuple[bool, bool, torch.dtype]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append((self.training, torch.is_grad_enabled(), torch.get_autocast_dtype("cpu")))
        return F.interpolate(x, scale_factor=self.scale, mode="nearest") + self.offset


def sample(size: tuple[int, int] = (64, 48), seed: int = 0, *, tumour: bool = True) -> dict[str, Any]:
    """One slice as the transforms of this package give it."""
    generator = torch.Generator().manual_seed(seed)
    hr = torch.zeros(1, *size)
    hr[:, 8:-8, 6:-6] = 0.3 + 0.3 * torch.rand(1, size[0] - 16, size[1] - 12, generator=generator)
    mask = torch.zeros(1, *size, dtype=torch.uint8)
    if tumour:
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


def outputs(evaluator: SREvaluator) -> list[list[dict[str, Any]]]:
    """Run, and collect the slices of every step as handlers see them."""
    from ignite.engine import Events

    steps: list[list[dict[str, Any]]] = []
    evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: steps.append(evaluation_items(engine)))
    evaluator.run()
    return steps


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
    assert list(item["scores"]) == ["bicubic", "brighter"]
    for method, pred in preds.items():
        assert tuple(item["scores"][method]) == REGIONS
        for region, where in regions.items():
            got = item["scores"][method][region]
            assert got["psnr"] == pytest.approx(masked_psnr(pred, hr, where).item())
            assert got["ssim"] == pytest.approx(masked_ssim(pred, hr, where).item(), abs=1e-12)
            assert got["bias"] == pytest.approx(masked_bias(pred, hr, where).item())
            assert got["pixels"] == where.sum().item()


def test_the_output_holds_images_mask_and_the_pictures_of_all_methods() -> None:
    data = sample()
    evaluator = SREvaluator("cpu", [next(iter(loader([data])))], Brighter())
    evaluator.run()
    output = evaluator.state.output
    assert output["image"].shape == (1, 1, 16, 12)
    assert torch.equal(output["label"].as_tensor()[0], data["label"].as_tensor())
    assert output["pred"].shape == output["preds"]["bicubic"].shape == (1, 1, 64, 48)
    assert torch.equal(output["mask"][0].bool(), data["mask"].as_tensor().bool())
    assert not output["pred"].requires_grad


def test_predictions_are_not_clamped_before_scoring() -> None:
    data = sample()
    evaluator = SREvaluator("cpu", loader([data]), Brighter(offset=5.0), baselines={})
    [[item]] = outputs(evaluator)
    assert item["scores"]["model"]["whole"]["bias"] == pytest.approx(5.0, abs=1e-5)
    assert item["pred"].max() > 5


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
    assert evaluator.state.output["scores"]["model"]["whole"]["psnr"].dtype == torch.float64


def test_slices_of_different_sizes_are_evaluated_one_by_one() -> None:
    evaluator = SREvaluator("cpu", loader([sample((64, 48)), sample((52, 60), 1)]), Brighter())
    steps = outputs(evaluator)
    assert [item["label"].shape[-2:] for [item] in steps] == [(64, 48), (52, 60)]


@pytest.mark.parametrize("decollate", [False, True])
def test_a_batch_is_the_same_as_its_slices_with_and_without_decollation(decollate: bool) -> None:
    samples = [sample(seed=0), sample(seed=1, tumour=False), sample(seed=2)]
    [items] = outputs(SREvaluator("cpu", loader(samples, 3), Brighter(), decollate=decollate))
    singles = [item for [item] in outputs(SREvaluator("cpu", loader(samples), Brighter()))]
    assert [item["patient"] for item in items] == ["P0", "P1", "P2"]
    assert [int(item["tumor_type"]) for item in items] == [1, 2, 3]
    for item, single in zip(items, singles, strict=True):
        assert item["source"] == single["source"]
        assert item["pred"].shape == (1, 64, 48)
        assert item["preds"]["bicubic"].shape == (1, 64, 48)
        for method, regions in single["scores"].items():
            for region, scores in regions.items():
                assert item["scores"][method][region] == pytest.approx(scores, nan_ok=True)


def test_a_slice_without_tumour_is_not_measured_inside() -> None:
    [[item]] = outputs(SREvaluator("cpu", loader([sample(tumour=False)]), Brighter()))
    inside = item["scores"]["model"]["inside"]
    assert inside["pixels"] == 0
    assert all(v != v for k, v in inside.items() if k != "pixels")  # NaN
    assert item["scores"]["model"]["whole"]["psnr"] == item["scores"]["model"]["outside"]["psnr"]


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
    assert list(item["scores"]) == ["nearest", "model"]
    assert list(item["scores"]["nearest"]) == ["rim", "whole"]
    assert (
        item["scores"]["nearest"]["rim"]["pixels"]
        == region_masks(item["mask"][None].as_subclass(torch.Tensor), regions=("rim",), rim_width=4)["rim"].sum().item()
    )


def test_data_range_reaches_the_scores() -> None:
    [[one]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter()))
    [[ten]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter(), data_range=10.0))
    assert ten["scores"]["model"]["head"]["psnr"] == pytest.approx(one["scores"]["model"]["head"]["psnr"] + 20)


def test_another_scale_needs_no_other_code() -> None:
    data = sample()
    data["image"] = MetaTensor(F.avg_pool2d(data["label"].as_tensor(), 2))
    [[item]] = outputs(SREvaluator("cpu", loader([data]), Brighter(2), scale=2))
    assert item["preds"]["bicubic"].shape == (1, 64, 48)


class Towards:
    """Stands for a projection: half way to the enlarged LR image."""

    def __call__(self, pred: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        return 0.5 * (pred + F.interpolate(image, scale_factor=4))


def test_every_method_is_scored_without_and_with_the_projection() -> None:
    data = sample()
    [[item]] = outputs(SREvaluator("cpu", loader([data]), Brighter(), projection=Towards()))
    assert list(item["scores"]) == ["bicubic", "bicubic + consistency", "model", "model + consistency"]
    assert list(item["preds"]) == list(item["scores"])
    whole = {name: scores["whole"]["bias"] for name, scores in item["scores"].items()}
    assert whole["model"] - whole["model + consistency"] == pytest.approx(0.25, abs=1e-6)  # half of the offset 0.5
    torch.testing.assert_close(item["pred"], item["preds"]["model"])


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
    torch.testing.assert_close(item["preds"]["net + ensemble"], mean)
    torch.testing.assert_close(item["spread"], 2 * mean)
    assert item["half_width"].unique().item() == pytest.approx(0.05)
    scores = item["scores"]["net + ensemble"]["inside"]
    where = data["mask"].as_tensor() > 0
    assert scores["coverage"] == pytest.approx(((hr - mean).abs() <= 0.05)[where].double().mean().item())
    assert scores["interval_width"] == pytest.approx(0.1)
    assert "coverage" not in item["scores"]["net"]["inside"]


def test_an_ensemble_without_intervals_has_no_coverage() -> None:
    def ensemble(image: torch.Tensor, network: nn.Module) -> torch.Tensor:
        return torch.cat([network(image), network(image)], dim=1)

    [[item]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter(), ensemble=ensemble))
    assert "half_width" not in item
    assert "coverage" not in item["scores"]["model + ensemble"]["inside"]


def test_further_scores_are_taken_of_every_method_and_may_leave_regions_out() -> None:
    def brightest(pred, target, masks, image):
        assert image.shape == (1, 1, 16, 12)
        assert set(masks) == set(REGIONS)
        return {"hfen": {"whole": (pred - target).amax((1, 2, 3)).double()}}

    [[item]] = outputs(SREvaluator("cpu", loader([sample()]), Brighter(), scores=[brightest]))
    for name, pred in item["preds"].items():
        expected = (pred - item["label"].as_tensor()).max().item()
        assert item["scores"][name]["whole"]["hfen"] == pytest.approx(expected)
        assert "hfen" not in item["scores"][name]["head"]


def test_other_degradations_are_made_from_the_target_and_scored_apart() -> None:
    darker = {"half": lambda hr: 0.5 * F.avg_pool2d(hr, 4), "same": lambda hr: F.avg_pool2d(hr, 4)}
    evaluator = SREvaluator("cpu", loader([sample()]), Brighter(), degradations=darker, projection=Towards())
    [[item]] = outputs(evaluator)
    assert list(item["degraded_scores"]) == ["half", "same"]
    assert list(item["degraded_scores"]["half"]) == ["bicubic", "model"]
    assert item["degraded_scores"]["same"]["model"] == {
        region: pytest.approx(scores) for region, scores in item["scores"]["model"].items()
    }
    mean = item["label"].as_tensor().mean().item()
    biases = [item["degraded_scores"][name]["model"]["whole"]["bias"] for name in ("half", "same")]
    assert biases == pytest.approx([0.5 - mean / 2, 0.5], abs=1e-6)


def test_another_degradation_is_projected_by_its_own_operator() -> None:
    kspace = KSpaceDownsample(4)
    data = loader([sample()])
    evaluator = SREvaluator("cpu", data, Brighter(), degradations={"k-space": kspace}, projection=Towards())
    [[item]] = outputs(evaluator)
    scores = item["degraded_scores"]["k-space"]
    assert list(scores) == ["bicubic", "bicubic + consistency", "model", "model + consistency"]
    hr = item["label"].as_tensor()[None]
    lr = kspace(hr)
    pred = ConsistencyProjection(kspace)(F.interpolate(lr, scale_factor=4) + 0.5, lr)
    assert scores["model + consistency"]["whole"]["psnr"] == pytest.approx(masked_psnr(pred, hr).item())


def test_one_batch_can_be_examined_again() -> None:
    data = loader([sample(), sample(seed=1)])
    evaluator = SREvaluator("cpu", data, Brighter())
    steps = outputs(evaluator)
    [again] = evaluator.examine(next(iter(data)))
    assert again["scores"] == steps[0][0]["scores"]
    assert again["source"] == "folder/0.mat"


def test_without_a_mask_whole_and_head_can_still_be_scored() -> None:
    data = sample()
    del data["mask"]
    [[item]] = outputs(SREvaluator("cpu", loader([data]), Brighter(), regions=("whole", "head")))
    assert list(item["scores"]["model"]) == ["whole", "head"]


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
        evaluation_scores(evaluator)
