# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The masked scores as MONAI metrics."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from functools import partial

import pytest
import torch
from monai.data import decollate_batch

from monai_srgan.handlers import RegionScore
from monai_srgan.metrics import (
    MaskedBiasMetric,
    MaskedMetric,
    MaskedMSEMetric,
    MaskedPSNRMetric,
    MaskedSSIMMetric,
    masked_bias,
    masked_mse,
    masked_psnr,
    masked_ssim,
)
from monai_srgan.scores import summarize

PAIRS = [
    (MaskedMSEMetric(), masked_mse),
    (MaskedBiasMetric(), masked_bias),
    (MaskedPSNRMetric(data_range=3.0), partial(masked_psnr, data_range=3.0)),
    (MaskedSSIMMetric(data_range=3.0), partial(masked_ssim, data_range=3.0)),
    (MaskedSSIMMetric(strict=True), partial(masked_ssim, strict=True)),
]


def batch(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(2, 1, 24, 20, generator=generator)
    mask = torch.zeros(2, 1, 24, 20)
    mask[:, :, 3:18, 4:17] = 1
    return target + 0.1 * torch.randn(target.shape, generator=generator), target, mask


@pytest.mark.parametrize(("metric", "function"), PAIRS)
def test_the_aggregate_is_the_mean_over_the_images_of_all_batches(
    metric: MaskedMetric, function: Callable[..., torch.Tensor]
) -> None:
    metric.reset()
    values = []
    for seed in (0, 1):
        pred, target, mask = batch(seed)
        returned = metric(pred, target, mask=mask)
        torch.testing.assert_close(returned, function(pred, target, mask))
        values.append(returned)
    torch.testing.assert_close(metric.aggregate(), torch.cat(values).mean())
    assert metric.get_buffer().shape == (4,)


@pytest.mark.parametrize(("metric", "function"), PAIRS)
def test_a_list_of_decollated_images_gives_the_same_values(
    metric: MaskedMetric, function: Callable[..., torch.Tensor]
) -> None:
    pred, target, mask = batch(3)
    got = metric(decollate_batch(pred), decollate_batch(target), mask=decollate_batch(mask))
    torch.testing.assert_close(got, function(pred, target, mask))


def test_a_list_may_hold_images_of_different_sizes() -> None:
    pred, target, mask = batch(4)
    metric = MaskedMSEMetric()
    got = metric([pred[0], pred[1, :, :15]], [target[0], target[1, :, :15]], mask=[mask[0], mask[1, :, :15]])
    torch.testing.assert_close(got[1:], masked_mse(pred[1:, :, :15], target[1:, :, :15], mask[1:, :, :15]))


def test_images_without_the_region_are_left_out_and_counted() -> None:
    pred, target, mask = batch(5)
    mask[0] = 0
    metric = MaskedMSEMetric(get_not_nans=True)
    metric(pred, target, mask=mask)
    mean, measured = metric.aggregate()
    torch.testing.assert_close(mean, masked_mse(pred, target, mask)[1])
    assert measured == 1
    assert metric.aggregate(get_not_nans=False).ndim == 0


def test_nothing_measured_is_nan_and_never_zero() -> None:
    pred, target, mask = batch(6)
    metric = MaskedMSEMetric()
    assert math.isnan(metric.aggregate())
    metric(pred, target, mask=0 * mask)
    assert math.isnan(metric.aggregate())
    assert metric.aggregate(get_not_nans=True)[1] == 0


def test_without_a_mask_the_whole_image_is_scored() -> None:
    pred, target, _ = batch(7)
    torch.testing.assert_close(MaskedPSNRMetric()(pred, target), masked_psnr(pred, target))


@pytest.mark.parametrize("as_list", [False, True])
def test_a_misspelled_keyword_is_refused_and_not_scored_without_a_mask(as_list: bool) -> None:
    pred, target, mask = batch(7)
    given = [list(x) if as_list else x for x in (pred, target, mask)]
    metric = MaskedPSNRMetric()
    with pytest.raises(TypeError, match=r"MaskedPSNRMetric takes y_pred, y and mask, got \['masks'\]"):
        metric(given[0], given[1], masks=given[2])
    with pytest.raises(TypeError, match=r"got \['spacing'\]"):
        metric(given[0], given[1], mask=given[2], spacing=1.0)
    assert metric.get_buffer() is None


def test_an_identical_pair_does_not_hide_the_others_and_the_rule_is_that_of_the_handlers() -> None:
    pred, target, mask = batch(10)
    pred[0] = target[0]
    metric = MaskedPSNRMetric(get_not_nans=True)
    values = metric(pred, target, mask=mask)
    assert math.isinf(values[0])
    metric(pred[1:], target[1:], mask=0 * mask[1:])  # not measured
    mean, n = metric.aggregate()
    assert (mean.item(), n) == (values[1].item(), 1)
    handler = RegionScore("psnr", "inside")
    handler.update([*values.tolist(), math.nan])
    assert handler.compute() == mean.item()
    summary = summarize([*values.tolist(), math.nan])
    assert (summary.mean, summary.n) == (mean.item(), n)


def test_only_identical_pairs_have_an_infinite_mean_of_no_value() -> None:
    _, target, mask = batch(11)
    metric = MaskedPSNRMetric()
    metric(target, target, mask=mask)
    assert metric.aggregate(get_not_nans=True) == (math.inf, 0)
    mask[0] = 0
    metric.reset()
    metric(target, target, mask=mask)
    assert metric.aggregate() == math.inf


def test_reset_forgets_earlier_images() -> None:
    pred, target, mask = batch(8)
    metric = MaskedBiasMetric()
    metric(pred + 5, target, mask=mask)
    metric.reset()
    metric(pred, target, mask=mask)
    torch.testing.assert_close(metric.aggregate(), masked_bias(pred, target, mask).mean())


def test_metrics_can_be_pickled() -> None:
    metric = pickle.loads(pickle.dumps(MaskedSSIMMetric(2.0, strict=True)))
    assert (metric.data_range, metric.strict) == (2.0, True)


def test_a_missing_reference_or_mask_is_refused() -> None:
    pred, target, mask = batch(9)
    with pytest.raises(ValueError, match="pass y"):
        MaskedMSEMetric()(pred)
    with pytest.raises(ValueError, match="same number"):
        MaskedMSEMetric()(list(pred), list(target), mask=list(mask[:1]))
