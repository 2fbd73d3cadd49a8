# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The regions whole, inside, outside, head and rim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.filters import threshold_otsu

from monai_srgan.metrics import REGIONS, head_mask, masked_psnr, region_masks, rim_mask


def disk(size: int, center: tuple[float, float], radius: float) -> torch.Tensor:
    x, y = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return (x - center[0]) ** 2 + (y - center[1]) ** 2 <= radius**2


def head_image(size: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    """A gray disk with a black hole and a black tumor-like notch, in noisy air, and the disk."""
    head = disk(size, (70, 60), 45)
    image = torch.where(head, 0.3, 0.0)
    image[disk(size, (75, 62), 10)] = 0.0
    noise = torch.randn(size, size, generator=torch.Generator().manual_seed(2)).abs()
    return (image + 0.02 * noise)[None, None], head[None, None]


def test_inside_and_outside_partition_the_whole() -> None:
    mask = disk(40, (20, 17), 6)[None, None]
    regions = region_masks(mask, regions=("outside", "whole", "inside"))
    assert list(regions) == ["outside", "whole", "inside"]
    assert torch.equal(regions["inside"] ^ regions["outside"], regions["whole"])
    assert torch.equal(regions["inside"], mask)
    assert bool(regions["whole"].all())


def test_all_regions_are_bool_of_the_masks_shape() -> None:
    image, _ = head_image()
    regions = region_masks(disk(128, (50, 60), 9)[None, None].float(), image)
    assert tuple(regions) == REGIONS
    assert all(m.dtype == torch.bool and m.shape == (1, 1, 128, 128) for m in regions.values())


def test_head_is_the_foreground_with_its_holes_filled() -> None:
    image, head = head_image()
    got = head_mask(image)
    overlap = (got & head).sum() / (got | head).sum()
    assert overlap > 0.97
    assert bool(got[0, 0, 75, 62])


def test_head_does_not_depend_on_the_scale_of_the_image() -> None:
    image, _ = head_image()
    assert torch.equal(head_mask(0.1 * image), head_mask(image))


def test_specks_in_the_air_do_not_belong_to_the_head() -> None:
    image, _ = head_image()
    speck = image.clone()
    speck[..., 4:8, 100:104] = 1.0
    assert not bool(head_mask(speck)[..., :12, 90:110].any())


def test_a_second_large_part_belongs_to_the_head() -> None:
    image, _ = head_image()
    image[..., :30, 100:] = 0.3  # a shoulder in the corner
    assert bool(head_mask(image)[..., 5, 120])


@pytest.mark.parametrize("size", [(512, 300), (90, 512), (200, 256), (11, 40), (600, 1100)])
def test_the_head_is_what_scipy_and_scikit_image_make_of_the_same_steps(size: tuple[int, int]) -> None:
    noise = torch.rand(size, generator=torch.Generator().manual_seed(4)).numpy()
    clouds = ndimage.gaussian_filter(noise, max(size) / 60, mode="wrap")  # islands and lakes up to every border
    image = (clouds - clouds.min()) ** 4 * (0.5 + noise)
    smooth = ndimage.gaussian_filter(image, max(size) / 256, mode="nearest")
    parts, _ = ndimage.label(smooth > 0.5 * threshold_otsu(smooth))
    areas = np.bincount(parts.ravel())[1:]
    kept = np.isin(parts, 1 + np.flatnonzero(areas >= 0.1 * areas.max()))
    expected = ndimage.binary_fill_holes(kept)
    assert 0.1 < kept.mean() <= expected.mean() < 0.95
    assert np.array_equal(head_mask(torch.from_numpy(image)[None, None])[0, 0].numpy(), expected)


@pytest.mark.parametrize("width", [1.5, 10.0, 23.0])
def test_the_rim_is_what_distances_over_the_whole_image_say(width: float) -> None:
    mask = disk(90, (30, 40), 9) | disk(90, (70, 8), 13) | disk(90, (88, 80), 5)  # two of them cut off by a border
    mask[28:33, 38:41] = False
    inside = mask.numpy()
    depth = np.where(inside, ndimage.distance_transform_edt(inside), ndimage.distance_transform_edt(~inside))
    for expected, shifted in ((depth, mask), (depth[:, ::-1], mask.flip(1)), (depth.T, mask.T)):
        got = rim_mask(shifted[None, None], width)[0, 0].numpy()
        assert np.array_equal(got, expected - 0.5 < width / 2)


def test_a_constant_image_has_no_head() -> None:
    assert not bool(head_mask(torch.full((1, 1, 32, 32), 0.7)).any())
    assert not bool(head_mask(torch.zeros(1, 1, 32, 32)).any())


def test_an_image_without_any_foreground_has_an_empty_head() -> None:
    image = -0.04 + 0.02 * torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))  # ringing in black
    image[..., :16, :] = -0.04  # half of its (negative) threshold is above every pixel
    assert not bool(head_mask(image).any())


def test_ringing_below_zero_does_not_move_the_head() -> None:
    image, head = head_image()
    image = 3 * image  # about 0.9
    ringing = torch.where(head, image, image - 0.04)
    assert (head_mask(ringing) ^ head_mask(image)).float().mean() < 0.01
    assert torch.equal(head_mask(4000 * ringing), head_mask(ringing))


@pytest.mark.parametrize("scale", [1.0, 4000.0])
def test_an_image_whose_air_is_not_zero_is_refused(scale: float) -> None:
    image, _ = head_image()
    batch = torch.cat([image, 2 * image - 1]) * scale  # the second in [-1, 1]
    with pytest.raises(ValueError, match=r"target must be in \[0, 1\].* got values in \[-.* rescale it to \[0, 1\]"):
        head_mask(batch)
    standardised = (image - image.mean()) / image.std()
    with pytest.raises(ValueError, match=r"target must be in \[0, 1\]"):
        region_masks(torch.zeros(1, 1, 128, 128), standardised)
    assert bool(region_masks(torch.zeros(1, 1, 128, 128), standardised, regions=("whole",))["whole"].all())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_target_that_is_not_finite_is_refused(value: float) -> None:
    image, _ = head_image()
    image[..., 3, 4] = value
    with pytest.raises(ValueError, match="target must be finite, got 1 pixels"):
        head_mask(image)


def test_every_image_of_a_batch_gets_its_own_head_whatever_its_channels() -> None:
    image, _ = head_image()
    batch = torch.cat([image, image.flip(2)]).expand(2, 3, 128, 128)
    got = head_mask(batch)
    assert got.shape == (2, 1, 128, 128)
    assert torch.equal(got[0], head_mask(image)[0])
    assert torch.equal(got[1], got[0].flip(1))


@pytest.mark.parametrize("width", [2, 6, 10])
def test_the_rim_of_a_straight_border_has_its_width_in_pixels(width: int) -> None:
    mask = torch.zeros(1, 1, 40, 60, dtype=torch.bool)
    mask[..., 25:] = True
    columns = rim_mask(mask, width)[0, 0].all(dim=0).nonzero().flatten()
    assert columns.tolist() == list(range(25 - width // 2, 25 + width // 2))


def test_the_rim_follows_the_euclidean_distance_around_a_corner() -> None:
    mask = torch.zeros(1, 1, 30, 30, dtype=torch.bool)
    mask[..., 10:20, 10:20] = True
    rim = rim_mask(mask, 6)[0, 0]
    assert bool(rim[7, 15])  # 3 pixels out, straight: center 2.5 from the border
    assert not bool(rim[6, 15])
    assert not bool(rim[7, 7])  # diagonal: 4.2 from the corner pixel
    assert bool(rim[12, 15])
    assert not bool(rim[13, 15])


@pytest.mark.parametrize("fill", [False, True])
def test_a_mask_without_a_border_has_no_rim(fill: bool) -> None:
    assert not bool(rim_mask(torch.full((1, 1, 20, 20), fill)).any())


def test_an_empty_mask_leaves_inside_and_rim_empty() -> None:
    image, _ = head_image()
    regions = region_masks(torch.zeros(1, 1, 128, 128), image)
    assert not bool(regions["inside"].any() | regions["rim"].any())
    assert bool(regions["outside"].all())
    assert bool(regions["head"].any())


def test_bad_input_is_refused_by_name() -> None:
    mask = torch.zeros(1, 1, 20, 20)
    with pytest.raises(ValueError, match=r"regions must be names out of .* got \['brain'\]"):
        region_masks(mask, regions=("whole", "brain"))
    with pytest.raises(ValueError, match="pass target"):
        region_masks(mask)
    with pytest.raises(ValueError, match=r"mask must have shape \(B, 1, H, W\)"):
        region_masks(mask[0])
    with pytest.raises(ValueError, match="hold only 0 and 1"):
        region_masks(mask + 0.3, regions=("inside",))
    with pytest.raises(ValueError, match="target must be"):
        region_masks(mask, torch.rand(1, 1, 20, 21))
    with pytest.raises(ValueError, match="target must have shape"):
        head_mask(torch.rand(20, 20))
    with pytest.raises(ValueError, match=r"rim_width .* larger than 1, got 1"):
        rim_mask(mask, 1)


@pytest.mark.real_data
def test_on_real_slices_the_head_holds_the_tumor_and_not_the_air(real_data_dir: Path) -> None:
    from monai_srgan.data import read_cjdata
    from monai_srgan.physics import BicubicUpsample, GaussianDownsample

    files = sorted(f for f in real_data_dir.rglob("*.mat") if f.stem.isdigit())[::40]
    whole, head = [], []
    for file in files:
        data = read_cjdata(file)
        image = torch.from_numpy(data.image)[None, None].float()
        image = (image / torch.quantile(image[..., ::2, ::2], 0.999)).clamp(0, 1)
        mask = torch.from_numpy(data.mask)[None, None]
        regions = region_masks(mask, image)
        assert (regions["head"] & regions["inside"]).sum() > 0.99 * regions["inside"].sum(), file
        assert 0.1 < regions["head"].float().mean() < 0.9, file
        bicubic = BicubicUpsample(4)(GaussianDownsample(4)(image))
        whole.append(masked_psnr(bicubic, image).item())
        head.append(masked_psnr(bicubic, image, regions["head"]).item())
    assert 2.0 < sum(whole) / len(files) - sum(head) / len(files) < 4.0
