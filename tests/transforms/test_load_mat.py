# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from mat_files import fields, save_slice, save_v5
from monai.data import CacheDataset, DataLoader, MetaTensor, decollate_batch
from monai.transforms import Compose

from monai_srgan.data import MatFileError
from monai_srgan.transforms import LoadMat, LoadMatd, MaskAwareDegrade, RandRegionCrop, RandRegionCropd
from monai_srgan.transforms.load_mat import BORDER_POINTS, LoadMatD, LoadMatDict


def octagon(points):
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([12 + 5 * np.cos(angle), 9 + 4 * np.sin(angle)], -1).reshape(1, -1)


def test_one_path_gives_image_and_mask_with_their_meta_data(tmp_path):
    made = fields()
    path = save_slice(tmp_path / "7.mat")
    image, mask = LoadMat()(path)
    assert isinstance(image, MetaTensor)
    assert isinstance(mask, MetaTensor)
    assert (image.dtype, mask.dtype) == (torch.float32, torch.uint8)
    np.testing.assert_array_equal(image.numpy()[0], made["image"].T)
    np.testing.assert_array_equal(mask.numpy()[0], made["tumorMask"].T)
    for tensor in (image, mask):
        np.testing.assert_allclose(tensor.affine.numpy(), np.diag([-0.49, -0.49, 7.0, 1.0]))
        np.testing.assert_allclose(tensor.meta["original_affine"], tensor.affine)
        assert tensor.meta["filename_or_obj"] == str(path)
        assert tensor.meta["space"] == "RAS"
        assert tuple(tensor.meta["spatial_shape"]) == (32, 24)
        assert np.isnan(tensor.meta["original_channel_dim"])
        assert (tensor.meta["pid"], tensor.meta["patient"], tensor.meta["tumor_type"]) == ("MR024780B", "MR024780", 2)


def test_in_compose_image_and_mask_stay_together_only_in_the_dictionary_version(tmp_path):
    path = save_slice(tmp_path / "7.mat")
    crop = RandRegionCrop(roi_size=8, tumor_prob=0)
    apart = Compose([LoadMat(), crop])  # map_items: the tuple is two images, each cropped by itself
    apart.set_random_state(0)
    assert len({tuple(part.affine[:2, 3].tolist()) for part in apart(path)}) == 2
    together = Compose([LoadMatd("image"), RandRegionCropd(roi_size=8, tumor_prob=0)])
    together.set_random_state(0)
    out = together({"image": path})
    torch.testing.assert_close(out["image"].affine, out["mask"].affine)
    for transform in (LoadMat, RandRegionCrop, MaskAwareDegrade):
        text = " ".join(transform.__doc__.split())
        assert "map_items" in text
        assert f"use :class:`{transform.__name__}d`" in text


def test_the_border_in_the_meta_data_is_the_same_polygon_at_a_fixed_length(tmp_path):
    border = LoadMat()(save_slice(tmp_path / "7.mat"))[0].meta["tumor_border"]
    assert border.shape == (BORDER_POINTS, 2)
    np.testing.assert_array_equal(border[:4], [[15, 4], [24, 4], [24, 9], [15, 9]])
    assert (border[4:] == border[3]).all()


def test_a_border_of_more_points_is_thinned_evenly(tmp_path):
    made = octagon(300)
    border = LoadMat()(save_slice(tmp_path / "7.mat", tumorBorder=made))[0].meta["tumor_border"]
    points = made.reshape(-1, 2) - 1
    assert border.shape == (BORDER_POINTS, 2)
    np.testing.assert_allclose(border[0], points[0])
    assert np.linalg.norm(np.diff(border, axis=0), axis=1).max() < 4 * np.linalg.norm(points[1] - points[0])


def test_the_dictionary_version_sets_all_keys_from_the_file(tmp_path):
    path = str(save_slice(tmp_path / "7.mat"))
    item = {"image": path, "patient": "stale", "tumor_type": 9, "extra": 1}
    loaded = LoadMatd("image")(item)
    assert item["image"] == path
    assert loaded["image"].shape == loaded["mask"].shape == (1, 32, 24)
    assert (loaded["tumor_type"], loaded["patient"], loaded["source"]) == (2, "MR024780", path)
    assert loaded["extra"] == 1
    assert type(loaded["tumor_type"]) is int


def test_keys_and_types_can_be_chosen(tmp_path):
    path = save_slice(tmp_path / "7.mat")
    loader = LoadMatd("label", mask_key="tumor", dtype=np.float64, mask_dtype=np.float32, spacing=(0.98, 0.98, 7))
    loaded = loader({"label": path})
    assert (loaded["label"].dtype, loaded["tumor"].dtype) == (torch.float64, torch.float32)
    assert loaded["label"].pixdim[:2].tolist() == [0.98, 0.98]
    assert LoadMatd("label", allow_missing_keys=True)({"other": 1}) == {"other": 1}
    with pytest.raises(KeyError):
        LoadMatd("label")({"other": 1})
    with pytest.raises(ValueError, match="keys must be one key"):
        LoadMatd(["a", "b"])


def test_aliases_follow_monai():
    assert LoadMatD is LoadMatDict is LoadMatd


def test_the_two_versions_of_a_file_load_alike_unless_one_is_demanded(tmp_path):
    new, old = save_slice(tmp_path / "new.mat"), save_v5(tmp_path / "old.mat", {"cjdata": fields()})
    for a, b in zip(LoadMat()(new), LoadMat()(old), strict=True):
        assert torch.equal(a.as_tensor(), b.as_tensor())
    with pytest.raises(MatFileError, match=r"old\.mat: must be a MATLAB file of version 7\.3"):
        LoadMatd(version="7.3")({"image": old})


@pytest.mark.parametrize("num_workers", [0, 2])
def test_slices_of_different_borders_go_through_cache_workers_and_batches(tmp_path, num_workers):
    paths = [save_slice(tmp_path / f"{i}.mat", tumorBorder=octagon(5 + i), PID=f"MR{i}") for i in range(4)]
    data = CacheDataset([{"image": str(path)} for path in paths], LoadMatd(), progress=False)
    batch = next(iter(DataLoader(data, batch_size=4, num_workers=num_workers)))
    assert batch["image"].shape == (4, 1, 32, 24)
    assert batch["patient"] == ["MR0", "MR1", "MR2", "MR3"]
    assert batch["image"].affine.shape == (4, 4, 4)
    items = decollate_batch(batch)
    assert items[2]["image"].meta["tumor_border"].shape == (BORDER_POINTS, 2)
    assert items[2]["image"].meta["filename_or_obj"] == str(paths[2])


def test_the_transforms_survive_pickling(tmp_path):
    path = save_slice(tmp_path / "7.mat")
    again = pickle.loads(pickle.dumps(LoadMatd("image", version="7.3")))
    assert again({"image": path})["mask"].sum() == 60
