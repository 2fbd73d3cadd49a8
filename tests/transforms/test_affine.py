# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Where pixels lie after crops, degradation and super-resolution."""

from __future__ import annotations

import pickle

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, RandFlipd, RandRotate90d, SaveImage

from monai_srgan.transforms import MaskAwareDegraded, RandRegionCrop, RandRegionCropd, SRGeometryd, scaled_affine

AFFINE = np.array([[0.1, -0.48, 0, 12], [0.48, 0.1, 0, -7], [0, 0, 7, 3], [0, 0, 0, 1]])


def image_of(*shape, **meta):
    entries = {"affine": torch.from_numpy(AFFINE), "original_affine": AFFINE, "filename_or_obj": "7.mat", **meta}
    return MetaTensor(torch.rand(*shape), meta={**entries, "spatial_shape": np.array(shape[1:])})


def coordinate_sample(height=60, width=52):
    """An image whose two channels are its own world coordinates, so that any false affine shows."""
    index = np.stack(np.meshgrid(range(height), range(width), [0], [1], indexing="ij"))[:, :, :, 0, 0]
    world = np.einsum("ij,jhw->ihw", AFFINE, index)[:2]
    mask = torch.zeros(1, height, width)
    mask[:, 50:55, 3:6] = 1
    data = {"image": torch.from_numpy(world), "mask": mask}
    meta = {"affine": torch.from_numpy(AFFINE), "filename_or_obj": "7.mat"}
    return {key: MetaTensor(value, meta=dict(meta)) for key, value in data.items()}


def assert_coordinates_are_true(image, tolerance, margin=0):
    height, width = image.shape[1:]
    for row, column in [(margin, margin), (height - 1 - margin, width // 2), (height // 2, width - 1 - margin)]:
        world = image.affine.numpy() @ [row, column, 0, 1]
        np.testing.assert_allclose(image[:, row, column].as_tensor().numpy(), world[:2], rtol=0, atol=tolerance)


@pytest.mark.parametrize("factor", [4, 0.25, 3, 1])
def test_the_centre_of_the_field_of_view_stays(factor):
    new = scaled_affine(AFFINE, factor).numpy()
    size = np.array([48, 96])
    old_centre, new_centre = [*(size - 1) / 2, 1, 1], [*(size / factor - 1) / 2, 1, 1]
    np.testing.assert_allclose(new @ new_centre, AFFINE @ old_centre, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(new[:, :2], axis=0), factor * np.linalg.norm(AFFINE[:, :2], axis=0))
    np.testing.assert_array_equal(new[:, 2], AFFINE[:, 2])


def test_scaling_forth_and_back_is_the_identity():
    there_and_back = scaled_affine(scaled_affine(AFFINE, 4), 1 / 4)
    np.testing.assert_allclose(there_and_back.numpy(), AFFINE, rtol=0, atol=1e-12)


def test_two_dimensional_affines_work_too():
    np.testing.assert_allclose(scaled_affine(np.diag([2.0, 3.0, 1.0]), 4), [[8, 0, 3], [0, 12, 4.5], [0, 0, 1]])


def test_crop_flip_rotation_and_degradation_keep_true_coordinates():
    pipeline = Compose(
        [
            RandRegionCropd(roi_size=(32, 24)),
            RandFlipd(keys=("image", "mask"), prob=0.5, spatial_axis=0),
            RandFlipd(keys=("image", "mask"), prob=0.5, spatial_axis=1),
            RandRotate90d(keys=("image", "mask"), prob=0.5),
            MaskAwareDegraded(),
        ]
    )
    pipeline.set_random_state(0)
    for _ in range(12):
        pair = pipeline(coordinate_sample())
        assert_coordinates_are_true(pair["label"], 1e-9)
        # The blur reflects at the border, where the ramp of coordinates bends.
        assert_coordinates_are_true(pair["image"], 0.02, margin=2)


def test_super_resolution_lies_on_the_high_resolution_grid():
    pair = MaskAwareDegraded()(coordinate_sample())
    pair["pred"] = pair["label"].as_tensor()
    out = SRGeometryd()(pair)
    assert_coordinates_are_true(out["pred"], 1e-9)
    torch.testing.assert_close(out["pred"].affine, pair["label"].affine)


@pytest.mark.parametrize("depth", [(), (1,), (5,)])
def test_pred_and_reference_both_name_the_finer_grid(depth):
    lr = image_of(1, 16, 12, *depth)
    data = {"image": lr, "pred": np.ones((1, 64, 48, *depth), dtype=np.float32)}
    out = SRGeometryd()(data)
    expected = scaled_affine(AFFINE, 0.25).numpy()
    for key in ("pred", "image"):
        assert out[key].meta["spatial_shape"].tolist() == [64, 48, *depth]
        np.testing.assert_allclose(out[key].meta["original_affine"], expected)
        assert out[key].meta["filename_or_obj"] == "7.mat"
    np.testing.assert_allclose(out["pred"].affine, expected)
    np.testing.assert_allclose(out["image"].affine, AFFINE)
    assert torch.equal(out["image"], lr)
    assert lr.meta["spatial_shape"].tolist() == [16, 12, *depth]  # the input was not touched
    assert isinstance(data["pred"], np.ndarray)


def test_monai_does_not_resample_the_result_back(tmp_path):
    out = SRGeometryd()({"image": image_of(1, 8, 6, 2), "pred": torch.rand(1, 32, 24, 2)})
    SaveImage(tmp_path, resample=True, separate_folder=False, print_log=False)(out["pred"])
    saved = nib.load(tmp_path / "7_trans.nii.gz")
    assert saved.shape == (32, 24, 2)
    np.testing.assert_allclose(saved.get_fdata(), out["pred"][0].numpy(), atol=1e-6)
    np.testing.assert_allclose(saved.header.get_zooms(), [0.49 / 4 * 1.0006, 0.49 / 4 * 1.0006, 7], rtol=1e-3)


def test_operations_recorded_on_the_low_resolution_grid_are_dropped():
    pair = Compose([RandRegionCropd(roi_size=32), MaskAwareDegraded()])(coordinate_sample())
    assert len(pair["label"].applied_operations) == 1
    assert pair["image"].applied_operations == []


def test_crop_always_holds_tumour_when_asked_to():
    mask = torch.zeros(1, 60, 52)
    mask[0, 59, 0] = 1  # a corner: the hardest place
    crop = RandRegionCrop(roi_size=(16, 24), tumor_prob=1).set_random_state(0)
    assert all(crop(mask, mask).sum() == 1 for _ in range(50))


def test_tumour_probability_is_kept():
    mask = torch.zeros(1, 400, 400)
    mask[0, 200, 200] = 1  # a uniform crop of 20 pixels holds it once in 360 draws
    crop = RandRegionCrop(roi_size=20, tumor_prob=0.3).set_random_state(0)
    share = np.mean([float(crop(mask, mask).sum()) for _ in range(400)])
    assert abs(share - 0.3) < 0.07


def test_crops_beside_the_tumour_hold_foreground_when_asked_to():
    image = torch.full((1, 60, 52), 0.1)
    image[0, 30, 0] = 0.11  # the one pixel above the threshold
    empty = torch.zeros(1, 60, 52)
    crop = RandRegionCrop(roi_size=16, tumor_prob=0.5, foreground=0.1).set_random_state(0)
    for mask in (None, empty):
        cuts = [crop(image, mask) for _ in range(50)]
        assert all(cut.max() == 0.11 for cut in cuts)
    assert len({int(cut[0].argmax()) for cut in cuts}) > 5  # anywhere in the crop
    tumour = empty.clone()
    tumour[0, 0, 51] = 1
    pair = RandRegionCropd(roi_size=16, tumor_prob=0.5, foreground=0.1).set_random_state(0)
    drawn = [pair({"image": image, "mask": tumour}) for _ in range(200)]
    held = np.array([[float(d["mask"].sum()), float(d["image"].max() > 0.105)] for d in drawn])
    assert (held.sum(1) == 1).all()  # each crop holds the tumour or the bright pixel, which are too far apart for both
    assert abs(held[:, 0].mean() - 0.5) < 0.11


def test_an_image_without_foreground_is_cropped_anywhere():
    image = torch.arange(36.0).reshape(1, 6, 6)
    crop = RandRegionCrop(roi_size=4, tumor_prob=0, foreground=99.0).set_random_state(0)
    assert {int(crop(image)[0, 0, 0]) for _ in range(200)} == {0, 1, 2, 6, 7, 8, 12, 13, 14}


def test_the_tumour_appears_all_over_the_crop():
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


def test_the_place_does_not_hang_on_the_content_of_the_mask():
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
    row, column = transform.transforms[0].cropper._start
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
    row, column = crop._start
    np.testing.assert_array_equal(cropped, array[:, row : row + 8, column : column + 8])
    assert cropped.dtype == np.float32
    pred = np.ones((1, 16, 16), dtype=">f4")[:, ::-1]
    assert SRGeometryd()({"image": image_of(1, 4, 4), "pred": pred})["pred"].shape == (1, 16, 16)
    np.testing.assert_allclose(scaled_affine(AFFINE.astype(">f8")[::-1][::-1], 4), scaled_affine(AFFINE, 4))


def test_masks_of_low_precision_guide_the_crop():
    mask = torch.zeros(1, 60, 52, dtype=torch.bfloat16)
    mask[0, 59, 0] = 1
    assert RandRegionCrop(roi_size=8, tumor_prob=1).set_random_state(0)(mask, mask).sum() == 1


def test_affines_of_a_result_share_no_memory():
    lr = image_of(1, 8, 8)
    out = SRGeometryd(keys=("pred", "other"))(
        {"image": lr, "pred": torch.ones(1, 32, 32), "other": torch.ones(1, 32, 32)}
    )
    expected = scaled_affine(AFFINE, 1 / 4).numpy()
    out["pred"].affine[0, 3] += 100
    out["image"].affine[1, 3] += 100
    for value in (out["pred"].meta["original_affine"], out["image"].meta["original_affine"], out["other"].affine):
        np.testing.assert_allclose(value, expected)
    out["image"].meta["original_affine"][0, 3] += 7
    np.testing.assert_allclose(out["pred"].meta["original_affine"], expected)
    pair = MaskAwareDegraded()(coordinate_sample())
    pair["image"].affine[0, 3] += 100
    np.testing.assert_allclose(pair["image"].meta["original_affine"], scaled_affine(AFFINE, 4))


@pytest.mark.parametrize("transform", [RandRegionCropd(roi_size=8), SRGeometryd(scale=2)])
def test_transforms_can_be_pickled(transform):
    data = {"image": image_of(1, 10, 10), "mask": torch.ones(1, 10, 10), "pred": torch.ones(1, 20, 20)}
    assert pickle.loads(pickle.dumps(transform))(data)["image"].ndim == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RandRegionCrop(96)(image_of(1, 64, 128)), r"^7.mat: .* as roi_size \(96, 96\), got \(1, 64, 128\)"),
        (lambda: RandRegionCrop(4)(torch.ones(1, 8, 8, 8)), r"must be \(C, H, W\)"),
        (lambda: RandRegionCrop(4)(image_of(1, 8, 8), torch.ones(1, 9, 8)), r"^7.mat: mask must .* got \(9, 8\)"),
        (lambda: RandRegionCrop(0), r"roi_size must be at least 1"),
        (lambda: RandRegionCrop(foreground=float("nan")), r"foreground must be an intensity .* got nan"),
        (lambda: RandRegionCrop(tumor_prob=1.1), r"tumor_prob must lie in \[0, 1\], got 1.1"),
        (lambda: scaled_affine(np.eye(5), 4), r"shape \(3, 3\) or \(4, 4\), got \(5, 5\)"),
        (lambda: scaled_affine(np.eye(4), 0), r"factor must be > 0"),
        (lambda: SRGeometryd()({"image": torch.ones(1, 4, 4)}), r"'image' must be a MetaTensor.*got Tensor"),
        (lambda: SRGeometryd()({"pred": torch.ones(1, 16, 16)}), r"'image' must be a MetaTensor.*got NoneType"),
        (
            lambda: SRGeometryd()({"image": image_of(1, 4, 4), "pred": torch.ones(1, 8, 8)}),
            r"'pred' must have spatial size \(16, 16\), 4 times that of 'image', got \(8, 8\)",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_missing_mask_is_named():
    with pytest.raises(KeyError, match=r"'mask' is missing.*mask_key=None"):
        RandRegionCropd(keys="image", roi_size=4)({"image": torch.ones(1, 8, 8)})
    assert (
        RandRegionCropd(keys="image", mask_key=None, roi_size=4)({"image": torch.ones(1, 8, 8)})["image"].shape[1] == 4
    )
