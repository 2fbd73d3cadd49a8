# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""High-frequency error norm against scipy's convolution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import ndimage

from monai_srgan.metrics import HFEN, masked_hfen


def images(shape: tuple[int, ...] = (2, 1, 31, 40)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    x = torch.linspace(0, 9, shape[-1])[None] + torch.linspace(0, 4, shape[-2])[:, None] ** 2
    target = 0.5 + 0.4 * torch.sin(x).expand(shape) + 0.05 * torch.randn(shape, generator=generator)
    return 0.9 * target + 0.1 * torch.randn(shape, generator=generator), target


def tumor(shape: tuple[int, ...] = (2, 1, 31, 40)) -> torch.Tensor:
    mask = torch.zeros(shape[0], 1, *shape[-2:], dtype=torch.bool)
    mask[0, :, 2:15, 0:9] = True
    mask[1:, :, 12:, 3:30] = True
    return mask


def matlabs_log_filter() -> np.ndarray:
    """``fspecial("log", 15, 1.5)``, from its documentation."""
    x, y = np.meshgrid(np.arange(-7, 8), np.arange(-7, 8))
    gauss = np.exp(-(x**2 + y**2) / (2 * 1.5**2))
    log = (x**2 + y**2 - 2 * 1.5**2) * gauss / (1.5**4 * gauss.sum())
    return log - log.mean()


def reference(pred: torch.Tensor, target: torch.Tensor, mask: np.ndarray) -> float:
    log = matlabs_log_filter()
    p, t = (ndimage.convolve(x.double().numpy(), log, mode="reflect") for x in (pred, target))
    return float(np.linalg.norm((p - t)[mask]) / np.linalg.norm(t[mask]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_hfen_equals_a_direct_convolution_up_to_the_border(dtype: torch.dtype) -> None:
    pred, target = (x.to(dtype) for x in images())
    got = masked_hfen(pred, target, tumor())
    assert got.dtype == torch.float64
    for i in range(2):
        assert got[i].item() == pytest.approx(reference(pred[i, 0], target[i, 0], tumor()[i, 0].numpy()), rel=1e-12)
    whole = np.ones((31, 40), dtype=bool)
    assert masked_hfen(pred, target)[0].item() == pytest.approx(reference(pred[0, 0], target[0, 0], whole), rel=1e-12)


def test_the_score_gives_every_region_what_the_function_gives() -> None:
    pred, target = images()
    mask = tumor()
    scores = HFEN()(pred, target, {"inside": mask, "outside": ~mask}, pred[..., ::4, ::4])
    assert list(scores) == [("inside", "hfen"), ("outside", "hfen")]
    assert torch.equal(scores["inside", "hfen"], masked_hfen(pred, target, mask))
    assert torch.equal(scores["outside", "hfen"], masked_hfen(pred, target, ~mask))
    assert not torch.allclose(scores["inside", "hfen"], scores["outside", "hfen"], rtol=1e-3)


def test_a_perfect_image_has_0_and_a_blank_one_1() -> None:
    _, target = images()
    assert torch.equal(masked_hfen(target, target), torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(masked_hfen(torch.full_like(target, 0.7), target), torch.ones(2, dtype=torch.float64))


def test_an_offset_is_no_high_frequency_and_doubled_contrast_is_an_error_of_1() -> None:
    _, target = images()
    assert masked_hfen(target.double() + 0.25, target.double()).max() < 1e-12
    torch.testing.assert_close(
        masked_hfen(2 * target - 0.3, target), torch.ones(2, dtype=torch.float64), rtol=1e-5, atol=0
    )


def test_pixels_farther_away_than_the_filter_reaches_have_no_influence() -> None:
    pred, target = images()
    mask = torch.zeros(2, 1, 31, 40, dtype=torch.bool)
    mask[..., 10:13, 20:23] = True
    near = torch.zeros_like(mask)
    near[..., 3:20, 13:30] = True
    noisy = torch.where(near, pred, pred + 1e3)
    assert torch.equal(masked_hfen(noisy, target, mask), masked_hfen(pred, target, mask))
    near[..., 3, 13] = False  # the corner of the filter
    noisy = torch.where(near, pred, pred + 1e9)
    assert not torch.equal(masked_hfen(noisy, target, mask), masked_hfen(pred, target, mask))


def test_an_empty_region_is_nan_and_does_not_touch_its_neighbor() -> None:
    pred, target = images()
    mask = tumor()
    mask[0] = False
    got = masked_hfen(pred, target, mask)
    assert torch.isnan(got[0])
    assert got[1] == masked_hfen(pred, target, tumor())[1]


@pytest.mark.parametrize("value", [0.0, 0.3, 1e4])
def test_a_region_where_the_target_is_flat_is_not_measured(value: float) -> None:
    pred, target = images()
    target[0] = value
    got = masked_hfen(pred, target)
    assert torch.isnan(got[0])  # and not infinite: that is the PSNR of a perfect image
    assert torch.isfinite(got[1])
    assert torch.isnan(masked_hfen(target, target)[0])
    target[0, 0, 3, 3] += 1e-4 * max(value, 1)  # faint, and an edge
    assert torch.isfinite(masked_hfen(pred, target)).all()


def test_channels_belong_to_the_norm() -> None:
    pred, target = images((1, 2, 31, 40))
    log = matlabs_log_filter()
    p, t = (np.stack([ndimage.convolve(c.double().numpy(), log, mode="reflect") for c in x[0]]) for x in (pred, target))
    assert masked_hfen(pred, target).item() == pytest.approx(np.linalg.norm(p - t) / np.linalg.norm(t), rel=1e-12)


def test_metatensors_give_plain_values() -> None:
    pred, target = images()
    got = HFEN()(MetaTensor(pred), MetaTensor(target), {"inside": MetaTensor(tumor().float())})["inside", "hfen"]
    assert type(got) is torch.Tensor
    assert torch.equal(got, masked_hfen(pred, target, tumor()))


def test_bad_input_is_refused_by_name() -> None:
    pred, target = images()
    with pytest.raises(ValueError, match="same shape"):
        masked_hfen(pred, target[:1])
    with pytest.raises(ValueError, match=r"target must have shape \(B, C, H, W\).* at least 15.*\(2, 1, 14, 40\)"):
        masked_hfen(pred, target[..., :14, :])
    with pytest.raises(ValueError, match="pred must have shape"):
        masked_hfen(pred[0], target)
    with pytest.raises(TypeError, match=r"pred must be a floating point tensor, got torch\.uint8"):
        masked_hfen(pred.to(torch.uint8), target)
    with pytest.raises(ValueError, match="NaN or infinite"):
        masked_hfen(pred + torch.nan, target)
    with pytest.raises(ValueError, match="mask must have shape"):
        HFEN()(pred, target, {"inside": tumor()[:1]})
