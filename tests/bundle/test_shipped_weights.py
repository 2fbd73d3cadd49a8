# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundle's weights on validation patients: better than interpolation, true in brightness, without a pattern."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.transforms import Compose

from monai_srgan.apps import figshare_datalist
from monai_srgan.bundling.pretrained import calibrated_intervals, pretrained_weights
from monai_srgan.inferers import Predictor, TiledSRInferer
from monai_srgan.metrics import STLPIPS, region_masks, region_scores
from monai_srgan.metrics.st_lpips import st_lpips_is_installed
from monai_srgan.networks import SRResNet, read_network_weights
from monai_srgan.physics import BicubicUpsample
from monai_srgan.precision import has_fast_autocast
from monai_srgan.transforms import LoadMatd, MaskAwareDegraded, ScaleIntensityByPercentiled
from monai_srgan.uncertainty import MeasuredIntervals

BUNDLE = str(Path(__file__).parents[2] / "bundle")
VARIANTS = ("srresnet", "srgan")


def network() -> SRResNet:
    return SRResNet(norm=None, global_residual="bicubic", condition=36).eval()


@pytest.fixture(scope="module")
def slices(real_data_dir: Path) -> list[dict[str, Any]]:
    """Eight slices of eight validation patients, HR and what each method makes of its LR."""
    items = figshare_datalist(real_data_dir, "validation", progress=False)
    patients = list({item["patient"]: item for item in items}.values())
    load = Compose(
        [LoadMatd("image", mask_key="mask"), ScaleIntensityByPercentiled("image"), MaskAwareDegraded("image")]
    )
    precision = "bf16" if has_fast_autocast(torch.device("cpu")) else "fp32"
    methods: dict[str, Any] = {"bicubic": BicubicUpsample(4)}
    for name in VARIANTS:
        inferer = TiledSRInferer(precision=precision)
        methods[name] = Predictor(network(), pretrained_weights(BUNDLE, name), inferer=inferer)
    made = []
    for item in patients[:: len(patients) // 8][:8]:
        data = load(item)
        lr, hr, mask = (data[key].as_tensor()[None].float() for key in ("image", "label", "mask"))
        masks = region_masks(mask, hr, ("whole", "head", "inside"))
        preds = {name: method(lr) for name, method in methods.items()}
        scores = {name: region_scores(pred, hr, masks) for name, pred in preds.items()}
        made.append({"lr": lr, "hr": hr, "masks": masks, "preds": preds, "scores": scores})
    return made


def mean(slices: list[dict[str, Any]], method: str, region: str, metric: str) -> float:
    return float(np.mean([float(s["scores"][method][region, metric]) for s in slices]))


def lattice(pred: torch.Tensor, s: dict[str, Any]) -> float:
    """Standard deviation, over the 16 places of a pixel in its 4 x 4 cell, of the mean error there on the head."""
    error, head = (pred - s["hr"])[0, 0].double(), s["masks"]["head"][0, 0].double()
    places = [(slice(i, None, 4), slice(j, None, 4)) for i in range(4) for j in range(4)]
    return float(torch.stack([(error[p] * head[p]).sum() / head[p].sum() for p in places]).std())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_a_plain_state_dict_of_the_default_network_with_intervals_of_its_own(variant: str) -> None:
    filled = network()
    filled.load_state_dict(read_network_weights(filled, pretrained_weights(BUNDLE, variant)))
    intervals = MeasuredIntervals.load(str(calibrated_intervals(BUNDLE, variant)))
    intervals.check_weights(filled)
    intervals.check_consistent(True)
    assert intervals.level == 0.9


@pytest.mark.real_data
def test_both_variants_are_better_than_interpolation_where_it_matters(slices: list[dict[str, Any]]) -> None:
    gain = {
        (variant, region): mean(slices, variant, region, "psnr") - mean(slices, "bicubic", region, "psnr")
        for variant in VARIANTS
        for region in ("head", "inside")
    }
    assert gain["srresnet", "head"] > 3.3
    assert gain["srresnet", "inside"] > 2.5
    assert gain["srgan", "head"] > 2.0
    assert gain["srresnet", "head"] - gain["srgan", "head"] < 1.8
    for region in ("whole", "head", "inside"):
        assert mean(slices, "srresnet", region, "ssim") > mean(slices, "bicubic", region, "ssim")


@pytest.mark.real_data
@pytest.mark.parametrize("variant", VARIANTS)
def test_tumors_keep_their_brightness(slices: list[dict[str, Any]], variant: str) -> None:
    assert abs(mean(slices, variant, "inside", "bias")) < 0.005


@pytest.mark.real_data
@pytest.mark.skipif(
    not st_lpips_is_installed(), reason="stlpips-pytorch, which holds the weights of ST-LPIPS, is missing"
)
def test_srgan_looks_more_like_the_truth(slices: list[dict[str, Any]]) -> None:
    score = STLPIPS()

    def distance(s: dict[str, Any], name: str) -> float:
        return float(score(s["preds"][name], s["hr"], s["masks"], s["lr"])["whole", "st_lpips"])

    found = {name: np.mean([distance(s, name) for s in slices]) for name in ("bicubic", *VARIANTS)}
    assert found["srgan"] < 0.75 * found["srresnet"] < 0.75 * found["bicubic"]
    assert found["srgan"] < 0.32 * found["bicubic"]


@pytest.mark.real_data
@pytest.mark.parametrize("variant", VARIANTS)
def test_there_is_no_checkerboard(slices: list[dict[str, Any]], variant: str) -> None:
    pattern = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(256, 256)
    squares = [s for s in slices if s["hr"].shape[-2:] == pattern.shape]
    found = [lattice(s["preds"][variant], s) for s in squares]
    assert max(found) < 0.002  # of the range: half a gray level of 8 bits
    assert np.mean(found) < 0.00125
    # the check sees what it is for
    assert min(lattice(s["preds"][variant] + 0.002 * pattern, s) for s in squares) > 0.0015
