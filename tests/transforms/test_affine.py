# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Affines after crops, degradation and super-resolution."""

from __future__ import annotations

import pickle

import nibabel as nib
import numpy as np
import pytest
import torch
from known_grid import AFFINE, coordinate_sample, image_of
from monai.transforms import Compose, RandFlipd, RandRotate90d, SaveImage

from monai_srgan.transforms import MaskAwareDegraded, RandRegionCropd, SRGeometry, SRGeometryd, scaled_affine


def assert_coordinates_are_true(image, tolerance, margin=0):
    height, width = image.shape[1:]
    for row, column in [(margin, margin), (height - 1 - margin, width // 2), (height // 2, width - 1 - margin)]:
        world = image.affine.numpy() @ [row, column, 0, 1]
        np.testing.assert_allclose(image[:, row, column].as_tensor().numpy(), world[:2], rtol=0, atol=tolerance)


@pytest.mark.parametrize("factor", [4, 0.25, 3, 1])
def test_the_center_of_the_field_of_view_stays(factor):
    new = scaled_affine(AFFINE, factor).numpy()
    size = np.array([48, 96])
    old_center, new_center = [*(size - 1) / 2, 1, 1], [*(size / factor - 1) / 2, 1, 1]
    np.testing.assert_allclose(new @ new_center, AFFINE @ old_center, atol=1e-12)
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
    pred = view(np.random.RandomState(0).rand(1, 16, 16).astype(np.float32))
    placed = SRGeometryd()({"image": image_of(1, 4, 4), "pred": pred})["pred"]
    np.testing.assert_array_equal(placed.as_tensor().numpy(), pred)


def test_foreign_affines_are_taken():
    np.testing.assert_allclose(scaled_affine(AFFINE.astype(">f8")[::-1][::-1], 4), scaled_affine(AFFINE, 4))


def test_the_array_version_places_the_image_and_leaves_the_reference():
    ref, pred = image_of(1, 4, 6), torch.rand(1, 8, 12)
    placed = SRGeometry(scale=2)(pred, ref)
    expected = SRGeometryd(scale=2)({"image": ref, "pred": pred})["pred"]
    torch.testing.assert_close(placed.affine, expected.affine, rtol=0, atol=0)
    assert torch.equal(placed.as_tensor(), pred)
    assert placed.meta["spatial_shape"].tolist() == [8, 12]
    np.testing.assert_allclose(placed.meta["original_affine"], expected.affine)
    assert ref.meta["spatial_shape"].tolist() == [4, 6]


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


def test_the_transform_can_be_pickled():
    data = {"image": image_of(1, 10, 10), "pred": torch.ones(1, 20, 20)}
    assert pickle.loads(pickle.dumps(SRGeometryd(scale=2)))(data)["pred"].shape == (1, 20, 20)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scaled_affine(np.eye(5), 4), r"shape \(3, 3\) or \(4, 4\), got \(5, 5\)"),
        (lambda: scaled_affine(np.eye(4), 0), r"factor must be > 0"),
        (lambda: SRGeometry()(torch.ones(1, 16, 16), torch.ones(1, 4, 4)), r"'ref' must be a MetaTensor.*got Tensor"),
        (lambda: SRGeometryd()({"pred": torch.ones(1, 16, 16)}), r"'image' must be a MetaTensor.*'pred', got NoneType"),
        (
            lambda: SRGeometryd()({"image": image_of(1, 4, 4), "pred": torch.ones(1, 8, 8)}),
            r"'pred' must have spatial size \(16, 16\), 4 times that of 'image', got \(8, 8\)",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
