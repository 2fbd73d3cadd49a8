# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""All scores of all regions at once, against scikit-image in float64."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from monai_srgan.metrics import masked_bias, masked_mse, masked_psnr, masked_ssim, region_masks, region_scores

METRICS = ("psnr", "ssim", "mse", "bias")


def reference(
    pred: torch.Tensor, target: torch.Tensor, masks: Mapping[str, torch.Tensor], data_range: float, item: int = 0
) -> dict[str, dict[str, float]]:
    """One image's scores from scikit-image in float64."""
    p, t = (image[item, 0].double().numpy() for image in (pred, target))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": data_range}
    _, similarity = structural_similarity(t, p, full=True, **settings)
    scores = {}
    for name, mask in masks.items():
        region = mask[item, 0].numpy().astype(bool)
        with np.errstate(divide="ignore"):  # a pixel may be met exactly
            psnr = peak_signal_noise_ratio(t[region], p[region], data_range=data_range)
        scores[name] = {
            "psnr": psnr,
            "ssim": similarity[region].mean(),
            "mse": mean_squared_error(t[region], p[region]),
            "bias": (p[region] - t[region]).mean(),
        }
    return scores


def assert_equal_to_scikit_image(
    pred: torch.Tensor,
    target: torch.Tensor,
    masks: Mapping[str, torch.Tensor],
    data_range: float = 1.0,
    ssim_gap: float = 1e-10,
) -> None:
    """Within 1e-9 of PSNR, MSE and bias and within ``ssim_gap`` of SSIM."""
    got = region_scores(pred, target, masks, data_range)
    for item in range(len(pred)):
        for region, expected in reference(pred, target, masks, data_range, item).items():
            for metric in METRICS:
                limits = {"abs": ssim_gap, "rel": 0} if metric == "ssim" else {"rel": 1e-9, "abs": 1e-14 * data_range}
                found = got[region, metric][item].item()
                assert found == pytest.approx(expected[metric], **limits), (region, metric)


def scene(height: int = 150, width: int = 117, batch: int = 1) -> torch.Tensor:
    """A head-like target in [0, 1]: black air, a bright rim, smooth and fine structure; nothing is symmetric."""
    x, y = torch.meshgrid(torch.linspace(-1, 1.2, height), torch.linspace(-1.1, 1, width), indexing="ij")
    radius = (1.3 * x**2 + y**2 + 0.3 * x * y).sqrt()
    tissue = 0.35 + 0.2 * torch.sin(9 * x + 4 * y**2) + 0.05 * torch.sin(60 * x) * torch.cos(43 * y)
    image = torch.where(radius < 0.75, tissue, torch.where(radius < 0.8, 0.95, 0.0))
    return torch.stack([image.roll(7 * i, 1) for i in range(batch)])[:, None]


def noise(like: torch.Tensor, scale: float) -> torch.Tensor:
    return scale * torch.randn(like.shape, generator=torch.Generator().manual_seed(5), dtype=like.dtype)


def some_masks(like: torch.Tensor) -> dict[str, torch.Tensor]:
    b, _, h, w = like.shape
    tumor = torch.zeros(b, 1, h, w, dtype=torch.bool)
    tumor[..., h // 3 : h // 2, w // 4 : w // 2] = True
    return {
        "whole": torch.ones_like(tumor),
        "inside": tumor,
        "outside": ~tumor,
        "speckled": torch.rand(b, 1, h, w, generator=torch.Generator().manual_seed(1)) < 0.3,
        "one pixel": torch.arange(h * w).reshape(1, 1, h, w).expand(b, 1, h, w) == h * w - 3,
    }


CASES = {
    "blurred and noisy": lambda t: (0.9 * t + 0.02 + noise(t, 0.05), t, 1.0),
    "near-identical": lambda t: (t + noise(t, 3e-4), t, 1.0),  # 70 dB
    "identical up to a constant": lambda t: (t + 0.125, t, 1.0),
    "far too bright": lambda t: (t + 0.5, t, 1.0),
    "ringing beyond [0, 1]": lambda t: (1.4 * t - 0.2 + noise(t, 0.02), t, 1.0),
    "noise on bright and flat": lambda t: (0.98 + noise(t, 0.01), 0.98 + noise(t, 0.01).flip(-1), 1.0),
    "alike but for a small contrast": lambda t: (0.9 + 0.01 * t, 0.9 + 0.01 * t.flip(-1), 1.0),
    "opposites": lambda t: (1 - t, t, 1.0),
    "another range": lambda t: (255 * t + noise(t, 9.0), 255 * t, 255.0),
    "scanner units": lambda t: (4000 * t + noise(t, 50.0), (4000 * t).round(), 4095.0),
    "a tiny range": lambda t: (2e-10 * t + noise(t, 2e-11), 2e-10 * t, 2e-10),
    "a huge range": lambda t: (1e13 * t + noise(t, 1e11), 1e13 * t, 1e13),
    "far outside [0, 1]": lambda t: (7 * t - 3, 6 * t - 2 + noise(t, 0.1), 1.0),
    "small contrast on a large offset": lambda t: (1000 + t + noise(t, 0.05), 1000 + t, 1.0),
    "one wild pixel": lambda t: (torch.where(t == t.max(), 1e6, t + noise(t, 0.05)), t, 1.0),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES)
def test_all_scores_of_all_regions_are_scikit_images(case: str, dtype: torch.dtype) -> None:
    pred, target, data_range = CASES[case](scene().to(dtype))
    gap = 1e-6 if "large offset" in case else 1e-10  # squares of 1000 leave scikit-image that many digits
    assert_equal_to_scikit_image(pred, target, some_masks(target), data_range, ssim_gap=gap)


def test_bright_spots_on_a_dark_ground_keep_their_digits() -> None:
    torch.manual_seed(0)
    target = torch.zeros(1, 1, 90, 70)
    x, y = torch.meshgrid(torch.arange(90), torch.arange(70), indexing="ij")
    target[0, 0, (x - 40) ** 2 + (y - 30) ** 2 < 121] = 1.0
    pred = (target - (0.03 * torch.randn_like(target)).abs()).clamp(0, 1)
    regions = {"patch": torch.zeros_like(target, dtype=torch.bool), "pixel": torch.zeros_like(target, dtype=torch.bool)}
    regions["patch"][0, 0, 36:45, 26:35] = True
    regions["pixel"][0, 0, 40, 30] = True
    assert_equal_to_scikit_image(pred, target, regions)


def test_near_identical_images_are_beyond_60_db() -> None:
    pred, target, _ = CASES["near-identical"](scene())
    assert masked_psnr(pred, target).item() > 60


@pytest.mark.parametrize("size", [(11, 11), (16, 12), (64, 64), (65, 16), (67, 31), (128, 17), (131, 100), (13, 200)])
def test_every_size_is_scored_up_to_its_borders(size: tuple[int, int]) -> None:
    target = scene(*size, batch=2)
    pred = 0.8 * target + noise(target, 0.1)
    edge = torch.zeros_like(target, dtype=torch.bool)
    edge[..., :2, :] = edge[..., -2:, :] = edge[..., :2] = edge[..., -2:] = True
    assert_equal_to_scikit_image(pred, target, {"edge": edge, "center": ~edge})


def test_strided_images_and_masks_are_scored_like_their_copies() -> None:
    target = scene(70, 90).transpose(-1, -2)
    pred = (target + noise(target, 0.1))[..., ::2, :]
    target = target[..., ::2, :]
    masks = {"part": some_masks(scene(70, 90))["speckled"].transpose(-1, -2)[..., ::2, :]}
    assert_equal_to_scikit_image(pred, target, masks)


def test_channels_count_alike_under_one_mask_and_apart_under_their_own() -> None:
    target = torch.cat([scene(batch=2), scene(batch=2).flip(-1), scene(batch=2).flip(-2)], dim=1)
    pred = target + noise(target, 0.1)
    shared = some_masks(target)["inside"]
    own = torch.cat([shared, ~shared, some_masks(target)["speckled"]], dim=1)
    got = region_scores(pred, target, {"shared": shared, "own": own})
    for name, mask in (("shared", shared), ("own", own)):
        for metric, function in (("ssim", masked_ssim), ("mse", masked_mse), ("bias", masked_bias)):
            torch.testing.assert_close(got[name, metric], function(pred, target, mask), rtol=0, atol=1e-11)
    assert got["shared", "pixels"].tolist() == shared.flatten(1).sum(1).tolist()


def test_what_lies_outside_a_region_does_not_change_a_bit_of_its_errors() -> None:
    target = scene()
    pred, mask = target + noise(target, 0.1), some_masks(target)["inside"]
    wild = torch.where(mask, pred, 1e6 * torch.sign(noise(target, 1.0)))
    expected, got = (region_scores(image, target, {"inside": mask}) for image in (pred, wild))
    for metric in ("psnr", "mse", "bias"):
        assert torch.equal(got["inside", metric], expected["inside", metric])


def test_an_outside_whose_square_overflows_leaves_the_inside_measured() -> None:
    target = scene().double()
    pred, mask = target + noise(target, 0.1), some_masks(target)["inside"]
    pred[..., -3:, -3:] = 1e200
    got = region_scores(pred, target, {"inside": mask, "outside": ~mask})
    assert got["inside", "mse"].item() == pytest.approx(masked_mse(pred, target, mask).item(), rel=1e-12)
    assert got["inside", "ssim"].item() == pytest.approx(masked_ssim(pred, target, mask).item(), abs=1e-12)
    assert got["outside", "mse"].item() == float("inf")


def test_inside_and_outside_add_up_to_the_whole() -> None:
    target = scene(batch=2)
    masks = some_masks(target)
    got = region_scores(target + noise(target, 0.1), target, masks)
    for metric in ("ssim", "mse", "bias"):
        parts = sum(got[name, metric] * got[name, "pixels"] for name in ("inside", "outside"))
        torch.testing.assert_close(parts, got["whole", metric] * got["whole", "pixels"], rtol=1e-12, atol=1e-9)


def test_identical_images_score_one_and_infinity_and_empty_regions_nan() -> None:
    target = scene(batch=2)
    mask = some_masks(target)["inside"]
    mask[1] = False
    got = region_scores(target.clone(), target, {"inside": mask})
    assert [got["inside", metric][0] for metric in METRICS] == [float("inf"), 1.0, 0.0, 0.0]
    assert all(torch.isnan(got["inside", metric][1]) for metric in METRICS)
    assert got["inside", "pixels"][1] == 0


def test_scores_carry_gradients_when_they_are_asked_for() -> None:
    target = scene(20, 30).double()
    pred = (target + noise(target, 0.1)).requires_grad_()
    masks = {"part": some_masks(target)["inside"]}
    scores = region_scores(pred, target, masks)
    (1 - scores["part", "ssim"]).sum().backward()
    assert pred.grad is not None
    assert pred.grad.abs().sum() > 0
    plain = region_scores(pred.detach(), target, masks)
    for metric in (*METRICS, "pixels"):
        torch.testing.assert_close(scores["part", metric].detach(), plain["part", metric], rtol=1e-10, atol=1e-12)


def test_no_regions_give_no_scores() -> None:
    assert region_scores(scene(), scene(), {}) == {}
    assert region_scores(scene().requires_grad_(), scene(), {}) == {}


def test_bad_input_is_refused_by_name() -> None:
    target = scene()
    masks = some_masks(target)
    with pytest.raises(ValueError, match="pred has NaN or infinite values"):
        region_scores(target * torch.inf, target, masks)
    with pytest.raises(ValueError, match="target has NaN or infinite values"):
        region_scores(target, torch.where(target == target.max(), torch.nan, target), masks)
    with pytest.raises(ValueError, match=r"masks\['inside'\] must have shape"):
        region_scores(target, target, {"inside": masks["inside"][..., :-1]})
    with pytest.raises(ValueError, match=r"11x11 pixels, got \(10, 117\)"):
        region_scores(target[..., :10, :], target[..., :10, :], {})
    with pytest.raises(ValueError, match="data_range must be positive"):
        region_scores(target, target, masks, 0.0)


@pytest.mark.real_data
def test_on_real_slices_all_scores_are_scikit_images(real_data_dir: Path) -> None:
    from monai_srgan.data import read_cjdata
    from monai_srgan.physics import BicubicUpsample, GaussianDownsample

    files = sorted(f for f in real_data_dir.rglob("*.mat") if f.stem.isdigit())[::30]
    assert files
    for file in files:
        data = read_cjdata(file)
        image = torch.from_numpy(data.image.astype(np.float32))[None, None]
        image = (image / torch.quantile(image[..., ::2, ::2], 0.999)).clamp(0, 1)
        regions = region_masks(torch.from_numpy(data.mask)[None, None], image)
        assert_equal_to_scikit_image(BicubicUpsample(4)(GaussianDownsample(4)(image)), image, regions)
