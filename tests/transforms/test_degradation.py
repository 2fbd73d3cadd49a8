# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mask-aware degradation: equal to the plain operator where it should be, different where it is asked to be."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor, set_track_meta
from monai.transforms import Compose, RandFlipd
from scipy.ndimage import gaussian_filter

from monai_srgan.physics import BicubicDownsample, GaussianDownsample, InsideSettings, KSpaceDownsample, Measurement
from monai_srgan.transforms import (
    MaskAwareDegrade,
    MaskAwareDegraded,
    RandMaskAwareDegraded,
    RandRegionCropd,
)

AFFINE = np.array([[0, -0.49, 0, 12], [0.49, 0, 0, -7], [0, 0, 7, 3], [0, 0, 0, 1]], dtype=float)


def head(height=64, width=48, seed=0):
    return torch.rand(1, height, width, generator=torch.Generator().manual_seed(seed))


def tumor(height=64, width=48):
    mask = torch.zeros(1, height, width, dtype=torch.uint8)
    mask[:, 20:44, 13:33] = 1
    return mask


def sample(**shape):
    meta = {"filename_or_obj": "7.mat", "affine": torch.from_numpy(AFFINE), "spatial_shape": np.array([64, 48])}
    return {
        "image": MetaTensor(head(**shape), meta=dict(meta)),
        "mask": MetaTensor(tumor(**shape), meta=dict(meta)),
        "tumor_type": 2,
    }


@pytest.mark.parametrize(
    "settings",
    [{}, {"sigma": 1.1}, {"sigma": 1.1, "sigma_inside": 1.1}, {"sigma": 0.9, "sigma_inside": 0.9, "feather": 5}],
)
def test_equal_sigmas_equal_the_plain_operator_exactly(settings):
    expected = GaussianDownsample(4, settings.get("sigma"))(head()[None])[0]
    assert torch.equal(MaskAwareDegrade(**settings)(head(), tumor()), expected)


def test_an_empty_mask_means_the_outside_setting_everywhere():
    degrade = MaskAwareDegrade(sigma=1.2, sigma_inside=3, feather=4, isolate=True)
    assert torch.equal(degrade(head(), torch.zeros(1, 64, 48)), GaussianDownsample(4, 1.2)(head()[None])[0])


@pytest.mark.parametrize("settings", [{"sigma_inside": 1.0}, {"isolate": True}, {"sigma_inside": 3, "feather": 2}])
def test_a_missing_mask_is_refused_where_the_setting_depends_on_one(settings):
    degrade = MaskAwareDegrade(**settings)
    assert degrade.needs_mask
    with pytest.raises(ValueError, match=r"^7.mat: mask is missing, .* an empty mask for an image without tumor"):
        degrade(sample()["image"])


@pytest.mark.parametrize("settings", [{}, {"sigma": 1.0, "sigma_inside": 1.0}, {"operator": BicubicDownsample(4)}])
def test_a_missing_mask_is_fine_where_nothing_depends_on_it(settings):
    degrade = MaskAwareDegrade(**settings)
    assert not degrade.needs_mask
    assert torch.equal(degrade(head()), degrade(head(), tumor()))


@pytest.mark.parametrize("isolate", [False, True])
def test_a_full_mask_means_the_inside_setting_everywhere(isolate):
    degrade = MaskAwareDegrade(sigma=1.2, sigma_inside=3, feather=4, isolate=isolate)
    expected = GaussianDownsample(4, 3)(head()[None])[0]
    torch.testing.assert_close(degrade(head(), torch.ones(1, 64, 48)), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("operator", [BicubicDownsample(2), KSpaceDownsample(4), GaussianDownsample(3, 0.8)])
def test_any_operator_can_take_the_place_of_the_gaussian(operator):
    x = head(48, 48)
    assert torch.equal(MaskAwareDegrade(operator)(x), operator(x[None])[0])
    assert MaskAwareDegrade(operator).scale == operator.scale


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_two_sigmas_compose_two_blurs_along_the_mask(scale):
    x, mask = head(48, 72).double(), tumor(48, 72)
    inside = gaussian_filter(x[0].numpy(), 0.5, mode="mirror")
    outside = gaussian_filter(x[0].numpy(), 2.0, mode="mirror")
    composite = torch.from_numpy(np.where(mask[0].numpy() > 0, inside, outside))
    expected = GaussianDownsample(scale, 0).decimate(composite[None, None])[0]
    ours = MaskAwareDegrade(scale=scale, sigma=2, sigma_inside=0.5)(x, mask)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


def test_a_sharper_inside_setting_keeps_more_detail_inside_only():
    plain = MaskAwareDegrade(sigma=2)(head(), tumor())
    sharper = MaskAwareDegrade(sigma=2, sigma_inside=0.5)(head(), tumor())
    inside = MaskAwareDegrade().lr_mask(tumor()) == 1
    outside = MaskAwareDegrade().lr_mask(tumor()) == 0
    assert sharper[inside].std() > 2 * plain[inside].std()
    torch.testing.assert_close(sharper[outside], plain[outside], rtol=0, atol=1e-6)


def test_feather_ramps_linearly_across_a_straight_border():
    mask = torch.zeros(32, 32, dtype=torch.bool)
    mask[:, 16:] = True
    seam = MaskAwareDegrade(sigma_inside=1, feather=4).seam(mask)
    expected = torch.tensor([0.0, 0.125, 0.375, 0.625, 0.875, 1.0])
    torch.testing.assert_close(seam[10, 13:19], expected)
    assert torch.equal(MaskAwareDegrade(feather=0).seam(mask), mask.float())


def test_feather_of_a_small_mask_is_that_of_the_whole_image():
    mask = torch.zeros(40, 36, dtype=torch.bool)
    mask[12:23, 27:33] = True
    mask[17, 29] = False  # a hole
    seam = MaskAwareDegrade(sigma_inside=1, feather=9).seam(mask)
    rows, columns = np.mgrid[:40, :36]
    points, inside = np.stack([rows, columns], -1).reshape(-1, 2), mask.numpy().ravel()
    distance = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    to_outside, to_inside = distance[:, ~inside].min(1), distance[:, inside].min(1)
    depth = np.where(inside, to_outside - 0.5, 0.5 - to_inside)
    np.testing.assert_allclose(seam.numpy().ravel(), np.clip(0.5 + depth / 9, 0, 1), atol=1e-6)


@pytest.mark.parametrize("scale", [3, 4, 8])
@pytest.mark.parametrize("settings", [{}, {"sigma": 1.0, "sigma_inside": 2.0, "feather": 6}])
def test_isolation_lets_no_intensity_cross_the_border(scale, settings):
    degrade = MaskAwareDegrade(scale=scale, isolate=True, **settings)
    x, mask = head(72, 96), tumor(72, 96)
    share = degrade.lr_mask(mask)
    before = degrade(x, mask)
    loud_outside = degrade(torch.where(mask > 0, x, x * 1e6), mask)
    loud_inside = degrade(torch.where(mask > 0, x * 1e6, x), mask)
    assert torch.equal(before[share == 1], loud_outside[share == 1])
    assert torch.equal(before[share == 0], loud_inside[share == 0])
    open_border = MaskAwareDegrade(scale=scale, **settings)
    leaked = open_border(torch.where(mask > 0, x, x * 1e6), mask) - open_border(x, mask)
    assert leaked[share == 1].abs().max() > 1


def test_isolation_keeps_each_side_of_a_two_valued_image_constant():
    mask = tumor()
    x = torch.where(mask > 0, 0.9, 0.2)
    degrade = MaskAwareDegrade(isolate=True, sigma=2, sigma_inside=1)
    share = degrade.lr_mask(mask)
    y = degrade(x, mask)
    torch.testing.assert_close(y[share == 1], torch.full_like(y[share == 1], 0.9), rtol=0, atol=1e-6)
    torch.testing.assert_close(y[share == 0], torch.full_like(y[share == 0], 0.2), rtol=0, atol=1e-6)


def test_isolation_with_equal_sigmas_still_isolates():
    assert not torch.equal(MaskAwareDegrade(isolate=True)(head(), tumor()), MaskAwareDegrade()(head(), tumor()))


def test_lr_mask_is_the_area_average():
    mask = torch.zeros(1, 16, 16)
    mask[:, 3:9, 4:8] = 255  # masks of 0 and 255 count as masks
    expected = mask.reshape(4, 4, 4, 4).mean(dim=(1, 3))[None] / 255
    torch.testing.assert_close(MaskAwareDegrade().lr_mask(mask), expected)
    assert expected[0, 0, 1] == 0.25


def test_noise_is_rician():
    level, std = 0.5, 0.1
    flat = torch.full((1, 512, 512), level)
    noisy = MaskAwareDegrade(noise_std=std)(flat).double()
    second_moment = level**2 + 2 * std**2  # of the Rice distribution
    assert abs((noisy**2).mean() - second_moment) < 5e-3
    dark = MaskAwareDegrade(noise_std=std)(torch.zeros(1, 512, 512)).double()
    assert abs(dark.mean() - std * np.sqrt(np.pi / 2)) < 3e-3  # Rayleigh in the background
    assert dark.min() >= 0


def test_noise_is_reproducible_and_differs_between_images_and_seeds():
    noise = {
        (seed, image): MaskAwareDegrade(noise_std=0.1, seed=seed)(head(seed=image))
        - MaskAwareDegrade()(head(seed=image))
        for seed in (0, 1)
        for image in (0, 1)
    }
    again = MaskAwareDegrade(noise_std=0.1, seed=0)(head(seed=0)) - MaskAwareDegrade()(head(seed=0))
    assert torch.equal(noise[0, 0], again)
    assert not torch.allclose(noise[0, 0], noise[1, 0], atol=1e-3)
    assert not torch.allclose(noise[0, 0], noise[0, 1], atol=1e-3)


def test_the_kind_of_array_is_kept():
    array = head().numpy()
    degrade = MaskAwareDegrade(sigma=1, sigma_inside=2)
    expected = degrade(head(), tumor())
    as_numpy = degrade(array, tumor().numpy())
    assert isinstance(as_numpy, np.ndarray)
    np.testing.assert_array_equal(as_numpy, expected.numpy())
    assert type(expected) is torch.Tensor
    as_meta = degrade(sample()["image"], sample()["mask"])
    assert isinstance(as_meta, MetaTensor)
    assert torch.equal(as_meta.as_tensor(), expected)


@pytest.mark.parametrize(
    "view",
    [lambda a: a[:, ::-1, ::-1], lambda a: a[::-1], lambda a: a.astype(a.dtype.newbyteorder()), np.broadcast_arrays],
    ids=["flipped", "flipped along one channel", "byte order", "read-only"],
)
def test_flipped_foreign_and_read_only_numpy_arrays_are_taken(view):
    degrade = MaskAwareDegrade(sigma=1, sigma_inside=2, noise_std=0.01)
    image, mask = head().numpy(), tumor().numpy().astype(np.int16)
    if view is np.broadcast_arrays:
        image.flags.writeable = mask.flags.writeable = False
    else:
        image, mask = view(image), view(mask)
    plain_image, plain_mask = image.astype(np.float32).copy("C"), mask.astype(np.int16).copy("C")
    np.testing.assert_array_equal(degrade(image, mask), degrade(plain_image, plain_mask))
    np.testing.assert_array_equal(degrade.lr_mask(mask), degrade.lr_mask(plain_mask))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_keeps_its_dtype_with_all_settings(dtype):
    settings = {"sigma": 1, "sigma_inside": 2, "feather": 3, "isolate": True, "noise_std": 0.01}
    image = head().to(dtype)
    low = MaskAwareDegrade(**settings)(image, tumor())
    exact = MaskAwareDegrade(**settings)(image.float(), tumor())
    assert low.dtype == dtype
    # the noise is drawn from the pixels, in both cases the same numbers for bfloat16
    tolerance = 0.02 if dtype == torch.bfloat16 else 0.1
    torch.testing.assert_close(low.float(), exact, rtol=0, atol=tolerance)


def test_integer_images_do_not_wrap():
    image = np.full((1, 16, 16), 30000, dtype=np.int16)
    np.testing.assert_allclose(MaskAwareDegrade()(image), 30000, rtol=1e-6)


def test_lr_affine_is_four_times_coarser_and_centered():
    lr = MaskAwareDegrade()(sample()["image"], sample()["mask"])
    for index in ([0, 0, 0, 1], [5, 11, 2, 1]):
        low = np.array(index, dtype=float)
        high = low * [4, 4, 1, 1] + [1.5, 1.5, 0, 0]
        np.testing.assert_allclose(lr.affine.numpy() @ low, AFFINE @ high, atol=1e-12)
    assert lr.meta["spatial_shape"].tolist() == [16, 12]
    np.testing.assert_allclose(lr.meta["original_affine"], lr.affine.numpy())


def test_dictionary_makes_a_training_pair_and_changes_nothing_in_place():
    data = sample()
    kept = {key: data[key].clone() for key in ("image", "mask")}
    pair = MaskAwareDegraded(lr_mask_key="lr_mask", sigma_inside=1.0)(data)
    assert pair["label"] is data["image"]
    assert pair["mask"] is data["mask"]
    assert pair["tumor_type"] == 2
    assert pair["image"].shape == (1, 16, 12)
    assert pair["lr_mask"].shape == (1, 16, 12)
    torch.testing.assert_close(pair["lr_mask"].affine, pair["image"].affine)
    assert data.keys() == {"image", "mask", "tumor_type"}
    for key, value in kept.items():
        assert torch.equal(data[key], value)
        np.testing.assert_allclose(data[key].affine, AFFINE)


def test_dictionary_needs_no_mask_unless_an_argument_does():
    data = {"image": head()}
    assert MaskAwareDegraded()(data)["image"].shape == (1, 16, 12)
    assert MaskAwareDegraded(sigma=1.0, sigma_inside=1.0)(data)["image"].shape == (1, 16, 12)
    for settings in ({"isolate": True}, {"sigma_inside": 1.0}, {"lr_mask_key": "lr_mask"}):
        with pytest.raises(KeyError, match=r"'mask' is missing.*add the tumor mask to the data"):
            MaskAwareDegraded(**settings)(data)


def test_dictionary_takes_several_images_and_can_drop_the_original():
    data = {"t1": head(seed=1), "t2": head(seed=2), "mask": tumor()}
    pair = MaskAwareDegraded(keys=("t1", "t2"), hr_key=("t1_hr", "t2_hr"))(data)
    assert torch.equal(pair["t2_hr"], data["t2"])
    assert torch.equal(pair["t2"], MaskAwareDegrade()(data["t2"]))
    assert "label" not in MaskAwareDegraded(hr_key=None)(sample())


def training_transform():
    return Compose(
        [
            RandRegionCropd(keys=("image", "mask"), roi_size=32),
            RandFlipd(keys=("image", "mask"), prob=0.5, spatial_axis=0),
            RandMaskAwareDegraded(sigma_inside=(0.5, 1), lr_mask_key="lr_mask"),
        ]
    )


def test_pipeline_works_in_cache_dataset_and_leaves_the_cache_alone():
    data = [sample() for _ in range(2)]
    dataset = CacheDataset(data, training_transform(), copy_cache=False, progress=False)
    kept = [item["image"].clone() for item in data]
    shapes = {tuple(dataset[i % 2]["image"].shape) for i in range(6)}
    assert shapes == {(1, 8, 8)}
    assert all(torch.equal(item["image"], image) for item, image in zip(data, kept, strict=True))


def test_the_fixed_version_is_cached_and_the_random_one_is_not():
    fixed = CacheDataset([sample()], Compose([MaskAwareDegraded(noise_std=0.1)]), progress=False)
    assert fixed._cache[0]["image"].shape == (1, 16, 12)
    random = CacheDataset([sample()], Compose([RandMaskAwareDegraded()]), progress=False)
    assert random._cache[0]["image"].shape == (1, 64, 48)


def test_pipeline_works_in_worker_processes_and_repeats_with_the_seed():
    def run():
        dataset = CacheDataset([sample() for _ in range(4)], training_transform(), progress=False)
        dataset.transform.set_random_state(5)
        torch.manual_seed(0)
        return list(DataLoader(dataset, batch_size=2, num_workers=1))

    first, second = run(), run()
    assert first[0]["image"].shape == (2, 1, 8, 8)
    assert first[0]["label"].shape == (2, 1, 32, 32)
    assert all(torch.equal(a["image"], b["image"]) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    "transform", [MaskAwareDegraded(sigma_inside=1), RandMaskAwareDegraded(), training_transform()]
)
def test_transforms_can_be_pickled(transform):
    assert pickle.loads(pickle.dumps(transform))(sample())["image"].ndim == 3


def test_plain_tensors_come_out_where_meta_data_are_switched_off():
    set_track_meta(False)
    try:
        pair = training_transform()({"image": head(), "mask": tumor()})
    finally:
        set_track_meta(True)
    assert type(pair["image"]) is torch.Tensor


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MaskAwareDegrade(sigma=-1), r"sigma must be .* got -1"),
        (lambda: MaskAwareDegrade(sigma_inside=-1), r"sigma_inside must be .* got -1"),
        (lambda: MaskAwareDegrade(feather=-2), r"feather must be .* >= 0 .* got -2"),
        (lambda: MaskAwareDegrade(feather=2), r"feather=2 blends .* without sigma_inside: set that too"),
        (lambda: MaskAwareDegrade(feather=2, isolate=True), r"feather=2 blends"),
        (lambda: MaskAwareDegraded(feather=2), r"feather=2 blends"),
        (lambda: MaskAwareDegrade().lr_mask(torch.ones(1, 30, 32)), r"mask: spatial size must be divisible by 4, got"),
        (lambda: MaskAwareDegrade().lr_mask(sample()["mask"][:, :30]), r"^7.mat: spatial size must be divisible by 4"),
        (lambda: MaskAwareDegrade().lr_mask(None), r"mask must have shape \(1, H, W\), got None"),
        (lambda: MaskAwareDegrade().lr_mask(torch.ones(8, 8)), r"mask must have shape \(1, H, W\), got \(8, 8\)"),
        (lambda: MaskAwareDegrade(noise_std=float("inf")), r"noise_std must be a finite number"),
        (lambda: MaskAwareDegrade(BicubicDownsample(4), sigma=0), r"operator=BicubicDownsample excludes sigma"),
        (lambda: MaskAwareDegrade(BicubicDownsample(4), isolate=True, feather=2), r"excludes feather, isolate"),
        (lambda: MaskAwareDegrade(torch.nn.Identity()), r"integer attribute scale: Identity has none"),
        (lambda: MaskAwareDegrade()(torch.ones(1, 30, 32)), r"divisible by 4, got \(30, 32\): add DivisiblePadd"),
        (lambda: MaskAwareDegrade()(torch.ones(32, 32)), r"real slice \(C, H, W\), got \(32, 32\)"),
        (lambda: MaskAwareDegrade()(torch.full((1, 8, 8), torch.nan)), r"NaN or infinite"),
        (
            lambda: MaskAwareDegrade()(head(), torch.ones(1, 8, 8)),
            r"mask must have shape \(1, 64, 48\).*got \(1, 8, 8\)",
        ),
        (lambda: MaskAwareDegrade()(head(), torch.ones(64, 48)), r"mask must have shape"),
        (lambda: MaskAwareDegrade()(sample()["image"][:, :30]), r"^7.mat: spatial size"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("degrade", "expected"),
    [
        (MaskAwareDegrade(), Measurement(GaussianDownsample(4))),
        (MaskAwareDegrade(scale=2, sigma=1, noise_std=0.1), Measurement(GaussianDownsample(2, 1), 0.1)),
        (MaskAwareDegrade(sigma_inside=1.5, feather=2), Measurement(GaussianDownsample(4))),
        (
            MaskAwareDegrade(sigma_inside=3, feather=2, isolate=True),
            Measurement(GaussianDownsample(4), inside=InsideSettings(3, 2, isolate=True)),
        ),
        (MaskAwareDegrade(isolate=True), Measurement(GaussianDownsample(4), inside=InsideSettings(1.5, isolate=True))),
        (MaskAwareDegrade(KSpaceDownsample(2), noise_std=0.1), Measurement(KSpaceDownsample(2), 0.1)),
    ],
)
def test_the_measurement_records_what_the_transform_does(degrade, expected):
    assert degrade.measurement == expected
    assert degrade.needs_mask == (expected.inside is not None)


def test_another_seed_is_the_same_measurement():
    assert MaskAwareDegrade(noise_std=0.1).measurement == MaskAwareDegrade(noise_std=0.1, seed=7).measurement
