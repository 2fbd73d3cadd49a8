# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Transforms in threads, which share them, and without MONAI's metadata."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from mat_files import save_slice
from monai.data import MetaTensor, set_track_meta
from monai.transforms import Compose

from monai_srgan.transforms import (
    LoadInputd,
    LoadMatd,
    RandDihedrald,
    RandRegionCropd,
    RestoreIntensityd,
    ScaleIntensityByPercentiled,
)


@pytest.mark.parametrize("transform", [RandRegionCropd(roi_size=16), RandDihedrald(("image", "mask"))])
def test_image_and_mask_stay_together_in_threads(transform: object) -> None:
    image = torch.arange(48 * 48.0).reshape(1, 48, 48)

    def together(_: int) -> bool:
        d = transform({"image": image, "mask": image})  # type: ignore[operator]
        return torch.equal(d["image"], d["mask"])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(together, range(2000)))


@pytest.fixture
def untracked() -> Iterator[None]:
    set_track_meta(False)
    yield
    set_track_meta(True)


@pytest.mark.usefixtures("untracked")
def test_without_metadata_loaders_and_crops_give_plain_tensors(tmp_path: Path) -> None:
    item = {"image": str(save_slice(tmp_path / "1.mat"))}
    load = Compose([LoadMatd("image"), ScaleIntensityByPercentiled("image"), RandRegionCropd(roi_size=16)])
    d = load(dict(item))
    assert d["patient"] == "MR024780"
    for image in (d["image"], d["mask"], LoadInputd("image")(dict(item))["image"]):
        assert not isinstance(image, MetaTensor)
    assert d["image"].shape == d["mask"].shape == (1, 16, 16)
    with pytest.raises(ValueError, match=r"PersistentDataset track_meta=True and weights_only=False"):
        RestoreIntensityd()({**d, "pred": d["image"]})
