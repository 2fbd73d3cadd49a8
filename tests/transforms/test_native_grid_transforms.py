# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""An image that a scanner interpolated is reduced to what it acquired, and results go back to the image's grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from k_space import head, scan
from known_grid import AFFINE, image_of
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch

from monai_srgan.physics import fourier_resize, native_size
from monai_srgan.physics.support import estimate_support
from monai_srgan.transforms import (
    FromNativeGrid,
    FromNativeGridd,
    SRGeometryd,
    ToNativeGrid,
    ToNativeGridd,
    resized_affine,
    scaled_affine,
)


def placed(values: np.ndarray) -> MetaTensor:
    meta = {"affine": torch.from_numpy(AFFINE), "original_affine": AFFINE, "filename_or_obj": "7.mat"}
    return MetaTensor(torch.from_numpy(values).float()[None], meta={**meta, "spatial_shape": np.array(values.shape)})


@pytest.fixture(scope="module")
def interpolated() -> MetaTensor:
    """``(1, 256, 192, 2)``, acquired with 150 x 100 samples."""
    slices = [scan(head((256, 192), seed), (150, 100), noise=0.01, seed=seed) for seed in (1, 2)]
    return placed(np.stack(slices, axis=-1))


def center(affine, size) -> np.ndarray:
    return np.asarray(affine) @ [(size[0] - 1) / 2, (size[1] - 1) / 2, 1.0, 1.0]


def test_an_interpolated_image_is_reduced_with_a_true_affine(interpolated):
    reduced = ToNativeGrid()(interpolated)
    record = reduced.meta["native_grid"]
    assert record["changed"]
    assert record["input_size"] == [256, 192]
    assert record["size"] == list(reduced.shape[1:3]) == list(native_size(estimate_support(interpolated[0])))
    assert record["width"] == pytest.approx([150, 100], rel=0.03)
    assert "interpolated by the scanner; reduced to" in record["reason"]
    assert abs(reduced.shape[1] * 192 / 256 - reduced.shape[2]) < 2  # pixels nearly keep their shape
    assert 150 <= reduced.shape[1] < 166
    np.testing.assert_allclose(center(reduced.affine, reduced.shape[1:]), center(AFFINE, (256, 192)), atol=1e-12)
    ratio = np.divide((256, 192), reduced.shape[1:3])
    lengths = [np.linalg.norm(affine[:3, :2], axis=0) for affine in (AFFINE, reduced.affine.numpy())]
    np.testing.assert_allclose(lengths[1], ratio * lengths[0])
    np.testing.assert_array_equal(reduced.affine[:, 2], AFFINE[:, 2])
    np.testing.assert_allclose(reduced.meta["original_affine"], reduced.affine)
    assert reduced.meta["spatial_shape"].tolist() == list(reduced.shape[1:])
    assert interpolated.shape == (1, 256, 192, 2)
    assert "native_grid" not in interpolated.meta


def test_pixels_lie_where_the_affine_says():
    x, y = (np.arange(n) for n in (256, 192))

    def wave(i: np.ndarray, j: np.ndarray) -> np.ndarray:  # of old indices; periodic on the old grid
        return 3 + np.cos(2 * np.pi * (9 * i[:, None] / 256 - 4 * j[None] / 192))

    estimate = estimate_support(scan(head((256, 192), 1), (150, 100), noise=0.01))
    reduced = ToNativeGrid()(placed(wave(x, y)), estimate)
    to_old = np.linalg.inv(AFFINE) @ reduced.affine.numpy()
    expected = wave(
        to_old[0, 0] * np.arange(reduced.shape[1]) + to_old[0, 3],
        to_old[1, 1] * np.arange(reduced.shape[2]) + to_old[1, 3],
    )
    np.testing.assert_allclose(reduced[0].numpy(), expected, atol=1e-5)


def test_the_enlarged_image_goes_back_to_four_times_the_input(interpolated):
    data = ToNativeGridd(keys="image")({"image": interpolated})
    native = data["image"].shape[1:3]
    fine = torch.rand(1, *(4 * n for n in native), 2)
    on_native = SRGeometryd()({**data, "pred": fine})
    out = FromNativeGridd(keys="pred")(on_native)
    assert out["pred"].shape == (1, 1024, 768, 2)
    torch.testing.assert_close(out["pred"].as_tensor(), fourier_resize(fine, (1024, 768), dims=(1, 2)))
    expected = scaled_affine(AFFINE, 1 / 4).numpy()
    np.testing.assert_allclose(out["pred"].affine, expected, atol=1e-12)
    for key in ("pred", "image"):  # MONAI Label resamples to what the reference names
        np.testing.assert_allclose(out[key].meta["original_affine"], expected, atol=1e-12)
        assert out[key].meta["spatial_shape"].tolist() == [1024, 768, 2]
    stays = FromNativeGridd(keys="pred", grid="native")(on_native)
    assert torch.equal(stays["pred"], on_native["pred"])
    np.testing.assert_allclose(stays["pred"].affine, on_native["pred"].affine)


def test_the_record_survives_batches(interpolated):
    reduced = ToNativeGrid()(interpolated)
    batch = next(iter(DataLoader(Dataset([{"image": reduced}]), batch_size=1)))
    item = decollate_batch(batch)[0]
    pred = SRGeometryd()({**item, "pred": torch.rand(1, *(4 * n for n in reduced.shape[1:3]), 2)})
    assert FromNativeGridd()(pred)["pred"].shape == (1, 1024, 768, 2)


def test_maps_can_be_interpolated_without_ringing(interpolated):
    reduced = ToNativeGrid()(interpolated)
    spread = torch.zeros(1, *(4 * n for n in reduced.shape[1:3]), 2)
    spread[:, 100:120, 90:140] = 1
    data = SRGeometryd(keys=("pred", "spread"))({"image": reduced, "pred": spread, "spread": spread})
    out = FromNativeGridd(keys=("pred", "spread"), mode=("fourier", "linear"))(data)
    assert out["pred"].min() < 0
    assert out["spread"].min() >= 0
    assert out["spread"].shape == out["pred"].shape
    assert float((out["spread"] - out["pred"]).abs().mean()) < 0.01


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full((64, 48, 1), 2.0), "every slice is constant"),
        (np.random.default_rng(0).random((16, 18, 1)), "fewer than 32 pixels"),
        (np.random.default_rng(0).random((64, 48, 1)), "no sign of zero filling"),
        (scan(head((128, 128), 1), (128, 84), noise=0.01)[..., None], "unchanged, since the other axis is filled"),
        (scan(head((128, 128), 1), (123, 84), noise=0.01)[..., None], "unchanged, since"),
    ],
)
def test_other_images_do_not_change_and_the_reason_is_recorded(values, reason):
    image = placed(values)
    out = ToNativeGridd(keys="image")({"image": image})["image"]
    record = out.meta["native_grid"]
    assert reason in record["reason"]
    assert "native_grid" not in image.meta
    assert (record["changed"], record["size"]) == (False, list(values.shape[:2]))
    assert torch.equal(out.as_tensor(), image.as_tensor())
    np.testing.assert_array_equal(out.affine, AFFINE)
    pred = torch.rand(1, 4 * values.shape[0], 4 * values.shape[1], 1)
    back = FromNativeGridd()(SRGeometryd()({"image": out, "pred": pred}))
    assert torch.equal(back["pred"].as_tensor(), pred)


def test_it_can_be_switched_off(interpolated):
    data = ToNativeGridd(keys="image", enabled=False)({"image": interpolated})
    assert data["image"] is interpolated
    pred = SRGeometryd()({**data, "pred": torch.rand(1, 1024, 768, 2)})
    assert FromNativeGridd()(pred)["pred"] is pred["pred"]


def test_grids_of_one_field_of_view_agree():
    np.testing.assert_allclose(resized_affine(AFFINE, (32, 24), (8, 6)), scaled_affine(AFFINE, 4))
    there = resized_affine(AFFINE, (512, 416), (318, 258))
    np.testing.assert_allclose(resized_affine(there, (318, 258), (512, 416)), AFFINE, atol=1e-12)


def test_bad_arguments_are_refused_by_name(interpolated):
    with pytest.raises(ValueError, match=r"grid must be one of input, native, got 'lr'"):
        FromNativeGrid(grid="lr")
    with pytest.raises(ValueError, match=r"mode must be one of fourier, linear, got 'cubic'"):
        FromNativeGrid(mode="cubic")
    with pytest.raises(ValueError, match="mode must be one for all keys or one for each of 1, got 2"):
        FromNativeGridd(mode=("fourier", "linear"))
    with pytest.raises(
        ValueError, match=r"image: must be a MetaTensor of shape \(1, X, Y\) or \(1, X, Y, D\), got Tens"
    ):
        ToNativeGrid()(torch.rand(1, 64, 64))
    with pytest.raises(ValueError, match=r"7\.mat: NaN or infinite values"):
        ToNativeGrid()(placed(np.full((64, 64), np.nan)))
    with pytest.raises(
        ValueError, match=r"'native_grid' is not in the metadata: apply ToNativeGrid to the input first"
    ):
        FromNativeGrid()(image_of(1, 64, 64))
    record = ToNativeGrid()(interpolated).meta["native_grid"]
    with pytest.raises(ValueError, match=r"pred must have .* pixels, 4 times the native grid, got \(64, 64\)"):
        FromNativeGrid()(image_of(1, 64, 64), record)
    with pytest.raises(
        ValueError, match="pred must be a MetaTensor with an affine, got Tensor: apply SRGeometry first"
    ):
        FromNativeGrid()(torch.rand(1, 64, 64), record)
