# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Masked MSE, PSNR, SSIM and bias against scikit-image and arithmetic by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from monai_srgan.metrics import (
    masked_bias,
    masked_mse,
    masked_psnr,
    masked_ssim,
    region_scores,
    ssim_map,
)

ADDITIVE = [masked_mse, masked_ssim, masked_bias]
ALL = [*ADDITIVE, masked_psnr]


def images(
    shape: tuple[int, ...] = (2, 1, 37, 52), dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth target with structure up to every border, and a prediction that differs and overshoots [0, 1]."""
    generator = torch.Generator().manual_seed(11)
    x = torch.linspace(0, 7, shape[-1])[None] + torch.linspace(0, 5, shape[-2])[:, None] ** 2
    target = 0.5 + 0.4 * torch.sin(x).expand(shape) + 0.05 * torch.randn(shape, generator=generator)
    pred = 1.1 * target - 0.03 + 0.1 * torch.randn(shape, generator=generator)
    return pred.to(dtype), target.to(dtype)


def tumor(shape: tuple[int, ...] = (2, 1, 37, 52)) -> torch.Tensor:
    mask = torch.zeros(shape[0], 1, *shape[-2:], dtype=torch.bool)
    mask[0, :, 4:19, 20:43] = True
    mask[1:, :, 20:, 3:30] = True
    return mask


def reference_map(pred: torch.Tensor, target: torch.Tensor, data_range: float) -> tuple[float, np.ndarray]:
    return structural_similarity(
        pred.double().numpy(),
        target.double().numpy(),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=data_range,
        full=True,
    )


@pytest.mark.parametrize(("dtype", "data_range"), [(torch.float64, 1.0), (torch.float32, 1.0), (torch.float32, 255.0)])
def test_ssim_map_equals_scikit_image_up_to_the_border(dtype: torch.dtype, data_range: float) -> None:
    pred, target = images(dtype=dtype)
    got = ssim_map(pred * data_range, target * data_range, data_range)
    assert got.shape == pred.shape
    for i in range(2):
        _, expected = reference_map(pred[i, 0] * data_range, target[i, 0] * data_range, data_range)
        np.testing.assert_allclose(got[i, 0].numpy(), expected, atol=1e-9)


def test_strict_ssim_of_the_whole_image_is_scikit_images_cropped_scalar() -> None:
    pred, target = images()
    got = masked_ssim(pred, target, strict=True)
    expected = [reference_map(p, t, 1.0)[0] for p, t in zip(pred[:, 0], target[:, 0], strict=True)]
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-9)
    assert not torch.allclose(masked_ssim(pred, target), got, atol=1e-4)


def test_psnr_and_mse_equal_scikit_image() -> None:
    pred, target = images()
    for i in range(2):
        p, t = pred[i, 0].double().numpy(), target[i, 0].double().numpy()
        assert masked_mse(pred, target)[i].item() == pytest.approx(mean_squared_error(t, p), rel=1e-12)
        expected = peak_signal_noise_ratio(t, p, data_range=2.5)
        assert masked_psnr(pred, target, data_range=2.5)[i].item() == pytest.approx(expected, rel=1e-12)


def test_scores_of_a_region_by_hand() -> None:
    target = torch.zeros(1, 1, 2, 3)
    pred = torch.tensor([[[[0.5, -0.1, 9.0], [9.0, 9.0, 9.0]]]])
    mask = torch.tensor([[[[1, 1, 0], [0, 0, 0]]]])
    assert masked_mse(pred, target, mask).item() == pytest.approx(0.13, rel=1e-6)
    assert masked_bias(pred, target, mask).item() == pytest.approx(0.2, rel=1e-6)
    assert masked_psnr(pred, target, mask, data_range=2).item() == pytest.approx(10 * np.log10(4 / 0.13), rel=1e-6)


def test_ssim_of_a_region_is_the_map_averaged_over_its_pixels() -> None:
    pred, target = images()
    mask = tumor()
    for i in range(2):
        _, expected = reference_map(pred[i, 0], target[i, 0], 1.0)
        assert masked_ssim(pred, target, mask)[i].item() == pytest.approx(expected[mask[i, 0].numpy()].mean(), abs=1e-9)


@pytest.mark.parametrize("metric", ADDITIVE)
@pytest.mark.parametrize("channels", [1, 3])
def test_inside_and_outside_add_up_to_the_whole(metric: Callable[..., torch.Tensor], channels: int) -> None:
    pred, target = images((2, channels, 37, 52))
    mask = tumor((2, channels, 37, 52))
    n_in, n = mask.flatten(1).sum(1), 37 * 52
    parts = n_in * metric(pred, target, mask) + (n - n_in) * metric(pred, target, ~mask)
    torch.testing.assert_close(parts, n * metric(pred, target), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("metric", [masked_mse, masked_psnr, masked_bias])
def test_huge_noise_outside_leaves_the_inside_bit_equal(metric: Callable[..., torch.Tensor]) -> None:
    pred, target = images()
    mask = tumor()
    noisy = torch.where(mask, pred, 1e6 * torch.randn(pred.shape, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(metric(noisy, target, mask), metric(pred, target, mask))
    assert not torch.equal(metric(noisy, target), metric(pred, target))


def test_strict_ssim_sees_nothing_outside_the_region() -> None:
    pred, target = images()
    mask = tumor()
    noisy = torch.where(mask, pred, pred + 3)
    strict = masked_ssim(noisy, target, mask, strict=True)
    torch.testing.assert_close(strict, masked_ssim(pred, target, mask, strict=True), rtol=0, atol=1e-12)
    assert (masked_ssim(noisy, target, mask) - masked_ssim(pred, target, mask)).abs().min() > 1e-3


def test_strict_ssim_averages_the_windows_that_fit_into_the_region() -> None:
    pred, target = images()
    mask = torch.zeros(2, 1, 37, 52)
    mask[0, 0, 10:22, 15:28] = 1  # 12x13: two by three windows of 11x11
    mask[1, 0, 10:20, 15:28] = 1  # one row too few
    got = masked_ssim(pred, target, mask, strict=True)
    _, expected = reference_map(pred[0, 0], target[0, 0], 1.0)
    assert got[0].item() == pytest.approx(expected[15:17, 20:23].mean(), abs=1e-9)
    assert torch.isnan(got[1])


@pytest.mark.parametrize("metric", ALL)
def test_an_empty_region_is_nan_and_does_not_touch_its_neighbors_in_the_batch(
    metric: Callable[..., torch.Tensor],
) -> None:
    pred, target = images()
    mask = tumor()
    mask[0] = False
    got = metric(pred, target, mask)
    assert torch.isnan(got[0])
    torch.testing.assert_close(got[1], metric(pred[1:], target[1:], mask[1:])[0], rtol=0, atol=0)


def test_identical_images_have_infinite_psnr_and_ssim_one() -> None:
    _, target = images()
    assert torch.equal(masked_psnr(target, target), torch.full((2,), torch.inf, dtype=torch.float64))
    torch.testing.assert_close(masked_ssim(target, target), torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-12)
    assert torch.equal(masked_bias(target, target), torch.zeros(2, dtype=torch.float64))


def test_predictions_beyond_the_range_are_not_clamped() -> None:
    target = torch.ones(1, 1, 12, 12)
    assert masked_bias(target + 0.25, target).item() == pytest.approx(0.25)
    assert masked_mse(target + 0.25, target).item() == pytest.approx(0.0625)


def test_bias_is_positive_where_the_prediction_is_too_bright() -> None:
    target = torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    assert masked_bias(target + 0.1, target).item() == pytest.approx(0.1, abs=1e-6)
    assert masked_bias(target - 0.1, target).item() == pytest.approx(-0.1, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_region_scores_equal_the_single_functions(dtype: torch.dtype) -> None:
    pred, target = images(dtype=dtype)
    mask = tumor()
    mask[0] = False
    scores = region_scores(pred, target, {"inside": mask, "outside": ~mask}, data_range=2.0)
    for name, region in (("inside", mask), ("outside", ~mask)):
        expected = {
            "mse": masked_mse(pred, target, region),
            "psnr": masked_psnr(pred, target, region, 2.0),
            "ssim": masked_ssim(pred, target, region, 2.0),
            "bias": masked_bias(pred, target, region),
            "pixels": region.flatten(1).sum(1).double(),
        }
        assert {metric for region, metric in scores if region == name} == expected.keys()
        for metric, value in expected.items():
            assert scores[name, metric].dtype == torch.float64
            rtol, atol = (0, 1e-12) if metric == "ssim" else (1e-12, 0)
            torch.testing.assert_close(scores[name, metric], value, rtol=rtol, atol=atol, equal_nan=True)


def test_pixels_do_not_count_channels() -> None:
    pred, target = images((1, 3, 20, 30))
    assert region_scores(pred, target, {"whole": torch.ones(1, 1, 20, 30)})["whole", "pixels"].item() == 600


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float32, torch.float64])
def test_masks_of_every_dtype_mean_the_same(dtype: torch.dtype) -> None:
    pred, target = images()
    mask = tumor()
    assert torch.equal(masked_mse(pred, target, mask.to(dtype)), masked_mse(pred, target, mask))


def test_half_precision_inputs_are_scored_in_double_precision() -> None:
    pred, target = images(dtype=torch.bfloat16)
    got = masked_mse(pred, target)
    assert got.dtype == torch.float64
    torch.testing.assert_close(got, (pred.double() - target.double()).square().flatten(1).mean(1))


def test_metatensors_give_plain_values() -> None:
    pred, target = images()
    got = masked_ssim(MetaTensor(pred), MetaTensor(target), MetaTensor(tumor().float()))
    assert type(got) is torch.Tensor
    assert torch.equal(got, masked_ssim(pred, target, tumor()))


def test_ssim_is_differentiable() -> None:
    pred, target = images((1, 1, 13, 12), torch.float64)
    mask = torch.zeros(1, 1, 13, 12)
    mask[..., 2:9, 3:11] = 1
    assert torch.autograd.gradcheck(lambda p: masked_ssim(p, target, mask), (pred.requires_grad_(),))


@pytest.mark.parametrize("metric", ALL)
def test_bad_input_is_refused_by_name(metric: Callable[..., torch.Tensor]) -> None:
    pred, target = images()
    with pytest.raises(ValueError, match=r"same shape, got \(2, 1, 37, 52\) and \(2, 1, 36, 52\)"):
        metric(pred, target[:, :, :36])
    with pytest.raises(ValueError, match=r"pred must have shape \(B, C, H, W\)"):
        metric(pred[0], target[0])
    with pytest.raises(TypeError, match=r"target must be a floating point tensor, got torch\.uint8"):
        metric(pred, target.to(torch.uint8))
    with pytest.raises(TypeError, match="pred must be a floating point tensor, got ndarray"):
        metric(pred.numpy(), target)
    with pytest.raises(ValueError, match="mask must have shape"):
        metric(pred, target, tumor()[:1])
    with pytest.raises(ValueError, match="mask must have shape"):
        metric(pred, target, tumor()[..., :-1])
    with pytest.raises(ValueError, match="hold only 0 and 1"):
        metric(pred, target, tumor() * 0.5)
    with pytest.raises(ValueError, match="hold only 0 and 1"):
        metric(pred, target, tumor() * torch.nan)
    with pytest.raises(TypeError, match="mask must be a tensor"):
        metric(pred, target, tumor().numpy())
    with pytest.raises(ValueError, match="pred has NaN or infinite values"):
        metric(pred + torch.nan, target)


@pytest.mark.parametrize("data_range", [0.0, -1.0, float("nan")])
def test_data_range_must_be_positive(data_range: float) -> None:
    pred, target = images()
    for function in (masked_psnr, masked_ssim):
        with pytest.raises(ValueError, match="data_range must be positive"):
            function(pred, target, data_range=data_range)


def test_an_image_smaller_than_the_ssim_window_is_refused_with_both_sizes() -> None:
    with pytest.raises(ValueError, match=r"11x11 pixels, got \(10, 40\)"):
        masked_ssim(torch.zeros(1, 1, 10, 40), torch.zeros(1, 1, 10, 40))
    assert masked_ssim(torch.zeros(1, 1, 11, 11), torch.zeros(1, 1, 11, 11)).item() == 1.0
