# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks that are told how LR images were measured, and the same networks with the measurement estimated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.data import MetaTensor, list_data_collate
from monai.engines import PrepareBatchExtraInput
from monai.inferers import SimpleInferer
from monai.transforms import Compose
from torch import nn
from torch.nn import functional as F

from monai_srgan.engines import SREvaluator
from monai_srgan.estimation import AssumedMeasurement, assume_measurement
from monai_srgan.inferers import MeasuredInferer
from monai_srgan.physics import (
    BicubicUpsample,
    ConsistencyProjection,
    GaussianDownsample,
    InsideSettings,
    KSpaceDownsample,
    Measurement,
    PerAxisDownsample,
)
from monai_srgan.scores import ENSEMBLE, ESTIMATED, Method, ScoredSlice, scored_slices
from monai_srgan.transforms import (
    AssumeMeasurementd,
    MaskAwareDegrade,
    RestoreIntensity,
    ScaleIntensityByPercentiled,
)

OPERATOR = GaussianDownsample(4)
SHARP = Measurement(GaussianDownsample(4, 1.0))
UNEVEN = Measurement(PerAxisDownsample(GaussianDownsample(4, 2.0), KSpaceDownsample(4, support=0.8)))
NOISY = Measurement(KSpaceDownsample(4), 0.03)
BICUBIC = BicubicUpsample(4)


class Conditioned(nn.Module):
    """Bicubic interpolation plus the condition's number `entry`, times `factor`."""

    takes_condition = True

    def __init__(self, entry: int = 7, factor: float = 1.0) -> None:
        super().__init__()
        self.entry = entry
        self.factor = factor

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        offset = 0.0 if condition is None else condition[:, self.entry, None, None, None]
        return BICUBIC(x) + self.factor * offset


def batch(slices: int = 1) -> dict[str, Any]:
    """Slices 64 x 48 with a gray head on black air, the brightest pixels at about 0.8."""
    generator = torch.Generator().manual_seed(5)
    hr = torch.zeros(slices, 1, 64, 48)
    hr[:, :, 6:-10, 5:-7] = 0.3 + 0.5 * torch.rand(slices, 1, 48, 36, generator=generator)
    hr = F.avg_pool2d(hr, 3, stride=1, padding=1)
    mask = torch.zeros(slices, 1, 64, 48)
    mask[:, :, 10:30, 8:40] = 1
    return {"image": OPERATOR(hr), "label": hr, "mask": mask, "source": [f"{i}.mat" for i in range(slices)]}


def run(data: dict[str, Any], network: nn.Module | None = None, **kwargs: Any) -> list[ScoredSlice]:
    evaluator = SREvaluator("cpu", [data], Conditioned() if network is None else network, name="net", **kwargs)
    evaluator.logger.disabled = True
    found: list[ScoredSlice] = []
    evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: found.extend(scored_slices(engine)))
    evaluator.run()
    return found


def value(item: ScoredSlice, method: str, metric: str = "bias", degradation: str = "") -> float:
    """A score on the whole slice."""
    wanted = (degradation, method, "whole", metric)
    [found] = [r.value for r in item.scores.rows if (r.degradation, str(r.method), r.region, r.metric) == wanted]
    return found


def offset(item: ScoredSlice, method: str = "net", degradation: str = "") -> float:
    """Mean difference to bicubic interpolation."""
    return value(item, method, degradation=degradation) - value(item, "bicubic", degradation=degradation)


def told(measurement: Measurement, entry: int = 7) -> float:
    return float(measurement.condition()[entry])


def white(lr: torch.Tensor) -> float:
    return float(np.percentile(lr.numpy(), 99.9))


@pytest.fixture
def assumed() -> AssumedMeasurement:
    """A wrong assumption, so that it is told apart from the truth; the user's word, which no result declines."""
    return AssumedMeasurement.told(NOISY)


def test_a_network_is_told_how_the_loader_measured() -> None:
    assert abs(told(SHARP)) > 0.1
    [item] = run(batch(), measurement=SHARP)
    assert offset(item) == pytest.approx(told(SHARP), abs=1e-6)
    [item] = run(batch())
    assert offset(item) == pytest.approx(0, abs=1e-6)


def test_a_condition_in_the_batch_goes_before_the_evaluators_record() -> None:
    data = batch(2) | {"condition": torch.arange(72.0).reshape(2, 36) / 100}
    prepare = PrepareBatchExtraInput({"condition": "condition"})
    items = run(data, measurement=SHARP, prepare_batch=prepare, degradations={"uneven": UNEVEN})
    assert [offset(item) for item in items] == pytest.approx([0.07, 0.43], abs=1e-6)
    assert [offset(item, degradation="uneven") for item in items] == pytest.approx([told(UNEVEN)] * 2, abs=1e-6)


@pytest.mark.parametrize("entry", [7, 20, 32])  # both axes and the noise
def test_each_further_record_is_told_and_a_callable_tells_nothing(entry: int) -> None:
    records = {"uneven": UNEVEN, "noisy": NOISY}
    plain = {"callable": lambda hr: F.avg_pool2d(hr, 4)}
    [item] = run(batch(), Conditioned(entry), measurement=SHARP, degradations={**records, **plain})
    for name, record in records.items():
        assert offset(item, degradation=name) == pytest.approx(told(record, entry), abs=1e-6)
    assert offset(item, degradation="callable") == pytest.approx(0, abs=1e-6)


def test_a_network_without_condition_is_told_nothing() -> None:
    [item] = run(batch(), BicubicUpsample(4), measurement=SHARP, degradations={"uneven": UNEVEN})
    assert offset(item) == offset(item, degradation="uneven") == 0


def test_the_noise_of_a_record_is_that_of_the_transform_and_the_same_in_every_run() -> None:
    data = batch(2)
    items = run(data, degradations={"noisy": NOISY})
    degrade = MaskAwareDegrade(NOISY.operator, noise_std=NOISY.noise_std)
    for i, item in enumerate(items):
        expected = (BICUBIC(degrade(data["label"][i])[None]) - data["label"][i]).mean().item()
        assert value(item, "bicubic", degradation="noisy") == pytest.approx(expected, abs=1e-6)
    assert value(items[0], "bicubic", degradation="noisy") != value(items[1], "bicubic", degradation="noisy")
    again = run(data, degradations={"noisy": NOISY})
    assert [row.value for row in again[1].scores.rows] == [row.value for row in items[1].scores.rows]


def test_the_projection_is_weighted_by_the_noise_of_the_record() -> None:
    data = batch()
    projection = ConsistencyProjection(OPERATOR)
    [item] = run(data, degradations={"noisy": NOISY}, projection=projection)
    lr = MaskAwareDegrade(NOISY.operator, noise_std=0.03)(data["label"][0])[None]
    expected = ConsistencyProjection(NOISY.operator, noise_std=0.03)(BICUBIC(lr) + told(NOISY), lr)
    exact = ConsistencyProjection(NOISY.operator)(BICUBIC(lr) + told(NOISY), lr)
    mse, without = (((pred - data["label"]) ** 2).mean().item() for pred in (expected, exact))
    assert value(item, "net + consistency", "mse", "noisy") == pytest.approx(mse, rel=1e-4)
    assert abs(mse - without) > 0.01 * mse


def test_as_estimated_a_network_sees_a_scaled_image_and_the_assumption_and_is_projected(
    assumed: AssumedMeasurement,
) -> None:
    seen = []

    def estimate(image: torch.Tensor) -> AssumedMeasurement:
        seen.append(image)
        return assumed

    data = batch()
    [item] = run(data, Conditioned(factor=0.5), measurement=SHARP, estimate=estimate, degradations={"uneven": UNEVEN})
    inputs = {"": data["image"], "uneven": UNEVEN.operator(data["label"])}
    assert [tuple(image.shape) for image in seen] == [(16, 12)] * 2
    for (name, lr), image in zip(inputs.items(), seen, strict=True):
        scale = white(lr)
        assert abs(scale - 1) > 0.1
        torch.testing.assert_close(image, lr[0, 0] / scale)
        pred = BICUBIC(lr / scale) + 0.5 * told(NOISY)
        noise = math.hypot(0.03, 0.05 * assumed.transfer_uncertainty)
        pred = scale * ConsistencyProjection(NOISY.operator, noise_std=noise)(pred, lr / scale)
        expected = (pred - data["label"]).mean().item()
        assert value(item, "net + estimated", degradation=name) == pytest.approx(expected, abs=1e-6)
        assert value(item, "net + estimated", "declined", name) == 0
    names = ["bicubic", "net", "net + estimated"]
    assert [str(method) for method in item.scores.methods()] == names
    assert [str(method) for method in item.predictions] == names
    assert offset(item) == pytest.approx(0.5 * told(SHARP), abs=1e-6)


@pytest.mark.parametrize("measurement", ["auto", UNEVEN], ids=["estimated", "given"])
def test_as_estimated_the_result_is_that_of_inference(measurement: Any) -> None:
    pair = batch()
    pair = {key: F.interpolate(pair[key], scale_factor=5.5, mode="bilinear") for key in ("image", "label")}
    inference = Compose(
        [ScaleIntensityByPercentiled("image", clip=False), AssumeMeasurementd("image", measurement=measurement)]
    )
    loaded = inference({"image": MetaTensor(pair["image"][0], meta={"filename_or_obj": "scan.nii"})})["image"]
    result = MeasuredInferer(SimpleInferer())(list_data_collate([{"image": loaded}])["image"], Conditioned())
    expected = RestoreIntensity()(result.as_tensor(), scale=white(pair["image"]))
    known = None if measurement == "auto" else measurement
    [item] = run(pair, regions=("whole",), estimate=lambda image: assume_measurement(image, known))
    torch.testing.assert_close(item.predictions[Method("net", (ESTIMATED,))], expected[0])


def test_a_declined_slice_is_interpolated_and_counted(assumed: AssumedMeasurement) -> None:
    answers = iter([AssumedMeasurement.unknown("too dark"), assumed])
    items = run(batch(2), measurement=SHARP, estimate=lambda _: next(answers))
    assert [value(item, "net + estimated", "declined") for item in items] == [1, 0]
    assert offset(items[0], "net + estimated") == pytest.approx(0, abs=1e-6)
    assert abs(offset(items[1], "net + estimated")) > 1e-3
    for item in items:
        assert "declined" not in item.scores.metrics(item.scores.methods()[0], "whole")
        assert {row.region for row in item.scores.rows if row.metric == "declined"} == {"whole"}


@pytest.mark.parametrize(("offset_of_net", "declined"), [(0.1, 0), (-0.1, 1)])
def test_a_result_with_negative_magnitudes_declines_an_estimate(offset_of_net: float, declined: int) -> None:
    class Shifted(nn.Module):
        takes_condition = True

        def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:  # noqa: ARG002
            return BICUBIC(x) + offset_of_net

    data = batch()
    for basis, expected in (("estimated", declined), ("told", 0)):
        record = AssumedMeasurement.told(Measurement(OPERATOR, 0.2), basis)  # so noisy that the projection is weak
        [item] = run(data, Shifted(), estimate=lambda _, found=record: found)
        assert value(item, "net + estimated", "declined") == expected
        if expected:
            torch.testing.assert_close(item.predictions[Method("net", (ESTIMATED,))], BICUBIC(data["image"])[0])


def test_declined_slices_are_counted_on_the_whole_slice_alone(assumed: AssumedMeasurement) -> None:
    [item] = run(batch(), regions=("head",), estimate=lambda _: assumed)
    assert "declined" not in {row.metric for row in item.scores.rows}


def test_a_conditioned_baseline_is_treated_as_the_network(assumed: AssumedMeasurement) -> None:
    class Baseline:
        takes_condition = True

        def __call__(self, image: torch.Tensor, **known: Any) -> torch.Tensor:
            if "measurements" in known:
                assert known["measurements"] == [assumed]
                return BICUBIC(image) + 0.25
            return Conditioned()(image, **known)

    data = batch()
    baselines = {"bicubic": BICUBIC, "other": Baseline()}
    for network in (Conditioned(), BicubicUpsample(4)):
        [item] = run(
            data,
            network,
            measurement=SHARP,
            baselines=baselines,
            estimate=lambda _: assumed,
            degradations={"uneven": UNEVEN},
        )
        assert offset(item, "other") == pytest.approx(told(SHARP), abs=1e-6)
        assert offset(item, "other", "uneven") == pytest.approx(told(UNEVEN), abs=1e-6)
        assert offset(item, "other + estimated") == pytest.approx(0.25 * white(data["image"]), abs=1e-6)
        methods = [str(method) for method in item.scores.methods()]
        assert methods[:3] == ["bicubic", "other", "other + estimated"]
        assert methods[3:] == (["net", "net + estimated"] if isinstance(network, Conditioned) else ["net"])


def test_the_ensemble_is_told_too() -> None:
    def ensemble(lr: torch.Tensor, network: nn.Module, **known: Any) -> torch.Tensor:
        pred = network(lr, **known)
        return torch.cat([pred, torch.zeros_like(pred)], dim=1)

    [item] = run(batch(), measurement=SHARP, ensemble=ensemble)
    assert offset(item, "net + ensemble") == pytest.approx(told(SHARP), abs=1e-6)


def test_what_cannot_be_estimated_or_made_is_refused(assumed: AssumedMeasurement) -> None:
    with pytest.raises(ValueError, match="estimate needs a network that takes a condition"):
        run(batch(), BicubicUpsample(4), estimate=lambda _: assumed)
    inside = Measurement(GaussianDownsample(4, 1.0), inside=InsideSettings(2.0))
    with pytest.raises(ValueError, match=r"the record 'mine' depends on the tumor mask .* set inside=None"):
        run(batch(), degradations={"mine": inside})


class _Ensemble:
    """Interpolates, with an interval of half width 0.1, and none for an image that is declined."""

    def __init__(self, intervals: str | None) -> None:
        self.inferer = MeasuredInferer(SimpleInferer())
        self.intervals = intervals

    def __call__(self, lr: torch.Tensor, _: nn.Module, *, measurements: list[AssumedMeasurement]) -> torch.Tensor:
        pred = BICUBIC(lr)
        half_width = math.nan if measurements[0].declined else 0.1
        return torch.cat([pred, torch.zeros_like(pred), torch.full_like(pred, half_width)], dim=1)


def test_intervals_that_go_by_the_estimate_are_scored_on_each_degradation(assumed: AssumedMeasurement) -> None:
    data = batch()
    answers = iter([assumed, assumed, AssumedMeasurement.unknown("too dark")])
    [item] = run(
        data,
        estimate=lambda _: next(answers),
        ensemble=_Ensemble("intervals"),
        degradations={"uneven": UNEVEN, "noisy": NOISY},
    )
    name = "net + estimated + ensemble"
    lr = UNEVEN.operator(data["label"])
    covered = ((BICUBIC(lr) - data["label"]).abs() <= 0.1 * white(lr)).double().mean().item()
    assert value(item, name, "coverage", "uneven") == pytest.approx(covered, abs=1e-3)
    assert 0 < covered < 1
    assert value(item, name, "coverage", "uneven") != value(item, name, "coverage")
    assert value(item, name, "interval_width", "uneven") == pytest.approx(0.2 * white(lr), rel=1e-5)
    assert math.isnan(value(item, name, "coverage", "noisy"))


def test_an_ensemble_without_intervals_is_scored_on_the_loaders_degradation_alone(assumed: AssumedMeasurement) -> None:
    class Plain(_Ensemble):
        def __call__(self, *args: Any, **kwargs: Any) -> torch.Tensor:
            return super().__call__(*args, **kwargs)[:, :2]

    [item] = run(batch(), estimate=lambda _: assumed, ensemble=Plain(None), degradations={"uneven": UNEVEN})
    assert {row.degradation for row in item.scores.rows if row.method.has(ENSEMBLE)} == {""}
