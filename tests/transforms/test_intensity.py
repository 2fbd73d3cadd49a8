# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Percentile normalization and the way back to scanner units."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch
from monai.transforms import Compose

from monai_srgan.transforms import (
    MaskAwareDegraded,
    RandRegionCropd,
    RestoreIntensity,
    RestoreIntensityd,
    ScaleIntensityByPercentile,
    ScaleIntensityByPercentiled,
    SRGeometryd,
)


def slice_of(seed=0, dtype=np.int16, high=12728):
    return np.random.RandomState(seed).randint(0, high + 1, (1, 64, 48)).astype(dtype)


def meta_slice(seed=0, name="7.mat", **options):
    return MetaTensor(torch.from_numpy(slice_of(seed, **options)), meta={"filename_or_obj": name})


def test_the_percentile_of_the_slice_becomes_one():
    image = slice_of()
    scaled = ScaleIntensityByPercentile(90, clip=False)(image)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(np.percentile(scaled, 90), 1, rtol=1e-6)
    np.testing.assert_allclose(scaled, image / np.percentile(image.astype(float), 90), rtol=1e-6)


def test_clipping_limits_to_zero_and_one_and_touches_nothing_else():
    image = slice_of().astype(np.float32) - 500
    free, clipped = ScaleIntensityByPercentile(90, clip=False)(image), ScaleIntensityByPercentile(90)(image)
    np.testing.assert_array_equal(clipped, np.clip(free, 0, 1))
    assert free.max() > 1
    assert free.min() < 0


def test_the_minimum_is_not_subtracted():
    image = np.linspace(1000, 2000, 64 * 48, dtype=np.float32).reshape(1, 64, 48)
    assert abs(ScaleIntensityByPercentile(100)(image).min() - 0.5) < 1e-6


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8, np.int32, np.float64])
def test_no_dtype_wraps(dtype):
    image = slice_of(dtype=dtype, high=255 if dtype == np.uint8 else 32767)
    expected = np.clip(image.astype(float) / np.percentile(image.astype(float), 99.9), 0, 1)
    for kind in (image, torch.from_numpy(image)):
        np.testing.assert_allclose(np.asarray(ScaleIntensityByPercentile()(kind)), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("view", [lambda a: a[:, ::-1, ::-1], lambda a: a.astype(a.dtype.newbyteorder())])
def test_flipped_and_foreign_numpy_arrays_are_taken(view):
    image = view(slice_of())
    scaled = ScaleIntensityByPercentile()(image)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled, ScaleIntensityByPercentile()(image.astype(np.int16).copy()))
    np.testing.assert_array_equal(RestoreIntensity()(image, 2.0), 2.0 * image)


@pytest.mark.parametrize("make", [lambda t: t, lambda t: MetaTensor(t, meta={"filename_or_obj": "7.mat"})])
def test_bfloat16_is_scaled_in_float32(make):
    image = torch.from_numpy(slice_of()).bfloat16()
    scaled = ScaleIntensityByPercentile()(make(image))
    assert scaled.dtype == torch.float32
    assert torch.equal(torch.as_tensor(scaled), ScaleIntensityByPercentile()(image.float()))
    assert RestoreIntensity()(make(image), 2.0).dtype == torch.float32


def test_one_bright_vessel_does_not_darken_the_slice():
    image = slice_of(high=2000)
    bright = image.copy()
    bright[0, 3, 3] = 12728
    np.testing.assert_allclose(
        ScaleIntensityByPercentile()(bright).mean(), ScaleIntensityByPercentile()(image).mean(), rtol=2e-3
    )


@pytest.mark.parametrize("clip", [True, False])
def test_restoring_gives_scanner_units_back(clip):
    image = meta_slice()
    scaled = ScaleIntensityByPercentile(clip=clip)(image)
    limit = scaled.meta["intensity_scale"]
    expected = image.as_tensor().float().clamp(max=limit) if clip else image.as_tensor().float()
    restored = RestoreIntensity()(scaled)
    torch.testing.assert_close(restored.as_tensor(), expected, rtol=1e-6, atol=0)
    assert restored.meta["filename_or_obj"] == "7.mat"


def test_the_input_is_left_as_it_is():
    image = meta_slice()
    kept = image.clone()
    scaled = ScaleIntensityByPercentiled()({"image": image})["image"]
    RestoreIntensityd(keys="image", ref_key="image")({"image": scaled})
    assert torch.equal(image, kept)
    assert "intensity_scale" not in image.meta
    assert scaled.max() == 1
    array = slice_of().astype(np.float32)
    before = array.copy()
    ScaleIntensityByPercentile()(array)
    np.testing.assert_array_equal(array, before)


def test_the_kind_of_array_is_kept():
    assert isinstance(ScaleIntensityByPercentile()(slice_of()), np.ndarray)
    assert type(ScaleIntensityByPercentile()(torch.from_numpy(slice_of()))) is torch.Tensor
    assert isinstance(ScaleIntensityByPercentile()(meta_slice()), MetaTensor)
    assert isinstance(RestoreIntensity()(slice_of(), 3.0), np.ndarray)
    assert type(RestoreIntensity()(torch.ones(1, 2, 2), 3.0)) is torch.Tensor


def test_restoring_twice_does_not_multiply_twice():
    restore = RestoreIntensity()
    once = restore(ScaleIntensityByPercentile()(meta_slice()))
    assert torch.equal(restore(once), once)


def test_every_key_has_its_own_scale():
    data = {"a": meta_slice(high=100), "b": meta_slice(high=9000)}
    scaled = ScaleIntensityByPercentiled(keys=("a", "b"))(data)
    assert scaled["a"].meta["intensity_scale"] < 101 < 8000 < scaled["b"].meta["intensity_scale"]
    back = RestoreIntensityd(keys=("a", "b"), ref_key=None)(scaled)
    assert back["b"].max() > 8000


def test_the_scale_survives_crop_degradation_batching_and_decollation():
    items = [
        {"image": meta_slice(seed, f"{seed}.mat", high=1000 * (seed + 1)), "mask": torch.ones(1, 64, 48)}
        for seed in range(4)
    ]
    expected = {f"{seed}.mat": ScaleIntensityByPercentile().scale_of(items[seed]["image"]) for seed in range(4)}
    pipeline = Compose([ScaleIntensityByPercentiled(), RandRegionCropd(roi_size=32), MaskAwareDegraded()])
    post = Compose([SRGeometryd(), RestoreIntensityd()])
    seen = {}
    for batch in DataLoader(Dataset(items, pipeline), batch_size=2, num_workers=1):
        batch["pred"] = torch.full((2, 1, 32, 32), 0.5)
        for item in map(post, decollate_batch(batch)):
            seen[item["pred"].meta["filename_or_obj"]] = float(item["pred"].mean())
    assert seen == pytest.approx({name: 0.5 * scale for name, scale in expected.items()})


@pytest.mark.parametrize("transform", [ScaleIntensityByPercentiled(percentile=95), RestoreIntensityd()])
def test_transforms_can_be_pickled(transform):
    data = {"image": ScaleIntensityByPercentile()(meta_slice()), "pred": torch.ones(1, 4, 4)}
    key = "image" if isinstance(transform, ScaleIntensityByPercentiled) else "pred"
    assert torch.equal(pickle.loads(pickle.dumps(transform))(data)[key], transform(data)[key])


def bad(value):
    image = meta_slice(name="/data/1203.mat", dtype=np.float32)
    image[0, 5, 5] = value
    return image


BATCH = MetaTensor(torch.ones(2, 1, 4, 4), meta={"intensity_scale": torch.tensor([1.0, 2.0])})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ScaleIntensityByPercentile()(bad(float("nan"))), r"^/data/1203.mat: 1 values are NaN or infinite"),
        (lambda: ScaleIntensityByPercentile()(bad(float("inf"))), r"^/data/1203.mat: 1 values are NaN or infinite"),
        (lambda: ScaleIntensityByPercentile()(meta_slice() * 0 + 7), r"^7.mat: constant image \(every pixel is 7\)"),
        (lambda: ScaleIntensityByPercentile()(meta_slice() * 0), r"^7.mat: constant image"),
        (lambda: ScaleIntensityByPercentile()(bad(1.0) * 0 + torch.eye(64, 48) * -1), r"percentile 99.9 must be > 0"),
        (lambda: ScaleIntensityByPercentile(5)(meta_slice(high=3)), r"^7.mat: percentile 5 must be > 0, got 0"),
        (lambda: ScaleIntensityByPercentile()(np.ones((1, 0, 4))), r"empty array of shape \(1, 0, 4\)"),
        (lambda: ScaleIntensityByPercentile(0), r"percentile must lie in \(0, 100\], got 0"),
        (lambda: ScaleIntensityByPercentile(100.5), r"percentile must lie in \(0, 100\], got 100.5"),
        (lambda: RestoreIntensity()(torch.ones(1, 2, 2)), "must be a MetaTensor.*got Tensor"),
        (lambda: RestoreIntensity()(torch.ones(1, 2, 2), 0.0), r"scale must be a finite number > 0, got 0.0"),
        (
            lambda: RestoreIntensityd()({"pred": torch.ones(1, 2, 2)}),
            "must be a MetaTensor.*PersistentDataset",
        ),
        (lambda: RestoreIntensity()(BATCH), r"scales of 2 images: apply decollate_batch first"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_settings_record_how_intensities_were_scaled():
    assert ScaleIntensityByPercentile().settings == {"percentile": 99.9, "clip": True}
    assert ScaleIntensityByPercentiled(percentile=98, clip=False).settings == {"percentile": 98.0, "clip": False}
