# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Random training crops: their place, content and inverse."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from known_grid import AFFINE, coordinate_sample, image_of
from monai.data import MetaTensor
from monai.transforms import Compose, RandFlipd

from monai_srgan.transforms import RandRegionCrop, RandRegionCropd


def test_crop_always_contains_tumor_at_probability_one():
    mask = torch.zeros(1, 60, 52)
    mask[0, 59, 0] = 1  # a corner: the hardest place
    crop = RandRegionCrop(roi_size=(16, 24), tumor_prob=1).set_random_state(0)
    assert all(crop(mask, mask).sum() == 1 for _ in range(50))


def test_tumor_probability_is_kept():
    mask = torch.zeros(1, 400, 400)
    mask[0, 200, 200] = 1  # a uniform crop of 20 pixels holds it once in 360 draws
    crop = RandRegionCrop(roi_size=20, tumor_prob=0.3).set_random_state(0)
    share = np.mean([float(crop(mask, mask).sum()) for _ in range(400)])
    assert abs(share - 0.3) < 0.07


def test_crops_beside_the_tumor_contain_foreground():
    image = torch.full((1, 60, 52), 0.1)
    image[0, 30, 0] = 0.11  # the one pixel above the threshold
    empty = torch.zeros(1, 60, 52)
    crop = RandRegionCrop(roi_size=16, tumor_prob=0.5, foreground=0.1).set_random_state(0)
    for mask in (None, empty):
        cuts = [crop(image, mask) for _ in range(50)]
        assert all(cut.max() == 0.11 for cut in cuts)
    assert len({int(cut[0].argmax()) for cut in cuts}) > 5  # anywhere in the crop
    tumor = empty.clone()
    tumor[0, 0, 51] = 1
    pair = RandRegionCropd(roi_size=16, tumor_prob=0.5, foreground=0.1).set_random_state(0)
    drawn = [pair({"image": image, "mask": tumor}) for _ in range(200)]
    held = np.array([[float(d["mask"].sum()), float(d["image"].max() > 0.105)] for d in drawn])
    assert (held.sum(1) == 1).all()  # each crop holds the tumor or the bright pixel, which are too far apart for both
    assert abs(held[:, 0].mean() - 0.5) < 0.11


def test_an_image_without_foreground_is_cropped_anywhere():
    image = torch.arange(36.0).reshape(1, 6, 6)
    crop = RandRegionCrop(roi_size=4, tumor_prob=0, foreground=99.0).set_random_state(0)
    assert {int(crop(image)[0, 0, 0]) for _ in range(200)} == {0, 1, 2, 6, 7, 8, 12, 13, 14}


def test_the_tumor_appears_all_over_the_crop():
    mask = torch.zeros(1, 100, 100)
    mask[0, 50, 40] = 1
    crop = RandRegionCrop(roi_size=8, tumor_prob=1).set_random_state(0)
    places = {tuple(np.argwhere(crop(mask, mask)[0].numpy())[0]) for _ in range(600)}
    assert len(places) == 64  # each of 8 x 8 is missed by 600 draws with probability 8e-5


def test_uniform_crops_reach_every_place():
    image = torch.arange(36.0).reshape(1, 6, 6)
    crop = RandRegionCrop(roi_size=4, tumor_prob=0).set_random_state(0)
    assert {int(crop(image)[0, 0, 0]) for _ in range(200)} == {0, 1, 2, 6, 7, 8, 12, 13, 14}


def test_crop_as_large_as_the_image_is_the_image():
    image = torch.rand(1, 20, 16)
    assert torch.equal(RandRegionCrop(roi_size=(20, 16))(image, torch.ones(1, 20, 16)), image)


def test_image_and_mask_are_cropped_alike_and_reproducibly():
    sample = coordinate_sample()
    sample["mask"] = MetaTensor(sample["image"][:1].as_tensor() != 1e9, meta=dict(sample["mask"].meta))
    sample["twin"] = sample["image"]
    crop = RandRegionCropd(keys=("image", "mask", "twin"), roi_size=16)
    crop.set_random_state(1)
    first = [crop(sample) for _ in range(3)]
    assert all(torch.equal(item["image"], item["twin"]) for item in first)
    crop.set_random_state(1)
    assert all(torch.equal(item["image"], crop(sample)["image"]) for item in first)


def test_the_place_does_not_depend_on_the_content_of_the_mask():
    image = torch.arange(400.0).reshape(1, 20, 20)
    crop = RandRegionCrop(roi_size=4, tumor_prob=0.5)
    sequences = []
    for mask in (torch.zeros(1, 20, 20), None):
        crop.set_random_state(3)
        sequences.append([int(crop(image, mask)[0, 0, 0]) for _ in range(10)])
    assert sequences[0] == sequences[1]


def test_the_array_version_works_in_compose():
    assert Compose([RandRegionCrop(roi_size=8)], lazy=True)(image_of(1, 20, 20)).shape == (1, 8, 8)


def test_crop_and_its_inverse():
    sample = coordinate_sample()
    transform = Compose([RandRegionCropd(roi_size=16), RandFlipd(keys=("image", "mask"), prob=1, spatial_axis=0)])
    restored = transform.inverse(transform(sample))["image"]
    row, column = transform.transforms[0].cropper.start
    np.testing.assert_allclose(restored.affine, AFFINE, atol=1e-12)
    assert restored.shape == sample["image"].shape
    inner = (slice(None), slice(row, row + 16), slice(column, column + 16))
    assert torch.equal(restored[inner].as_tensor(), sample["image"][inner].as_tensor())
    restored[inner] = 0
    assert restored.count_nonzero() == 0


def test_later_in_place_changes_do_not_reach_the_source():
    image = torch.zeros(1, 20, 20)
    for source in (image, image.numpy(), MetaTensor(image)):
        RandRegionCrop(roi_size=20)(source)[:] = 1
        assert not np.asarray(source).any()


def test_kinds_of_array():
    array = np.random.RandomState(0).rand(1, 20, 20).astype(np.float32)
    assert isinstance(RandRegionCrop(roi_size=8)(array, array > 0.5), np.ndarray)
    assert RandRegionCrop(roi_size=8)(torch.from_numpy(array)).shape == (1, 8, 8)
    cropped = RandRegionCropd(roi_size=8)({"image": array, "mask": array > 0.5})
    assert cropped["mask"].dtype == bool


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[:, ::-1, ::-1],
        lambda a: a[::-1],
        lambda a: a.astype(">f4"),
        lambda a: np.broadcast_to(a[:, :1], a.shape),
    ],
)
def test_flipped_foreign_and_read_only_numpy_arrays_are_taken(view):
    array = view(np.random.RandomState(0).rand(1, 20, 20).astype(np.float32))
    crop = RandRegionCrop(roi_size=8, tumor_prob=1).set_random_state(0)
    cropped = crop(array, array > 0.9)
    row, column = crop.start
    np.testing.assert_array_equal(cropped, array[:, row : row + 8, column : column + 8])
    assert cropped.dtype == np.float32


def test_masks_of_low_precision_guide_the_crop():
    mask = torch.zeros(1, 60, 52, dtype=torch.bfloat16)
    mask[0, 59, 0] = 1
    assert RandRegionCrop(roi_size=8, tumor_prob=1).set_random_state(0)(mask, mask).sum() == 1


def test_the_transform_can_be_pickled():
    data = {"image": image_of(1, 10, 10), "mask": torch.ones(1, 10, 10)}
    assert pickle.loads(pickle.dumps(RandRegionCropd(roi_size=8)))(data)["image"].shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RandRegionCrop(96)(image_of(1, 64, 128)), r"^7.mat: .* as roi_size \(96, 96\), got \(1, 64, 128\)"),
        (lambda: RandRegionCrop(4)(torch.ones(1, 8, 8, 8)), r"must be \(C, H, W\)"),
        (lambda: RandRegionCrop(4)(image_of(1, 8, 8), torch.ones(1, 9, 8)), r"^7.mat: mask must .* got \(9, 8\)"),
        (lambda: RandRegionCrop(0), r"roi_size must be at least 1"),
        (lambda: RandRegionCrop(foreground=float("nan")), r"foreground must be an intensity .* got nan"),
        (lambda: RandRegionCrop(tumor_prob=1.1), r"tumor_prob must lie in \[0, 1\], got 1.1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_missing_mask_is_named():
    with pytest.raises(KeyError, match=r"'mask' is missing.*mask_key=None"):
        RandRegionCropd(keys="image", roi_size=4)({"image": torch.ones(1, 8, 8)})
    assert (
        RandRegionCropd(keys="image", mask_key=None, roi_size=4)({"image": torch.ones(1, 8, 8)})["image"].shape[1] == 4
    )
